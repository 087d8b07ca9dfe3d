"""How far they went: never asked, asked, interrupted, with the interval of each.

Whoever is absent from the CAF never asked; the others have a file that says. Of the households of A2 some are
not entitled: more of those who never asked than of those whose right was closed, as A1 shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.estimation.classes import Floats
from pipelines.estimation.estimator import Estimate, counts, interval
from pipelines.estimation.groups import households, misread
from pipelines.estimation.reading import A1, ENTITLED, NONTAKER, RESTING
from pipelines.estimation.rows import Right, Row, reliability, row
from pipelines.estimation.shares import Cut, of_a2

_STEPS = ("jamais_demande", "refuse", "clos", "declaration_manquante")
_PATHS = {
    "chemin:primaire": ("jamais_demande", "refuse"),
    "chemin:secondaire": ("clos", "declaration_manquante"),
    **{f"etape:{step}": (step,) for step in _STEPS},
}
"""Steps of each row: « chemin » in two parts, « etape » in four."""

_RESTING = pl.col("dossier").is_in(RESTING)
_COUNTED = A1 & ENTITLED & (NONTAKER | (pl.col("situation") == "recourant"))


@dataclass(frozen=True)
class _Outside:
    """Non-takers the CAF file does not count, by step: expected by class (4, 12), and drawn (draws, 4)."""

    central: Floats
    drawn: Floats


def steps(right: Right, level: float, generator: np.random.Generator) -> Iterator[Row]:
    """Rows of ``out__taux``, observed and corrected: households that stopped there, out of all entitled
    ones."""
    money = pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    whole = right.reading.weight(_COUNTED)
    outside = None if right.result is None else _outside(right, right.result, generator)
    for groupe, path in _PATHS.items():
        here = right.reading.households.filter(A1 & NONTAKER & pl.col("chemin").is_in(path))
        found = float(here["poids"].sum()), float(here.select(money.sum()).item() or 0.0)
        yield {"niveau": "EPCI", "groupe": groupe} | row("observe", found[0], whole, found[1])
        if right.result is not None and outside is not None:
            members = [_STEPS.index(step) for step in path]
            part = _Outside(outside.central[members], outside.drawn[:, members])
            figures = _corrected(right, right.result, found, part, level, generator)
            yield {"niveau": "EPCI", "groupe": groupe} | figures


def _outside(right: Right, result: Estimate, generator: np.random.Generator) -> _Outside:
    """Those of A2 follow their files; whoever is absent from the CAF never asked."""
    a2 = of_a2(right.reading, Cut(pl.when(_RESTING).then("chemin"), list(_STEPS)))
    central = result.central.a2[0] * a2.central()
    drawn = households(result.drawn.a2, a2.draw(result.drawn.coverage.size, generator), generator)
    central[0], drawn[:, 0] = central[0] + result.central.x[0], drawn[:, 0] + result.drawn.x.sum(axis=1)
    return _Outside(central, drawn)


def _corrected(
    right: Right,
    result: Estimate,
    found: tuple[float, float],
    outside: _Outside,
    level: float,
    generator: np.random.Generator,
) -> Row:
    """``found``: households of A1 counted there, and their euros a month."""
    counted, euros = found
    read = misread(np.array([counted]), 1 - right.sensitivity, len(outside.drawn), generator)[:, 0]
    elsewhere = outside.central.sum(axis=0)
    stopped, money = counted + elsewhere.sum(), euros + elsewhere @ right.evidence.mean_unclaimed_eur_mois
    _, every = counts(right.evidence, result.drawn)
    rates = (read + outside.drawn.sum(axis=1)) / np.maximum(every, 1e-9)
    low, high = interval(rates, level, stopped / max(result.eligible, 1e-9))
    figures = row("corrige", float(stopped), result.eligible, float(money))
    return figures | {"taux_bas": low, "taux_haut": high} | reliability(result)
