"""Last look before delivery: no delivered value looks like a NIR, a telephone number or an e-mail."""

import polars as pl

from pipelines.refusals import ContractRefusal

_HASHED = r"(?i)^(?:[0-9a-f]{32}|[0-9a-f]{64})$"

# A SIREN or SIRET (9 or 14 digits) may be the code of an organisation: admitted.
_SUSPECT = (
    r"@",
    r"(?:^|\D)(?:\+33|0033|0)\s?[1-9](?:[\s.\-]?\d{2}){4}(?:\D|$)",
    r"(?:^|\D)[1-478](?:[\s.]?\d){4}[\s.]?(?:\d{2}|2[ABab])(?:[\s.]?\d){6}(?:[\s.]?\d{2})?(?:\D|$)",
)


def refuse_leaks(frame: pl.DataFrame, table: str) -> None:
    """Raise :class:`ContractRefusal` naming the columns whose values look like direct identifiers."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    found = [name for name in texts if _holds_identifier(frame[name])]
    if found:
        raise ContractRefusal(
            f"Une valeur ressemble à un NIR, un téléphone ou un courriel : {', '.join(found)}.",
            ou=f"table {table}",
            que_faire="Corriger cette colonne à la source : rien n'a été livré.",
        )


def _holds_identifier(values: pl.Series) -> bool:
    different = values.drop_nulls().unique()
    plain = different.filter(~different.str.contains(_HASHED))
    return any(plain.str.contains(pattern).any() for pattern in _SUSPECT)
