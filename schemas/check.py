"""Hold a delivered or nominative table against the contract: typed rows, rows set aside, unknown codes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce

import pandera.polars as pa
import polars as pl

from pipelines.calendar import window
from pipelines.refusals import ContractRefusal
from schemas.fields import delivered_kind_of, kind_of, list_of, metadata_of
from schemas.kinds import COMMUNE_INSEE, FLAG_UNKNOWN, MOIS, MONTANT, Kind
from schemas.nomenclatures import nomenclature
from schemas.reading import ANOMALY, LINE
from schemas.tables import Table, Variant

Communes = Mapping[str, str] | Set[str] | None
"""Communes of the COG of the year: a set of codes, or a mapping of old codes to the present ones."""

RULE = "regle"
OTHER_CODE = "(autre)"
"""How an unknown code that does not look like a code is reported: it may be anything."""

_SHORT_CODE = r"^[A-Z0-9]{1,4}$"
_RAW = "@ecrit"


@dataclass(frozen=True)
class Checked:
    """What a table gives once held against the contract.

    ``accepted`` has the typed columns of the form (no line number); ``rejected`` has one row per line set
    aside, with the first rule it breaks. ``unknown_codes``: column → code → rows that break no rule of their
    own and hold it. ``implausible``: identity column → such rows with that field counted as missing. Printing
    it shows no row.
    """

    accepted: pl.DataFrame = field(repr=False)
    rejected: pl.DataFrame = field(repr=False)
    unknown_codes: dict[str, dict[str, int]]
    implausible: dict[str, int]

    @property
    def received(self) -> int:
        """Rows in: accepted and set aside."""
        return self.accepted.height + self.rejected.height

    def rejected_by_rule(self) -> dict[str, int]:
        """Rows set aside, by rule code."""
        return by_rule(self.rejected)


def by_rule(rejected: pl.DataFrame) -> dict[str, int]:
    """Rows set aside, by rule code."""
    counts = rejected.group_by(RULE).len().sort(RULE)
    return dict(zip(counts[RULE].to_list(), counts["len"].to_list(), strict=True))


def merged_counts(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Column → code → rows, over several slices, in an order that says nothing of the file."""
    total: dict[str, Counter[str]] = {}
    for part in parts:
        for column, counts in part.items():
            total.setdefault(column, Counter()).update(counts)
    return {column: dict(sorted(total[column].items())) for column in sorted(total)}


def check(frame: pl.DataFrame, table: Table, variant: Variant, mois: str, communes: Communes) -> Checked:
    """Hold ``frame`` (strings and ``ligne``, from :func:`schemas.reading.read_strings`) against the contract.

    ``mois`` is the month of the extract; ``communes`` None checks the shape of commune codes only.
    Raises :class:`ContractRefusal` for a missing or unknown column.
    """
    columns = table.columns_of(variant)
    judged = _judged(frame, table, variant, mois, communes)
    sound = judged.filter(pl.col(RULE).is_null())
    repeated = doubles(sound, table.key_of(variant), columns)
    judged = _companions_set_aside(_with_verdicts(judged, repeated), table)
    kept = judged.filter(pl.col(RULE).is_null())
    return Checked(
        accepted=_validated(kept.select(columns), table, variant),
        rejected=judged.filter(pl.col(RULE).is_not_null()).select(LINE, RULE).sort(LINE),
        unknown_codes=_unknown_codes(sound, columns),
        implausible=_implausible(sound, columns, table),
    )


def check_slice(
    frame: pl.DataFrame, table: Table, variant: Variant, mois: str, communes: Communes
) -> Checked:
    """Hold a part of a file against the rules of a row: those between rows (:func:`doubles`) are left to do.

    ``accepted`` keeps ``ligne`` besides the typed columns. Not for a table whose rows go together
    (``solidaire``). Raises :class:`ContractRefusal` as :func:`check`.
    """
    columns = table.columns_of(variant)
    judged = _judged(frame, table, variant, mois, communes)
    sound = judged.filter(pl.col(RULE).is_null())
    _validated(sound.select(columns), table, variant)
    return Checked(
        accepted=sound.select(LINE, *columns),
        rejected=judged.filter(pl.col(RULE).is_not_null()).select(LINE, RULE),
        unknown_codes=_unknown_codes(sound, columns),
        implausible=_implausible(sound, columns, table),
    )


def doubles(rows: pl.DataFrame, key: Sequence[str], content: Sequence[str]) -> pl.DataFrame:
    """``ligne`` and ``regle`` of the rows to set aside among rows of one key.

    Exact repetitions of ``content``: the first line stays. Different rows of one key: none stays, none is
    surely right.
    """
    nothing = pl.DataFrame(schema={LINE: pl.Int64, RULE: pl.String})
    if not key:
        return nothing
    doubled = rows.filter(rows.select(key).is_duplicated()).sort(LINE)
    first = doubled.unique([*key, *content], keep="first", maintain_order=True)
    conflicting = first.filter(first.select(key).is_duplicated())
    verdicts = [
        conflicting.select(LINE, pl.lit("cle_double").alias(RULE)),
        doubled.join(first, on=LINE, how="anti").select(LINE, pl.lit("doublon").alias(RULE)),
    ]
    return pl.concat([nothing, *verdicts])


def _judged(
    frame: pl.DataFrame, table: Table, variant: Variant, mois: str, communes: Communes
) -> pl.DataFrame:
    columns = table.columns_of(variant)
    refuse_columns([c for c in frame.columns if c not in (LINE, ANOMALY)], table, variant)
    wide = _typed(_cleaned(frame, columns), columns, variant, mois, communes)
    return wide.with_columns(_first_rule(table, variant, mois).alias(RULE))


def refuse_columns(found: list[str], table: Table, variant: Variant) -> None:
    """Raise :class:`ContractRefusal` naming the columns that are missing or unknown (order is free)."""
    expected = table.columns_of(variant)
    unknown = [c for c in found if c not in expected]
    missing = [c for c in expected if c not in found]
    if unknown and len(unknown) == len(found):
        raise ContractRefusal(
            "La première ligne n'est pas l'en-tête attendu : aucune colonne du contrat n'y figure.",
            ou=f"table {table.name}",
            que_faire="Vérifier que le fichier commence par les noms des colonnes et qu'il est le bon.",
        )
    if unknown:
        raise ContractRefusal(
            f"Colonne inconnue du contrat : {', '.join(_column_said(c, found) for c in unknown)}.",
            ou=f"table {table.name}",
            que_faire="Retirer cette colonne du fichier : elle pourrait porter un identifiant.",
        )
    if missing:
        raise ContractRefusal(
            f"Colonne absente : {', '.join(missing)}.",
            ou=f"table {table.name}",
            que_faire="Ajouter la colonne, vide si l'information est inconnue.",
        )


def _column_said(name: str, found: list[str]) -> str:
    """A column is named, unless its name could itself be an identifier."""
    harmless = sum(character.isdigit() for character in name) < 5 and "@" not in name and len(name) <= 40
    return f"« {name} »" if harmless and name.isprintable() else f"n° {found.index(name) + 1}"


def _cleaned(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    trimmed = [pl.col(c).cast(pl.String).str.strip_chars() for c in columns]
    empty_is_unknown = [
        pl.when(t != "").then(t).alias(c + _RAW) for c, t in zip(columns, trimmed, strict=True)
    ]
    anomaly = pl.col(ANOMALY) if ANOMALY in frame.columns else pl.lit(None, pl.String).alias(ANOMALY)
    return frame.select(LINE, anomaly, *empty_is_unknown)


def _typed(
    raw: pl.DataFrame, columns: tuple[str, ...], variant: Variant, mois: str, communes: Communes
) -> pl.DataFrame:
    return raw.with_columns(_value(c, variant, mois, communes).alias(c) for c in columns)


def _value(name: str, variant: Variant, mois: str, communes: Communes) -> pl.Expr:
    """The typed value of a column; null when the cell is empty or not of its kind."""
    text, marks = pl.col(name + _RAW), metadata_of(name)
    if marks.get("sans_reponse"):
        text = pl.when(~text.is_in(FLAG_UNKNOWN)).then(text)
    kind = _kind(name, variant)
    value = kind.convert(text)
    if kind is COMMUNE_INSEE:
        value = _present_commune(value, communes)
    if marks.get("liste"):
        value = _repaired_code(value, marks["liste"])
    if marks.get("tolere"):
        value = _plausible(name, value, mois)
    return value.cast(kind.dtype)


def _kind(name: str, variant: Variant) -> Kind:
    return kind_of(name) if variant == "nominative" else delivered_kind_of(name)


def _present_commune(code: pl.Expr, communes: Communes) -> pl.Expr:
    if communes is None:
        return code
    if isinstance(communes, Mapping):
        return code.replace_strict(dict(communes), default=None, return_dtype=pl.String)
    return pl.when(code.is_in(list(communes))).then(code)


def _repaired_code(code: pl.Expr, liste: str) -> pl.Expr:
    """Leading zeros eaten by a spreadsheet are put back, when the list has one width."""
    width = nomenclature(liste).width
    if width is None:
        return code
    padded = code.str.zfill(width)
    return pl.when(padded.is_in(list(nomenclature(liste).codes))).then(padded).otherwise(code)


_PLAUSIBLE_TEXT = {
    "nir": r"^[0-9AaBb \-./]{13,25}$",
    "lieu_naissance": r"^(\d{5}|2[AB]\d{3})$",
}


def _plausible(name: str, value: pl.Expr, mois: str) -> pl.Expr:
    """Identity fields: what cannot be true is missing, the row stays."""
    if name in _PLAUSIBLE_TEXT:
        return pl.when(value.str.contains(_PLAUSIBLE_TEXT[name])).then(value)
    if name == "sexe":
        return pl.when(value.is_in(["1", "2"])).then(value)
    if name == "date_naissance":
        return pl.when(_possible_birth(value, int(mois[:4]))).then(value)
    if bounds := metadata_of(name).get("bornes"):
        return pl.when(value.is_between(*bounds)).then(value)
    return value


def _possible_birth(text: pl.Expr, latest: int) -> pl.Expr:
    """AAAA-MM-JJ, 00 or 99 for an unknown month or day, a year between 1890 and the extract's."""
    shape = text.str.contains(r"^\d{4}-(0\d|1[0-2]|99)-([0-2]\d|3[01]|99)$")
    year = text.str.slice(0, 4).cast(pl.Int32, strict=False)
    return shape & year.is_between(1890, latest)


def _first_rule(table: Table, variant: Variant, mois: str) -> pl.Expr:
    """Code of the first rule a row breaks, null when it breaks none."""
    columns = table.columns_of(variant)
    broken = [("cle_vide:" + c, pl.col(c + _RAW).is_null()) for c in table.required_of(variant)]
    for name in columns:
        broken += _column_rules(name, table, mois)
    broken += [(rule.code, rule.broken) for rule in table.rules if set(rule.columns) <= set(columns)]
    rules = [pl.when(condition).then(pl.lit(code)) for code, condition in broken]
    return pl.coalesce(pl.col(ANOMALY), *rules)


def _column_rules(name: str, table: Table, mois: str) -> list[tuple[str, pl.Expr]]:
    if _is_tolerant(name, table):
        return []
    rules = [(_type_rule(name), _unreadable(name))]
    kind, bounds = kind_of(name), metadata_of(name).get("bornes")
    if kind is MONTANT:
        rules.append((f"negatif:{name}", pl.col(name) < 0))
    if bounds:
        rules.append((f"hors_bornes:{name}", ~pl.col(name).is_between(*bounds)))
    if name == "mois" and kind is MOIS:
        rules.append((f"fenetre:{name}", ~pl.col(name).is_in(window(mois))))
    return rules


def _type_rule(name: str) -> str:
    return f"commune:{name}" if kind_of(name) is COMMUNE_INSEE else f"type:{name}"


def _unreadable(name: str) -> pl.Expr:
    written = pl.col(name + _RAW).is_not_null()
    if metadata_of(name).get("sans_reponse"):
        written &= ~pl.col(name + _RAW).is_in(FLAG_UNKNOWN)
    return written & pl.col(name).is_null()


def _is_tolerant(name: str, table: Table) -> bool:
    """Identity fields, and the commune of a person: never a reason to set a row aside."""
    return bool(metadata_of(name).get("tolere")) or (name == "commune_insee" and table.est_identite)


def _companions_set_aside(judged: pl.DataFrame, table: Table) -> pl.DataFrame:
    """A doubtful event of a consent takes the whole consent with it: a lost withdrawal would be worse."""
    if table.solidaire is None:
        return judged
    group = pl.col(table.solidaire)
    doubtful = judged.filter(pl.col(RULE).is_not_null()).select(group).drop_nulls().to_series()
    companions = judged.filter(group.is_in(doubtful.implode()))
    return _with_verdicts(judged, companions.select(LINE, pl.lit("solidaire").alias(RULE)))


def _with_verdicts(judged: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    if verdicts.is_empty():
        return judged
    joined = judged.join(verdicts, on=LINE, how="left", maintain_order="left", suffix="_entre_lignes")
    return joined.with_columns(pl.coalesce(RULE, f"{RULE}_entre_lignes").alias(RULE)).drop(
        f"{RULE}_entre_lignes"
    )


def _validated(accepted: pl.DataFrame, table: Table, variant: Variant) -> pl.DataFrame:
    """The Pandera schema has the last word on an *eager* frame; a failure here is a fault of the program."""
    schema = table.schema(variant)
    if schema is None:
        raise ValueError(f"{table.name} has no {variant} form")
    try:
        schema.validate(accepted)
    except (pa.errors.SchemaError, pa.errors.SchemaErrors):
        raise AssertionError(f"accepted rows of {table.name} break their own schema") from None
    return accepted


def _unknown_codes(kept: pl.DataFrame, columns: tuple[str, ...]) -> dict[str, dict[str, int]]:
    counted = {c: _unknown_in(kept, c, str(list_of(c))) for c in columns if list_of(c)}
    return {c: counts for c, counts in counted.items() if counts}


def _unknown_in(kept: pl.DataFrame, name: str, liste: str) -> dict[str, int]:
    unknown = kept.lazy().filter(~pl.col(name).is_in(list(nomenclature(liste).codes))).select(name)
    said = pl.when(pl.col(name).str.contains(_SHORT_CODE)).then(name).otherwise(pl.lit(OTHER_CODE))
    counts = unknown.group_by(said.alias("code")).len().sort("code").collect()
    return dict(zip(counts["code"].to_list(), counts["len"].to_list(), strict=True))


def _implausible(kept: pl.DataFrame, columns: tuple[str, ...], table: Table) -> dict[str, int]:
    tolerant = [c for c in columns if _is_tolerant(c, table)]
    if not tolerant:
        return {}
    counts = kept.select(_unreadable(c).sum().alias(c) for c in tolerant).row(0, named=True)
    return reduce(lambda kept, item: kept | {item[0]: int(item[1])} if item[1] else kept, counts.items(), {})
