"""Splink on labelled records: learn without the labels, compare, and count against the truth."""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from splink import Linker, SettingsCreator
from splink.backends.duckdb import DuckDBAPI

from bench.appariement.donnees import DataSet
from pipelines.linkage.model import Comparison, Rule, comparison

RANDOM_PAIRS = 4_000_000
ENOUGH_PAIRS = 200
THRESHOLD = 0.95


@dataclass(frozen=True)
class Specification:
    """What is compared and met; ``certaines``: conditions sure enough to count matches; ``apprentissage``:
    conditions whose pairs teach m."""

    comparaisons: tuple[Comparison, ...]
    blocage: tuple[Rule, ...]
    certaines: tuple[str, ...]
    apprentissage: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """Against the truth, pairs of records of two sources. ``atteintes``: share of true pairs compared."""

    precision: float
    rappel: float
    f1: float
    f1_meilleur: float
    atteintes: float
    paires: int


def learn_and_score(
    records: pl.DataFrame, sources: list[str], model: Specification, seed: int
) -> pl.DataFrame:
    """gauche, droite, probabilite, poids, jumeaux: every pair met, between sources and inside them."""
    with duckdb.connect() as room:
        room.register("_fiches", records.to_arrow())
        room.execute("CREATE TABLE fiches AS SELECT * FROM _fiches ORDER BY fiche")
        settings = _learned(room, sources, model, seed)
        api = DuckDBAPI(room)
        whole = Linker(api.register("fiches"), settings | {"link_type": "dedupe_only"}, log_level=None)
        predicted = whole.inference.predict(warning_mode="never").physical_name
        worst = _weight_of_worst(settings, "prenoms")
        pairs: pl.DataFrame = room.sql(
            "SELECT fiche_l AS gauche, fiche_r AS droite, match_probability AS probabilite, "  # noqa: S608
            f"match_weight AS poids, abs(mw_prenoms - {worst}) < 1e-9 AND mw_nir <= 0 AS jumeaux "
            f"FROM {predicted}"
        ).pl()
    return pairs


def judged(pairs: pl.DataFrame, data: DataSet) -> Quality:
    """Quality of the links made of ``pairs`` (gauche, droite, probabilite, poids, jumeaux)."""
    who = data.fiches.select("fiche", "personne", "source")
    both = pairs.join(who, left_on="gauche", right_on="fiche").join(
        who, left_on="droite", right_on="fiche", suffix="_d"
    )
    crossing = both.filter(pl.col("source") != pl.col("source_d")).with_columns(
        vrai=pl.col("personne") == pl.col("personne_d")
    )
    total, told = data.true_pairs(), crossing.filter(~pl.col("jumeaux"))
    made = told.filter(pl.col("probabilite") >= THRESHOLD)
    right = int(made["vrai"].sum())
    return Quality(
        right / max(made.height, 1), right / total, 2 * right / (made.height + total),
        _best_f1(told, total), int(crossing["vrai"].sum()) / total, crossing.height,
    )  # fmt: skip


def _best_f1(told: pl.DataFrame, total: int) -> float:
    right = told.sort("poids", descending=True)["vrai"].cast(pl.Int64).cum_sum().to_numpy()
    return float((2 * right / (np.arange(1, len(right) + 1) + total)).max(initial=0.0))


def _learned(
    room: duckdb.DuckDBPyConnection, sources: list[str], model: Specification, seed: int
) -> dict[str, Any]:
    for name in sources:
        room.execute(f"CREATE VIEW f_{name} AS SELECT * EXCLUDE (source) FROM fiches WHERE source = '{name}'")  # noqa: S608
    api = DuckDBAPI(room)
    tables = [
        api.register(f"f_{name}", dataset_display_name=name, table_name=f"t_{name}") for name in sources
    ]
    linker = Linker(tables, _settings(model), log_level=None)
    linker.training.estimate_probability_two_random_records_match(list(model.certaines), recall=0.95)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed)
    for rule in model.apprentissage:
        if _pairs(room, rule) >= ENOUGH_PAIRS:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return _settled(linker.misc.save_model_to_json(), model.comparaisons)


def _pairs(room: duckdb.DuckDBPyConnection, rule: str) -> int:
    query = f"SELECT count(*) FROM fiches l JOIN fiches r ON {rule} AND l.source < r.source"  # noqa: S608
    return int(room.sql(query).fetchall()[0][0])


def _settings(model: Specification) -> SettingsCreator:
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="fiche",
        comparisons=[comparison(spec) for spec in model.comparaisons],
        blocking_rules_to_generate_predictions=[{"blocking_rule": rule.condition} for rule in model.blocage],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
        max_iterations=40,
    )


def _settled(settings: dict[str, Any], comparisons: tuple[Comparison, ...]) -> dict[str, Any]:
    """A level never observed keeps its starting value."""
    starts = {spec.nom: spec.niveaux for spec in comparisons}
    for learned in settings["comparisons"]:
        levels = [level for level in learned["comparison_levels"] if not level.get("is_null_level")]
        for level, start in zip(levels, starts[learned["output_column_name"]], strict=True):
            for name, value in (("m_probability", start.m), ("u_probability", start.u)):
                kept = level.get(name)
                level[name] = min(max(kept if isinstance(kept, float) else value, 1e-11), 1 - 1e-11)
    return settings


def _weight_of_worst(settings: dict[str, Any], name: str) -> float:
    learned = next(c for c in settings["comparisons"] if c["output_column_name"] == name)
    worst = learned["comparison_levels"][-1]
    return float(np.log2(worst["m_probability"] / worst["u_probability"]))
