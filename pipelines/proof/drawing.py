"""Households of an invented territory, one by one: what they are, what they take, who knows them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from pipelines import territory
from pipelines.proof.worlds import World

TERRITORY = "comminges"

AGE_SHARE = np.array([0.46, 0.22, 0.32])
ENTITLED_BY_AGE = np.array([0.1, 0.0, -3.5])
IN_CAF_BY_AGE = np.array([0.9, 0.1, -1.3])
IN_CAF_NONTAKER = -0.6
"""Log-odds of a CAF file for a household it pays nothing. On the whole invented territory, half of the
non-takers and 7 in 10 of the others under 65 have one."""
TWO_ADULTS = np.array([0.42, 0.5, 0.45])
COMMUNE_SPREAD = 0.25
"""Standard deviation, between communes, of the logit of entitlement and of take-up."""

C2S_TAKER, C2S_ENTITLED, C2S_OTHER = 0.85, 0.22, 0.04
OTHER_RIGHT_IF_ENTITLED, OTHER_RIGHT = 0.08, 0.14
REPLACEMENT_INCOME = 0.06
PAID_IN_PART = 0.007
"""Households under 65 paid in the quarter without being entitled in each of its months: outside the field,
and half of them simulated inside (measured on the whole invented territory: 8 for 100 takers)."""

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Households:
    """Arrays, one entry per household. ``is_at_msa``: a taker whom the MSA pays. ``has_other_right``: the CAF
    pays it the other of RSA and PPA. ``has_replacement``: AAH, ASPA, PreParE. ``has_two``: two adults."""

    commune: Ints
    is_rural: Bools
    band: Ints
    has_two: Bools
    has_c2s: Bools
    is_entitled: Bools
    is_taker: Bools
    is_at_msa: Bools
    is_paid_in_part: Bools
    has_other_right: Bools
    has_replacement: Bools
    is_at_caf: Bools
    is_at_cpam: Bools
    amount: Floats
    poverty: Floats

    @property
    def size(self) -> int:
        """Number of households."""
        return self.band.size

    @property
    def is_paid_by_caf(self) -> Bools:
        """Paid this right by the CAF in the quarter."""
        return (self.is_taker & ~self.is_at_msa) | self.is_paid_in_part

    @property
    def true_rate(self) -> float:
        """Share of the entitled that do not take up."""
        return float((self.is_entitled & ~self.is_taker).sum() / self.is_entitled.sum())


@cache
def communes() -> tuple[Floats, Bools]:
    """Share of the inhabitants, and rural or not, of each commune of a real territory (104 of them)."""
    inside = territory.load(TERRITORY).inside
    population = inside["population"].cast(pl.Float64).to_numpy()
    return population / population.sum(), population < territory.URBAN_INHABITANTS


def households(world: World, generator: np.random.Generator) -> Households:
    """A territory of ``world``."""
    n = world.households
    share, rural = communes()
    commune = generator.choice(share.size, size=n, p=share)
    poverty, habit = generator.normal(0, COMMUNE_SPREAD, size=(2, share.size))
    band = generator.choice(AGE_SHARE.size, size=n, p=AGE_SHARE)
    entitled = _happens(logit(world.entitled) + ENTITLED_BY_AGE[band] + poverty[commune], generator)
    taker = entitled & _happens(logit(world.takeup) + habit[commune], generator)
    at_msa = taker & rural[commune] & (generator.random(n) < 2 * world.msa)
    in_part = ~entitled & (band < 2) & (generator.random(n) < PAID_IN_PART)
    c2s = generator.random(n) < np.where(
        taker | in_part, C2S_TAKER, np.where(entitled, C2S_ENTITLED, C2S_OTHER)
    )
    other = ~at_msa & _chance(
        generator, np.where(entitled, OTHER_RIGHT_IF_ENTITLED, OTHER_RIGHT * (band < 2))
    )
    at_caf = _known_to_caf(world, generator, band, c2s, entitled & ~taker)
    return Households(
        commune=commune,
        is_rural=rural[commune],
        band=band,
        has_two=generator.random(n) < TWO_ADULTS[band],
        has_c2s=c2s,
        is_entitled=entitled,
        is_taker=taker,
        is_at_msa=at_msa,
        is_paid_in_part=in_part,
        has_other_right=other,
        has_replacement=~entitled & (band < 2) & (generator.random(n) < REPLACEMENT_INCOME),
        is_at_caf=(taker | in_part | other | at_caf) & ~at_msa & (generator.random(n) >= world.other_caf),
        is_at_cpam=generator.random(n)
        < np.where(entitled & ~taker, world.seen_at_cpam_nontakers, world.seen_at_cpam),
        amount=np.where(entitled, generator.gamma(4, 110, size=n), 0.0),
        poverty=poverty[commune] / COMMUNE_SPREAD,
    )


def _known_to_caf(
    world: World, generator: np.random.Generator, band: Ints, c2s: Bools, nontaker: Bools
) -> Bools:
    """Who has a CAF file for another reason: housing, children, disability."""
    lean = IN_CAF_BY_AGE[band] + 0.3 * c2s + IN_CAF_NONTAKER * nontaker
    return _happens(lean - nontaker * (world.outside + world.outside_c2s * c2s), generator)


def _happens(log_odds: Floats, generator: np.random.Generator) -> Bools:
    return _chance(generator, expit(log_odds))


def _chance(generator: np.random.Generator, probability: Floats) -> Bools:
    happened: Bools = generator.random(probability.size) < probability
    return happened
