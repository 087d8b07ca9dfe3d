"""What may name somebody has no place in a delivery: it is refused before a row of it is kept."""

from pathlib import Path
from typing import Final

import polars as pl

from pipelines.identifiers import leaks
from pipelines.ingest.manifest import Delivery
from pipelines.refusals import ContractRefusal
from schemas import Table
from schemas.fields import TOKEN_COLUMNS
from schemas.kinds import TOKEN

TAKE_AWAY: Final = (
    "Retirer cette livraison du dépôt sans l'ouvrir, prévenir le partenaire et le délégué à la protection "
    "des données ; le partenaire corrige à la source, puis livre de nouveau."
)


def refuse_smuggled(rows: pl.DataFrame, table: Table) -> None:
    """Hold a delivered file (strings and ``ligne``) free of identifiers; raise :class:`ContractRefusal`."""
    leaks.refuse(leaks.scan_delivered(rows, table).leaks(), f"table {table.name}", TAKE_AWAY)


def refuse_clear_identities(delivery: Delivery, table: Table) -> None:
    """Hold the identity file of a table to its columns and its tokens to their form, read past, never kept.

    Raises :class:`ContractRefusal` naming columns and numbers of lines. A file that is gone holds nothing.
    """
    path = delivery.file_of(table.identite_name)
    if path is None or not path.is_file():
        return
    if faults := _unknown_columns(path, table) or _clear_values(path, table):
        raise ContractRefusal(
            f"Un fichier d'identité porte autre chose que des jetons : {' ; '.join(faults)}.",
            ou=f"{delivery.where}/{path.name}",
            que_faire=TAKE_AWAY,
        )


def _unknown_columns(path: Path, table: Table) -> list[str]:
    """A column too many is told by its number: its name may be somebody's."""
    found = pl.scan_parquet(path, glob=False).collect_schema().names()
    return [f"colonne n° {n} inconnue" for n, c in enumerate(found, 1) if c not in table.identite_columns]


def _clear_values(path: Path, table: Table) -> list[str]:
    """Tokens are tokens, one column at a time: a million persons weigh 50 MB a column."""
    file = pl.scan_parquet(path, glob=False)
    present = [c for c in (table.key[0], *TOKEN_COLUMNS) if c in file.collect_schema().names()]
    is_clear = [~pl.col(c).cast(pl.String).str.contains(TOKEN) for c in present]
    counts = file.select(clear.sum() for clear in is_clear).collect(engine="streaming").row(0)
    return [f"{c} ({n} ligne(s))" for c, n in zip(present, counts, strict=True) if n]
