"""One table on its way: encoded slice by slice, put aside by identifier, then written in order.

A slice gives one piece per bucket. A bucket holds every row of the identifiers that begin alike, so that the
rules between rows (rows of one key, one identity per person) and the order of the file are settled bucket
after bucket. Pieces hold keyed rows only, on the partner's disk, and are gone when the delivery ends.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.identifiers.leaks import Findings, scan
from pipelines.source import normalise
from pipelines.source import oppositions as opposing
from pipelines.source.amounts import amounts
from pipelines.source.coarsen import birth_columns, presence_columns, separation_columns
from pipelines.source.encode import MARKS, Encoder, identities_of_slice, tokens, without_borrowed
from pipelines.source.entry import communes
from pipelines.source.rekey import NATURES, Ways, rekeyed
from pipelines.territory import delivered_communes
from schemas import TABLES, Table
from schemas.check import Checked, check_slice, doubles
from schemas.reading import LINE, Slice, read_slice
from schemas.tables import IDENTITY

MOST_BUCKETS = 64
_CONTENT = "contenu"
_ROW_GROUP = 100_000
_OF_IDENTITY = "identite."
"""What marks, in a piece, the columns of the identity file."""

PLACES_OF_EVENTS = ("actions",)
"""Tables whose commune is nobody's home: it is delivered as it is."""


def nothing() -> pl.Series:
    """No text."""
    return pl.Series(dtype=pl.String)


@dataclass(frozen=True, eq=False)
class Work:
    """What a process must know of one table. ``graine``: of this run, what contents are hashed with.

    ``territoire``: the reference that says which small communes are delivered under one name.
    """

    name: str
    mois: str
    encoder: Encoder
    folder: Path
    graine: int
    territoire: str
    buckets: int = 1
    refused: pl.Series = field(default_factory=nothing, repr=False)
    opposed: opposing.Opposed = opposing.NOBODY
    lent: pl.Series = field(default_factory=nothing, repr=False)

    @property
    def table(self) -> Table:
        """The table of the contract."""
        return TABLES[self.name]

    def pieces(self, bucket: str = "*") -> list[Path]:
        """The pieces of a bucket, or of all, in the order of the slices."""
        return sorted(self.folder.glob(f"{bucket}/*.arrow"))


@dataclass(frozen=True)
class Encoded:
    """What one slice gave besides its pieces: counts, ways back, who opposed, what is smuggled."""

    checked: Checked
    sound: int
    ways: Ways = field(repr=False)
    opposed: set[str] = field(repr=False)
    smuggled: Findings
    amounts: pl.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Sorted:
    """What one bucket gave besides its parts."""

    rejected: pl.DataFrame = field(repr=False)
    delivered: int
    withheld: int


def buckets_for(table: Table, slices: int) -> int:
    """A bucket is about a slice; one only when the first column is no keyed identifier."""
    if table.delivered_columns[0] not in NATURES:
        return 1
    return min(MOST_BUCKETS, 1 << (slices - 1).bit_length())


def encode_slice(asked: tuple[Work, int, Slice]) -> Encoded:
    """Read, check, rekey and encode one slice, and leave its pieces."""
    work, number, part = asked
    checked = check_slice(read_slice(part), work.table, "nominative", work.mois, communes())
    return encode_rows(work, number, checked)


def encode_rows(work: Work, number: int, checked: Checked) -> Encoded:
    """The same for rows already checked, with their line numbers."""
    rows, table = checked.accepted, work.table
    keyed, ways = rekeyed(rows, work.encoder)
    content = rows.drop(LINE).hash_rows(work.graine).alias(_CONTENT)
    delivered = _delivered(keyed, work).select(LINE, *table.delivered_columns).with_columns(content)
    whole = (
        pl.concat([delivered, _identity(keyed, work)], how="horizontal") if table.est_identite else delivered
    )
    _put_aside(whole, work, number)
    opposed = (
        opposing.recognised(keyed, table.key[0], work.refused, work.mois) if table.est_identite else set()
    )
    light = Checked(rows.clear(), checked.rejected, checked.unknown_codes, checked.implausible)
    return Encoded(light, rows.height, ways, opposed, scan(rows, table), amounts(rows, table))


def _delivered(keyed: pl.DataFrame, work: Work) -> pl.DataFrame:
    """The columns of the delivered form among others: birth and what is derived at source."""
    table = work.table
    born = normalise.birth("date_naissance", work.mois)
    with_birth = keyed.with_columns(birth_columns(born, work.mois)) if table.est_identite else keyed
    return _with_derived(with_birth, work) if "logement_id" in table.derived else with_birth


def _with_derived(frame: pl.DataFrame, work: Work) -> pl.DataFrame:
    address = frame.select(normalise.dwelling("adresse", "commune_insee")).to_series()
    dwelling = tokens(work.encoder.dwelling(work.mois), address).alias("logement_id")
    return frame.with_columns(dwelling, _born_in_france())


def _born_in_france() -> pl.Expr:
    """1 for a commune of the COG, 0 for a country 99xxx, null for anything else."""
    place = pl.col("lieu_naissance").str.strip_chars().str.to_uppercase()
    french = pl.when(place.is_in(list(communes()))).then(1).when(place.str.contains(r"^99\d{3}$")).then(0)
    return french.cast(pl.Int8).alias("ne_en_france")


def _coarse_columns(work: Work) -> list[pl.Expr]:
    """Stays, family dates and homes, no finer than :mod:`pipelines.source.coarsen` says."""
    table = work.table
    columns = presence_columns(work.mois) if "present_au" in table.own else []
    if "sitfam_date" in table.own:
        columns += separation_columns()
    if "commune_insee" in table.delivered_columns and work.name not in PLACES_OF_EVENTS:
        columns.append(pl.col("commune_insee").replace(delivered_communes(work.territoire)))
    return columns


def _identity(keyed: pl.DataFrame, work: Work) -> pl.DataFrame:
    """The columns of the identity file and the marks of lent numbers, under their prefix."""
    key = work.table.key[0]
    read = keyed.select(c for c in IDENTITY if c in keyed.columns)
    born = normalise.birth("date_naissance", work.mois)
    clear = keyed.select(key, "sexe", "commune_insee", naissance_annee=born.annee)
    encoded = identities_of_slice(read, work.encoder, work.mois, work.graine)
    whole = pl.concat([clear, encoded], how="horizontal").select(*work.table.identite_columns, *MARKS)
    return whole.rename(lambda name: _OF_IDENTITY + name)


def _put_aside(rows: pl.DataFrame, work: Work, number: int) -> None:
    """One piece per bucket; the first bucket always has one, so that an empty table has its columns."""
    first = pl.col(work.table.delivered_columns[0])
    begins = first.str.slice(0, 2).str.to_integer(base=16, strict=False).fill_null(0)
    bucket = begins * work.buckets // 256 if work.buckets > 1 else pl.lit(0)
    parts = rows.with_columns(bac=bucket).partition_by("bac", as_dict=True, include_key=False)
    for (name,), part in ({(0,): rows} | parts if rows.is_empty() else parts).items():
        path = work.folder / f"{name:03}" / f"{number:05}.arrow"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_ipc(path)


def identities_aside(work: Work) -> pl.LazyFrame:
    """What all the pieces of a table hold of the identity file, with its marks."""
    rows = pl.scan_ipc(work.pieces(), glob=False)
    names = [name for name in rows.collect_schema().names() if name.startswith(_OF_IDENTITY)]
    return work.opposed.withheld(rows, work.table).select(names).rename(_bare, strict=False)


def _bare(name: str) -> str:
    return name.removeprefix(_OF_IDENTITY)


def sort_bucket(asked: tuple[Work, str]) -> Sorted:
    """Settle the rows of one bucket: doubles, oppositions, order; leave its part of each delivered file."""
    work, bucket = asked
    table = work.table
    rows = pl.scan_ipc(work.pieces(bucket), glob=False).sort(LINE).collect()
    rejected = doubles(rows, table.key_of("nominative"), [_CONTENT])
    accepted = rows.join(rejected, on=LINE, how="anti") if rejected.height else rows
    kept = work.opposed.withheld(accepted, table)
    coarse = kept.with_columns(_coarse_columns(work))
    delivered = _validated(coarse.select(table.delivered_columns).sort(pl.all()), table, "delivered")
    delivered.write_ipc(work.folder / f"{table.name}-{bucket}.arrow")
    if table.est_identite:
        _one_each(kept, work).write_ipc(work.folder / f"{table.identite_name}-{bucket}.arrow")
    return Sorted(rejected, kept.height, accepted.height - kept.height)


def _one_each(rows: pl.DataFrame, work: Work) -> pl.DataFrame:
    """One identity per id: of its rows, the one that gives most tokens and filters, sorted by id."""
    table, key = work.table, work.table.key[0]
    encoded = rows.select(name for name in rows.columns if name.startswith(_OF_IDENTITY)).rename(_bare)
    whole = without_borrowed(encoded, work.lent).select(table.identite_columns)
    emptiness = pl.sum_horizontal(pl.all().exclude(key).is_null())
    fullest = whole.with_columns(vides=emptiness).sort(key, "vides", pl.all().exclude(key, "vides"))
    one_each = fullest.unique(key, keep="first", maintain_order=True).drop("vides")
    return _validated(one_each, table, "identite")


def _validated(frame: pl.DataFrame, table: Table, form: Any) -> pl.DataFrame:
    schema = table.schema(form)
    try:
        return frame if schema is None else schema.validate(frame)
    except Exception:
        raise AssertionError(f"{table.name}: the {form} form breaks its own schema") from None


def write_sorted(work: Work, name: str, path: Path) -> None:
    """One Parquet file of the parts, in order: the same rows give the same bytes, however they were cut."""
    parts = pl.scan_ipc(sorted(work.folder.glob(f"{name}-???.arrow")), glob=False)
    parts.sink_parquet(path, compression="zstd", row_group_size=_ROW_GROUP, maintain_order=True)
