"""Rates of communes against known ones, 104 communes of their real sizes: docs/preuves/petites_zones.json.

Run by ``make preuves``. Each batch of territories leaves its part under travail/preuves: a killed proof
resumes.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.progress import Progress

from bench.provenance import provenance
from pipelines.estimation.estimator import estimate
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.places import PlaceEstimates, estimate_places
from pipelines.files import whole_file
from tests.estimation.places_simulator import QUALITY, SCENARIOS, Invented, invent

REPLICATIONS = int(os.environ.get("REPLICATIONS", "200"))
"""Territories of the main scenario; three tenths of it for each other one."""

MAIN = "ecarts_moyens"
BATCH, DRAWS, LEVEL = 20, 200, 0.95
SIZES = (200, 500, 2_000)
NAMES = ("moins de 200", "200 à 499", "500 à 1 999", "2 000 et plus")
PUBLISHED_FROM = 20
RESULT = Path("docs/preuves/petites_zones.json")
PARTS = Path("travail/preuves/petites_zones")
GOALS = {"couverture_au_moins": 0.93, "eqm_sur_taux_direct_au_plus": 0.5}


def replicate(scenario: str, number: int) -> pl.DataFrame:
    """One territory: the truth of each commune and what the estimate says of it."""
    generator = np.random.default_rng([number, list(SCENARIOS).index(scenario)])
    invented = invent(SCENARIOS[scenario], generator)
    return judged(invented, estimated(invented, generator))


def estimated(invented: Invented, generator: np.random.Generator) -> PlaceEstimates:
    """The communes of an invented territory, by the functions the chain calls."""
    se, _ = sensitivity(invented.reading)
    found = evidence(invented.reading, QUALITY, se)
    whole = estimate(found, DRAWS, LEVEL, generator)
    assert whole is not None
    return estimate_places(invented.reading, found, whole, se, generator)


def judged(invented: Invented, found: PlaceEstimates) -> pl.DataFrame:
    """Truth and estimate of each commune that has an entitled household."""
    rows = [
        {"commune_insee": place.commune} | found.together([n], LEVEL) for n, place in enumerate(found.places)
    ]
    estimates = pl.DataFrame(rows).rename({"eligibles": "eligibles_estimes"})
    return invented.truth.drop_nulls("taux_attendu").join(estimates, on="commune_insee")


def measured(rows: pl.DataFrame) -> dict[str, Any]:
    """Coverage, errors and width over communes and territories; ``eqm``: root mean square error."""
    error = pl.col("taux") - pl.col("taux_attendu")
    direct = pl.col("taux_direct") - pl.col("taux_attendu")
    found = rows.select(
        communes=pl.len(),
        couverture=pl.col("taux_attendu").is_between("taux_bas", "taux_haut").mean(),
        eqm=(error**2).mean().sqrt(),
        eqm_taux_direct=(direct**2).mean().sqrt(),
        biais=error.mean(),
        largeur=(pl.col("taux_haut") - pl.col("taux_bas")).mean(),
        eligibles=pl.col("eligibles").mean(),
    ).row(0, named=True)
    found["eqm_sur_taux_direct"] = found["eqm"] / found["eqm_taux_direct"]
    return {name: round(value, 4) for name, value in found.items()}


def summary(rows: pl.DataFrame) -> dict[str, Any]:
    """The same for all communes, by size, and for those that could be published."""
    published = rows.filter(pl.col("eligibles_estimes") >= PUBLISHED_FROM)
    by_size = {name: measured(sized(rows).filter(taille=name)) for name in NAMES}
    return {"ensemble": measured(rows)} | by_size | {"20 éligibles ou plus": measured(published)}


def sized(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows with the size of their commune, ``taille``."""
    names = np.array(NAMES)[np.digitize(rows["population"].to_numpy(), SIZES)]
    return rows.with_columns(taille=pl.Series(names))


def possible(scenario: str, territories: int) -> dict[str, float]:
    """What the best estimate would reach in the same territories, all being known but the effects.

    Root mean square error for one of the direct rate, over all communes and by size; empty where effects are
    not drawn one by one.
    """
    kinds = list(SCENARIOS)
    seeds = ([number, kinds.index(scenario)] for number in range(territories))
    truths = [invent(SCENARIOS[scenario], np.random.default_rng(seed)).truth for seed in seeds]
    rows = pl.concat(truths).drop_nulls(["taux_attendu", "taux_possible"])
    parts = {"ensemble": rows} | {name: sized(rows).filter(taille=name) for name in NAMES}
    return {name: round(_possible_ratio(part), 4) for name, part in parts.items() if part.height}


def _possible_ratio(rows: pl.DataFrame) -> float:
    best, direct = (pl.col(name) - pl.col("taux_attendu") for name in ("taux_possible", "taux_direct"))
    return float(rows.select(((best**2).mean() / (direct**2).mean()).sqrt()).item())


def batch(scenario: str, first: int) -> pl.DataFrame:
    """``BATCH`` territories, from the part they left if there is one."""
    part = PARTS / f"{scenario}-{first}.parquet"
    if part.is_file():
        return pl.read_parquet(part)
    numbers = range(first, first + BATCH)
    rows = pl.concat([replicate(scenario, n).with_columns(replique=pl.lit(n)) for n in numbers])
    with whole_file(part, mode=0o644) as partial:
        rows.write_parquet(partial)
    return rows


def main() -> None:
    """Every scenario, batch by batch, then the result."""
    started, found = time.monotonic(), {}
    firsts = {
        name: range(0, REPLICATIONS if name == MAIN else REPLICATIONS * 3 // 10, BATCH) for name in SCENARIOS
    }
    with Progress() as progress:
        bar = progress.add_task("Petites zones", total=sum(map(len, firsts.values())))
        for scenario in SCENARIOS:
            parts = []
            for first in firsts[scenario]:
                parts.append(batch(scenario, first))
                progress.advance(bar)
            territories = BATCH * len(parts)
            best = {"meilleur_possible_eqm_sur_taux_direct": possible(scenario, territories)}
            found[scenario] = {"territoires": territories} | best | summary(pl.concat(parts))
    _write(_context(started) | {"scenarios": found})
    sys.stdout.write(f"{RESULT}\n")


def _context(started: float) -> dict[str, Any]:
    return provenance("make preuves") | {
        "tirages": DRAWS,
        "niveau": LEVEL,
        "objectifs": GOALS,
        "secondes": round(time.monotonic() - started),
    }


def _write(figures: dict[str, Any]) -> None:
    with whole_file(RESULT, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
