"""The same pairs, blocked and scored in hand-written DuckDB SQL: what the linkage costs without Splink."""

import re
from math import log2
from typing import Any

import duckdb
import polars as pl

from pipelines.linkage.model import BLOCKING, COMPARISONS, case_expression
from pipelines.linkage.training import Model

_ABOUT_NIR = ("nir", "prenom_du_nir")


def score_by_hand(room: duckdb.DuckDBPyConnection, model: Model) -> pl.DataFrame:
    """gauche, droite, poids, poids_sans_nir, probabilite, motif (a number), regle (a number).

    Same rules, same conditions, same weights as :func:`pipelines.linkage.scoring.score` over the same table
    ``fiches``; a pair belongs to the first rule that finds it. Only the way of asking differs.
    """
    room.execute(f"CREATE OR REPLACE TEMP TABLE paires_a_la_main AS {_blocking()}")
    pairs: pl.DataFrame = room.sql(_scoring(model)).pl()
    room.execute("DROP TABLE paires_a_la_main")
    return pairs.sort("gauche", "droite")


def _blocking() -> str:
    """Every rule by its own equality join; a pair an earlier rule found is left to it."""
    found = []
    for number, rule in enumerate(BLOCKING):
        before = " OR ".join(f"coalesce({former.condition}, false)" for former in BLOCKING[:number])
        found.append(
            f"SELECT l.fiche AS gauche, r.fiche AS droite, {number}::TINYINT AS regle "  # noqa: S608
            f"FROM fiches l JOIN fiches r ON {rule.condition} "
            f"WHERE l.fiche < r.fiche AND NOT ({before or 'false'})"
        )
    return " UNION ALL ".join(found)


def _scoring(model: Model) -> str:
    learned = {one["output_column_name"]: _weights(one) for one in model.reglages["comparisons"]}
    cases = {spec.nom: case_expression(spec) for spec in COMPARISONS}
    prior = log2(model.prior / (1 - model.prior))
    weight = {nom: _case(nom, weights) for nom, weights in learned.items()}
    without = " + ".join(case for nom, case in weight.items() if nom not in _ABOUT_NIR)
    return (
        "SELECT gauche, droite, sans_nir + du_nir AS poids, sans_nir AS poids_sans_nir, "  # noqa: S608
        "1 / (1 + power(2::DOUBLE, -(sans_nir + du_nir))) AS probabilite, motif, regle FROM ("
        f"SELECT gauche, droite, regle, {prior}::DOUBLE + {without} AS sans_nir, "
        f"{' + '.join(weight[nom] for nom in _ABOUT_NIR)} AS du_nir, {_pattern(learned)} AS motif FROM ("
        f"SELECT gauche, droite, regle, {', '.join(f'{cases[nom]} AS {nom}' for nom in learned)} FROM ("
        f"SELECT gauche, droite, regle, {_sides(cases)} FROM paires_a_la_main "
        "JOIN fiches l ON l.fiche = gauche JOIN fiches r ON r.fiche = droite)))"
    )


def _weights(learned: dict[str, Any]) -> list[float]:
    """Bits of each level, from the worst to the best."""
    levels = [level for level in learned["comparison_levels"] if not level.get("is_null_level")]
    return [log2(level["m_probability"] / level["u_probability"]) for level in reversed(levels)]


def _case(nom: str, weights: list[float]) -> str:
    whens = " ".join(f"when {number} then {weight}" for number, weight in enumerate(weights))
    return f"(case {nom} {whens} else 0 end)::DOUBLE"


def _pattern(learned: dict[str, list[float]]) -> str:
    """The levels of a pair as one number, a digit per comparison, 0 being absent."""
    number = "0"
    for nom, weights in learned.items():
        number = f"({number} * {len(weights) + 1} + {nom} + 1)"
    return f"{number}::UINTEGER"


def _sides(cases: dict[str, str]) -> str:
    """The columns the conditions read, of both records."""
    read = sorted(set(re.findall(r"\b(\w+)_[lr]\b", " ".join(cases.values()))))
    return ", ".join(f"{side}.{column} AS {column}_{side}" for column in read for side in ("l", "r"))
