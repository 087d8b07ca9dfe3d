"""One replication: a territory drawn, estimated in every way, held against its truth."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from pipelines.estimation.estimator import Evidence, estimate, naive_counts, observed_counts
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.reading import Reading
from pipelines.proof.auditing import verified
from pipelines.proof.drawing import households
from pipelines.proof.extracts import files
from pipelines.proof.worlds import WORLDS

DRAWS, LEVEL = 200, 0.95

NAIVE, CAF_ONLY, BY_INCOMES, BY_CLASSES = "naif", "caf_seule", "revenus", "classes"

Verdict = dict[str, Any]


def replication(world: str, seed: int) -> list[Verdict]:
    """Verdicts of the methods on one territory: methode, verifie, vrai, estime, bas, haut (0 to 1)."""
    generator = np.random.default_rng([seed, *world.encode()])
    homes = households(WORLDS[world], generator)
    seen = files(WORLDS[world], homes, generator)
    answered = verified(WORLDS[world], homes, seen, generator)
    plain = _read(seen.reading, seen.quality)
    rows = _judged(seen.reading, plain, seen.quality, generator, is_verified=False)
    known = _read(answered, seen.quality)
    rows += _judged(answered, known, seen.quality, generator, is_verified=True)
    rows += [_counted(NAIVE, naive_counts(plain)), _counted(CAF_ONLY, observed_counts(plain))]
    return [{"monde": world, "graine": seed, "vrai": homes.true_rate} | row for row in rows]


def _judged(
    reading: Reading,
    known: Evidence,
    quality: pl.DataFrame,
    generator: np.random.Generator,
    is_verified: bool,
) -> list[Verdict]:
    rows = []
    unread = _read(without_incomes(reading), quality)
    for methode, counted in ((BY_INCOMES, known), (BY_CLASSES, unread)):
        found = estimate(counted, DRAWS, LEVEL, generator)
        if found is not None:
            rate = {"estime": found.rate, "bas": found.low, "haut": found.high}
            rows.append({"methode": methode, "verifie": is_verified} | rate)
    return rows


def _read(reading: Reading, quality: pl.DataFrame) -> Evidence:
    se, _ = sensitivity(reading)
    return evidence(reading, quality, se)


def without_incomes(reading: Reading) -> Reading:
    """The same files in a territory whose CPAM delivers no incomes."""
    at_cpam = pl.col("strate").is_in(["B", "L", "S"])
    unread = reading.households.with_columns(
        eligible=pl.when(at_cpam).then(pl.lit("inconnu")).otherwise("eligible"),
        est_sans_ressources=at_cpam | pl.col("est_sans_ressources"),
        part_cpam=pl.lit(None, pl.Float64),
    )
    return replace(reading, households=unread)


def _counted(methode: str, counts: tuple[float, float]) -> Verdict:
    nontakers, eligible = counts
    return {
        "methode": methode,
        "verifie": False,
        "estime": nontakers / eligible,
        "bas": None,
        "haut": None,
    }
