"""The truth kept beside the extracts and never delivered: who each record is, what each household is owed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.synthetic.extracts import Scene

MARKED = 500
"""Persons whose delivered strings are kept, to search for leaks anywhere downstream."""

IDENTIFYING = ("nir", "nom_naissance", "nom_usage", "telephone", "courriel")
SHORTEST_MARK = 5
"""A shorter string would be found by chance in any file."""

RECORDS = {"partenaire": pl.String, "table": pl.String, "id": pl.String, "personne": pl.Int64}


def records(partner: str, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """partenaire, table, id, personne: the person behind each identified row of a partner's tables."""
    found = [
        frame.select(
            partenaire=pl.lit(partner), table=pl.lit(name), id=pl.col(_identifier(frame)), personne="personne"
        )
        for name, frame in tables.items()
        if "personne" in frame.columns and "nom_naissance" in frame.columns and _identifier(frame)
    ]
    return pl.concat(found).unique().sort("table", "id") if found else pl.DataFrame(schema=RECORDS)


def marks(rng: np.random.Generator, delivered: Sequence[tuple[str, str, pl.DataFrame]]) -> pl.DataFrame:
    """personne, partenaire, table, colonne, valeur: the exact strings of the marked persons, as delivered."""
    rows = (
        pl.concat([_strings(*one) for one in delivered], how="vertical")
        .unique()
        .sort("personne", "partenaire", "table", "colonne", "valeur")
    )
    known = rows["personne"].unique(maintain_order=True)
    consenting = rows.filter(pl.col("partenaire") == "cellule")["personne"].unique(maintain_order=True)
    half = consenting.sample(min(MARKED // 2, len(consenting)), seed=int(rng.integers(2**31)))
    others = known.filter(~known.is_in(half.implode()))
    rest = others.sample(min(MARKED - len(half), len(others)), seed=int(rng.integers(2**31)))
    return rows.filter(pl.col("personne").is_in(pl.concat([half, rest]).implode()))


def write_truth(
    folder: Path, scene: Scene, record_rows: pl.DataFrame, marked: pl.DataFrame, rates: pl.DataFrame
) -> None:
    """Write the Parquet files of ``verite/``."""
    world = scene.world
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "enregistrements": record_rows,
        "personnes": world.personnes.join(
            scene.identities.drop("sexe", "lieu_naissance", "date_naissance"),
            on="personne",
            maintain_order="left",
        ),
        "menages": world.menages_mois,
        "membres": world.membres,
        "droits": world.droits,
        "dossiers": world.dossiers,
        "taux": rates,
        "marques": marked,
    }
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")


def _identifier(frame: pl.DataFrame) -> str:
    return next((name for name in ("personne_id", "consentement_id") if name in frame.columns), "")


def _strings(partner: str, table: str, frame: pl.DataFrame) -> pl.DataFrame:
    columns = [name for name in IDENTIFYING if name in frame.columns]
    return (
        frame.select("personne", *columns)
        .unpivot(index="personne", on=columns, variable_name="colonne", value_name="valeur")
        .filter(pl.col("valeur").str.len_chars() >= SHORTEST_MARK)
        .select(
            "personne", pl.lit(partner).alias("partenaire"), pl.lit(table).alias("table"), "colonne", "valeur"
        )
    )
