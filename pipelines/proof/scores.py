"""How each method did in each world, and whether the goals are reached."""

from typing import Any

import polars as pl

from pipelines.proof.judging import BY_INCOMES, NAIVE, Verdict
from pipelines.proof.worlds import EXPECTED_TO_BREAK, HARDER, SCENARIOS, WORLDS

VERIFIED_COVERAGE, UNVERIFIED_COVERAGE = 0.93, 0.90
LARGEST_BIAS, LARGEST_BIAS_IF_WRONG, NAIVE_MISSES_BY = 1.5, 2.0, 4.0
"""Points of percentage."""

METHODS = {
    ("naif", False): "Naïf",
    ("caf_seule", False): "CAF seule",
    ("revenus", False): "Corrigé, non vérifié",
    ("revenus", True): "Corrigé, vérifié",
    ("classes", False): "Par classes, non vérifié",
    ("classes", True): "Par classes, vérifié",
}

_GROUPS = {"scenario": SCENARIOS, "plus_dur": HARDER, "pour_casser": EXPECTED_TO_BREAK}


def scores(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """One entry per world: nom, genre, taux_vrai (points), methodes, objectifs (reached or not)."""
    frame = pl.DataFrame(verdicts, infer_schema_length=None)
    return [_world(name, frame.filter(monde=name)) for name in WORLDS if name in frame["monde"]]


def _world(name: str, frame: pl.DataFrame) -> dict[str, Any]:
    methods = _methods(frame)
    return {
        "monde": name,
        "nom": WORLDS[name].nom,
        "genre": next(kind for kind, worlds in _GROUPS.items() if name in worlds),
        "taux_vrai": round(100 * float(str(frame["vrai"].mean())), 2),
        "methodes": methods,
        "objectifs": _goals(name, methods),
    }


def table(world: dict[str, Any]) -> pl.DataFrame:
    """The methods of one world, in words, for the console."""
    rows = [
        {
            "méthode": METHODS[row["methode"], row["verifie"]],
            "biais": row["biais"],
            "± hasard": row["erreur_biais"],
            "reqm": row["reqm"],
            "couverture": row["couverture"],
            "largeur": row["largeur"],
        }
        for row in world["methodes"]
    ]
    return pl.DataFrame(rows)


def _methods(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """methode, verifie, repetitions, biais ± erreur_biais, reqm, largeur (points), couverture (0 to 1)."""
    error = 100 * (pl.col("estime") - pl.col("vrai"))
    inside = pl.col("vrai").is_between("bas", "haut")
    found = frame.group_by("methode", "verifie", maintain_order=True).agg(
        repetitions=pl.len(),
        biais=error.mean().round(2),
        erreur_biais=(1.96 * error.std() / pl.len().sqrt()).round(2),
        reqm=(error**2).mean().sqrt().round(2),
        couverture=inside.mean().round(3),
        largeur=(100 * (pl.col("haut") - pl.col("bas"))).mean().round(2),
    )
    return found.to_dicts()


def _goals(name: str, methods: list[dict[str, Any]]) -> dict[str, bool]:
    """The goals are about the published form; the naive rate must miss, so that the test can fail."""
    published = {row["verifie"]: row for row in methods if row["methode"] == BY_INCOMES}
    naive = next(row for row in methods if row["methode"] == NAIVE)
    largest = LARGEST_BIAS_IF_WRONG if WORLDS[name].wrong_answers else LARGEST_BIAS
    return {
        "couverture_verifiee": published[True]["couverture"] >= VERIFIED_COVERAGE,
        "biais_verifie": abs(published[True]["biais"]) <= largest,
        "couverture_non_verifiee": published[False]["couverture"] >= UNVERIFIED_COVERAGE,
        "le_naif_se_trompe": abs(naive["biais"]) >= NAIVE_MISSES_BY,
    }
