"""Every compared pair with its weight, between the sources and inside them."""

from math import log2
from typing import Any

import duckdb
import polars as pl

from pipelines.linkage.model import BLOCKING
from pipelines.linkage.training import Model, linker_of


def score(room: duckdb.DuckDBPyConnection, model: Model, sources: list[str]) -> pl.DataFrame:
    """Pairs gauche, droite, source_g, source_d, poids, poids_sans_nir, probabilite, motif, regle, a_jumeaux.

    ``gauche``, ``droite``: record numbers, gauche < droite; weights in bits. Pairs inside a source are scored
    too: they link nobody, they tell how often the model is wrong. ``a_jumeaux``: one birth date and two given
    names. Twins share all the rest, so no weight can tell such a pair from a match; only the NIR can.
    """
    settings: dict[str, Any] = model.reglages | {"link_type": "link_and_dedupe"}
    linker = linker_of(room, sources, settings, "score")
    predicted = linker.inference.predict(warning_mode="never")
    rules = ", ".join(f"'{rule.nom}'" for rule in BLOCKING)
    pattern = " || ' ' || ".join(_level(learned) for learned in settings["comparisons"])
    frame: pl.DataFrame = room.sql(
        f"SELECT fiche_l AS gauche, fiche_r AS droite, source_dataset_l AS source_g, "  # noqa: S608
        "source_dataset_r AS source_d, match_weight AS poids, "
        "match_weight - mw_nir - mw_prenom_du_nir AS poids_sans_nir, "
        f"match_probability AS probabilite, {pattern} AS motif, "
        f"[{rules}][match_key::INTEGER + 1] AS regle, contains(motif, 'prenoms:0') AS a_jumeaux "
        f"FROM {predicted.physical_name}"
    ).pl()
    predicted.drop_table_from_database_and_remove_from_cache()
    return _left_to_right(frame)


def linkable(pairs: pl.DataFrame, by: str, least: float) -> pl.DataFrame:
    """The pairs heavy enough to be one person, ``by`` being ``poids`` or ``poids_sans_nir`` (bits).

    Possible twins are left out unless their NIRs are equal and seen.
    """
    same_nir = pl.col("motif").str.contains("nir:1", literal=True) & (by == "poids")
    return pairs.filter((pl.col(by) >= least) & (~pl.col("a_jumeaux") | same_nir))


def weight(probability: float) -> float:
    """Match weight, in bits, of a probability."""
    return log2(probability / (1 - probability))


def _level(learned: dict[str, Any]) -> str:
    """SQL writing « nir:1 »: Splink gives back the weight of a level, not its number, « . » being absent."""
    name = learned["output_column_name"]
    levels = [level for level in learned["comparison_levels"] if not level.get("is_null_level")]
    weights = [log2(level["m_probability"] / level["u_probability"]) for level in levels]
    whens = [f"when abs(mw_{name} - {w}) < 1e-9 then {len(weights) - 1 - n}" for n, w in enumerate(weights)]
    return f"'{name}:' || coalesce((case when mw_{name} = 0 then null {' '.join(whens)} end)::VARCHAR, '.')"


def _left_to_right(frame: pl.DataFrame) -> pl.DataFrame:
    swapped = pl.col("gauche") > pl.col("droite")
    pairs = (("gauche", "droite"), ("source_g", "source_d"))
    return frame.with_columns(
        pl.when(swapped).then(pl.col(second if side == 0 else first)).otherwise(pl.col(name)).alias(name)
        for first, second in pairs
        for side, name in enumerate((first, second))
    ).sort("gauche", "droite")
