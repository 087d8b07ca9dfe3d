"""How far they went: never asked, asked, interrupted, with the interval of each.

Whoever is absent from the CAF never asked; the others have a file that says. Of the households of A2 some are
not entitled: those estimated to be follow the files of their class.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Estimate, counts, interval
from pipelines.estimation.evidence import RESTING, Reading
from pipelines.estimation.groups import misread
from pipelines.estimation.rows import A1, ENTITLED, NONTAKER, Right, Row, reliability, row

_PATHS = {
    "chemin:primaire": ("dossier", "primaire"),
    "chemin:secondaire": ("dossier", "secondaire"),
    "etape:jamais_demande": ("chemin", "jamais_demande"),
    "etape:refuse": ("chemin", "refuse"),
    "etape:clos": ("chemin", "clos"),
    "etape:declaration_manquante": ("chemin", "declaration_manquante"),
}
"""Column and value of each row: « chemin » in two parts, « etape » in four."""

_OF_THE_ABSENT = ("chemin:primaire", "etape:jamais_demande")
_A2 = pl.col("strate") == "A2"
_COUNTED = A1 & ENTITLED & (NONTAKER | (pl.col("situation") == "recourant"))


def steps(right: Right, level: float, generator: np.random.Generator) -> Iterator[Row]:
    """Rows of ``out__taux``, observed and corrected: households that stopped there, out of all entitled
    ones."""
    money = pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    whole = right.reading.weight(_COUNTED)
    for groupe, (column, value) in _PATHS.items():
        path = pl.col(column) == value
        here = right.reading.households.filter(A1 & NONTAKER & path)
        counted, euros = float(here["poids"].sum()), float(here.select(money.sum()).item() or 0.0)
        yield {"niveau": "EPCI", "groupe": groupe} | row("observe", counted, whole, euros)
        if right.result is not None:
            figures = _corrected(right, right.result, groupe, path, (counted, euros), level, generator)
            yield {"niveau": "EPCI", "groupe": groupe} | figures


def _corrected(
    right: Right,
    result: Estimate,
    groupe: str,
    path: pl.Expr,
    found: tuple[float, float],
    level: float,
    generator: np.random.Generator,
) -> Row:
    """``found``: households of A1 counted there, and their euros a month."""
    counted, euros = found
    read = misread(np.array([counted]), 1 - right.sensitivity, result.drawn.coverage.size, generator)[:, 0]
    share, part = _a2_share(right.reading, path), float(groupe in _OF_THE_ABSENT)
    drawn = read + part * result.drawn.x.sum(axis=1) + result.drawn.a2 @ share
    elsewhere = part * result.central.x[0] + result.central.a2[0] * share
    _, households = counts(right.evidence, result.drawn)
    figures = row(
        "corrige",
        counted + float(elsewhere.sum()),
        result.eligible,
        euros + float(elsewhere @ right.evidence.mean_unclaimed_eur_mois),
    )
    centre = (counted + float(elsewhere.sum())) / max(result.eligible, 1e-9)
    low, high = interval(drawn / np.maximum(households, 1e-9), level, centre)
    return figures | {"taux_bas": low, "taux_haut": high} | reliability(result)


def _a2_share(reading: Reading, path: pl.Expr) -> Floats:
    """Of the A2 of each class that may be non-takers, the share on that path (12,)."""
    resting = _A2 & pl.col("dossier").is_in(RESTING)
    every = reading.by_class(resting, "poids_menages")
    here = reading.by_class(resting & path, "poids_menages")
    overall = here.sum() / max(every.sum(), 1.0)
    share: Floats = (here + overall) / (every + 1.0)
    return share
