"""The verification sample of an invented territory: drawn, answered, some of it wrong, some of it missing."""

from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.estimation.reading import Reading
from pipelines.proof.drawing import Bools, Floats, Households, Ints
from pipelines.proof.extracts import ANSWERS, Files
from pipelines.proof.worlds import World
from pipelines.sampling.allocation import allocate

SAMPLE = 600
"""Households drawn at each of CPAM and CAF."""

NO_ANSWER = 0.07
"""Records nobody answers about."""


def verified(world: World, homes: Households, seen: Files, generator: np.random.Generator) -> Reading:
    """The reading of ``seen`` with the answers of 600 households at each partner."""
    answers = pl.concat(
        [_cpam_answers(world, homes, seen, generator), _caf_answers(world, homes, seen, generator)]
    )
    return replace(seen.reading, answers=answers)


def _cpam_answers(
    world: World, homes: Households, seen: Files, generator: np.random.Generator
) -> pl.DataFrame:
    """Strata: C2S, age, rural. The shared directory says who the CAF knows; the others are met."""
    strata = homes.band * 4 + homes.has_c2s * 2 + homes.is_rural
    drawn, weight = _answered(homes.is_at_cpam, strata, generator)
    known = _told(homes.is_at_caf[drawn], world.wrong_answers, generator)
    refuses = generator.random(drawn.size) < np.where(homes.is_entitled[drawn], *world.no_interview)
    asked = ~known & ~refuses & ~seen.is_linked[drawn]
    entitled = _told(homes.is_entitled[drawn] & ~homes.is_at_msa[drawn], _wrong_interviews(world), generator)
    return _answers(
        "cpam",
        drawn,
        volet=pl.Series(np.where(seen.is_linked[drawn], "FAUX_LIENS", "B")),
        poids_reponse=pl.Series(weight),
        connu_caf=pl.Series(known),
        connu_msa=pl.Series(homes.is_at_msa[drawn]),
        eligible_rsa=pl.when(pl.Series(asked)).then(pl.Series(entitled)),
    )


def _caf_answers(
    world: World, homes: Households, seen: Files, generator: np.random.Generator
) -> pl.DataFrame:
    """Strata: paid or not, age, rural. Known at the CPAM, and entitled according to the whole dossier."""
    paid = homes.is_paid_by_caf & homes.is_at_caf
    drawn, weight = _answered(homes.is_at_caf, homes.band * 4 + paid * 2 + homes.is_rural, generator)
    return _answers(
        "caf",
        drawn,
        volet=pl.Series(np.where(seen.is_entitled_on_caf[drawn], "RAPPEL", "TEMOIN")),
        poids_reponse=pl.Series(weight),
        connu_cpam=pl.Series(_told(homes.is_at_cpam[drawn], world.wrong_answers, generator)),
        eligible_rsa=pl.Series(_told(homes.is_entitled[drawn], _wrong_interviews(world), generator)),
    )


def _answered(frame: Bools, strata: Ints, generator: np.random.Generator) -> tuple[Ints, Floats]:
    """Households that answer, drawn stratum by stratum as the software allots them, and their weights."""
    members = [np.flatnonzero(frame & (strata == s)) for s in np.unique(strata[frame])]
    sizes = np.array([m.size for m in members])
    wanted = allocate(sizes, sizes, SAMPLE)
    drawn = [generator.choice(m, size=k, replace=False) for m, k in zip(members, wanted, strict=True)]
    told = [some[generator.random(some.size) >= NO_ANSWER] for some in drawn]
    weights = [np.full(some.size, n / max(some.size, 1)) for n, some in zip(sizes, told, strict=True)]
    return np.concatenate(told), np.concatenate(weights)


def _told(truth: Bools, wrong: float, generator: np.random.Generator) -> Bools:
    """The answers: some are turned round."""
    told: Bools = truth ^ (generator.random(truth.size) < wrong)
    return told


def _wrong_interviews(world: World) -> float:
    return world.wrong_answers + world.wrong_interviews


def _answers(source: str, drawn: Ints, **told: pl.Series | pl.Expr) -> pl.DataFrame:
    letter = {"cpam": "c", "caf": "a"}[source]
    given = pl.DataFrame({"menage_base_id": [f"{letter}{n}" for n in drawn]}).with_columns(
        source=pl.lit(source), **told
    )
    missing = [pl.lit(None).alias(name) for name in ANSWERS if name not in given.columns]
    return given.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in ANSWERS.items())
