"""One person twice in a source under two identifiers: what exact evidence left apart, the model brings."""

import numpy as np
import polars as pl

from pipelines.linkage.chains import representatives
from pipelines.linkage.scoring import linkable, weight
from pipelines.linkage.sources import PERSON_SOURCES

Linkage = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


def merge(everyone: pl.DataFrame, records: pl.DataFrame, pairs: pl.DataFrame, threshold: float) -> Linkage:
    """The three frames with one record per person inside each source, renumbered from 0.

    A pair inside a source is one person when its weight is enough, its NIRs equal and its dates equal. Other
    heavy pairs inside a source stay: they tell how often the model is wrong. ``everyone``: a row per
    delivered person with its fiche. ``records``: a row per fiche, in order. ``pairs``: scored pairs.
    """
    same = _one_person(pairs, threshold)
    if same.is_empty():
        return everyone, records, pairs
    kept = representatives(records.height, same).to_numpy()
    number = np.cumsum(kept == np.arange(len(kept))) - 1
    fiche = pl.Series("fiche", number[kept], dtype=pl.Int64)
    return (
        everyone.with_columns(fiche=fiche.gather(everyone["fiche"])),
        _renumbered(records, fiche),
        _between(pairs, fiche),
    )


def _one_person(pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    inside = pairs.filter(pl.col("source_g") == pl.col("source_d"), pl.col("source_g").is_in(PERSON_SOURCES))
    return linkable(inside, "poids", weight(threshold)).filter(
        pl.col("motif").str.starts_with("nir:1 date:2 ")
    )


def _renumbered(records: pl.DataFrame, fiche: pl.Series) -> pl.DataFrame:
    return records.with_columns(fiche=fiche.gather(records["fiche"])).unique(
        "fiche", keep="first", maintain_order=True
    )


def _between(pairs: pl.DataFrame, fiche: pl.Series) -> pl.DataFrame:
    """Pairs of the records kept: of several pairs become one, the heaviest."""
    moved = pairs.with_columns(
        gauche=fiche.gather(pairs["gauche"]), droite=fiche.gather(pairs["droite"])
    ).filter(pl.col("gauche") != pl.col("droite"))
    return moved.sort("gauche", "droite", "poids", descending=[False, False, True]).unique(
        ["gauche", "droite"], keep="first", maintain_order=True
    )
