"""Where: the communes as they are delivered, and groupings of them, adding up to the territory's estimate.

A place is a commune as partners name it: one of 2 000 inhabitants or more, or the small ones of a grouping
together (docs/decisions/0012). Its rate is the one its households are expected to have, by the model of
:mod:`pipelines.estimation.small_areas`, never the count of the few who happen to live there. The households
of the CAF file count for one; an unlinked one, for the chance that it is absent from it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit as log_odds

from pipelines.estimation.classes import CLASSES, Floats
from pipelines.estimation.estimator import Estimate, Evidence, Missing, interval
from pipelines.estimation.reading import A1, A2, COUNTED, ENTITLED, NONTAKER, B, L, Reading, S
from pipelines.estimation.small_areas import Trials, benchmarked, fit

AMOUNT_PRIOR = 20.0
"""Households at the territory's mean unclaimed amount, added to those of each place."""

AVERAGE_HOUSEHOLD = 0.01
"""Weight of a household of average composition in each place: an empty place has a rate too."""

COMPLETED_FILES = 5
"""Files completed by a draw of the absent, each giving its share of the draws (Rubin 1987: five are
enough)."""

_COMPOSITION = {
    "bande_age": (1, 2),
    "type_menage": ("parent_seul", "couple_sans_enfant", "couple_enfants"),
    "est_rurale": (1,),
    "logement": ("proprietaire", "heberge", "autre"),
    "travail": ("salarie", "independant"),
}
"""What non-take-up depends on, by category; the one left out is the reference. Not the C2S: it follows from
receiving the RSA, and would tell each household its own answer."""

_ONLY_AT_CAF = ["logement", "travail"]
_LIKENESS = 5.0
"""Households at the composition of all non-takers, added to those of each type of household."""

_SERVED = S & (pl.col("situation") == "recourant")
_COUNTED = A1 & COUNTED


@dataclass(frozen=True)
class Place:
    """A commune as delivered: its code, its grouping (None outside any)."""

    commune: str
    regroupement: str | None


@dataclass(frozen=True)
class PlaceEstimates:
    """Corrected figures of each place: draws (draws, places), central values (places,), euros a month."""

    places: tuple[Place, ...]
    drawn_nontakers: Floats
    drawn_eligible: Floats
    nontakers: Floats
    eligible: Floats
    euros_mois: Floats

    def together(self, members: list[int], level: float) -> dict[str, float]:
        """Figures of places taken together: non_recourants, eligibles, taux, its interval, euros_mois."""
        nontakers, eligible = float(self.nontakers[members].sum()), float(self.eligible[members].sum())
        drawn = self.drawn_eligible[:, members].sum(axis=1)
        rates = self.drawn_nontakers[:, members].sum(axis=1) / np.maximum(drawn, 1e-9)
        rate = nontakers / eligible if eligible else 0.0
        low, high = interval(rates, level, rate)
        return {
            "non_recourants": nontakers,
            "eligibles": eligible,
            "taux": rate,
            "taux_bas": low,
            "taux_haut": high,
            "euros_mois": float(self.euros_mois[members].sum()),
        }


@dataclass(frozen=True)
class _Around:
    """What is added to each place without a model: shares of A2 by class, its takers, the MSA's
    households."""

    a2_share: Floats
    a2_takers: Floats
    s: Floats


def estimate_places(
    reading: Reading, evidence: Evidence, result: Estimate, sensitivity: float, generator: np.random.Generator
) -> PlaceEstimates:
    """Every place of the territory; draw by draw, places add up to the territory's estimate."""
    places = _places(reading)
    codes = {place.commune: n for n, place in enumerate(places)}
    draws = result.drawn.coverage.size
    cells = _cells(_counted(reading, result))
    rates, seen = _completed(cells, codes, draws, generator)
    around = _Around(
        a2_share=_a2_share(reading, codes),
        a2_takers=sensitivity * _weight(reading, codes, _paid_a2(), "poids"),
        s=_weight(reading, codes, _SERVED),
    )
    nontakers, eligible = _figures(rates, seen, around, evidence, result.drawn, result.drawn_rate)
    middle, whole = rates.mean(axis=0, keepdims=True), _expected(cells, codes)[None, :]
    rate = np.array([result.nontakers / max(result.eligible, 1e-9)])
    central, households = _figures(middle, whole, around, evidence, result.central, rate)
    euros = _euros(reading, codes, result, central[0])
    return PlaceEstimates(places, nontakers, eligible, central[0], households[0], euros)


def _places(reading: Reading) -> tuple[Place, ...]:
    found = reading.households.filter(~L).select("commune_insee", "regroupement")
    return tuple(Place(*row) for row in found.unique().sort("commune_insee").rows())


def _counted(reading: Reading, result: Estimate) -> pl.DataFrame:
    """Households entitled in the CAF file, and unlinked ones for their share of X: poids_compte, est_absent.

    Without CPAM incomes, every unlinked household of a class has the same share: composition, no more.
    """
    unlinked = reading.households.filter(B & pl.col("classe").is_not_null())
    entitled = unlinked.filter(ENTITLED)
    outside = unlinked if entitled.is_empty() else entitled
    weight = "poids_menages" if entitled.is_empty() else "poids_eligible"
    counts = np.bincount(outside["classe"].to_numpy(), outside[weight].to_numpy(), CLASSES)
    each = pl.Series(result.central.x[0] / np.maximum(counts, 1e-9))
    absent = outside.with_columns(poids_compte=pl.lit(each).gather("classe") * pl.col(weight))
    known = reading.households.filter(_COUNTED).with_columns(poids_compte="poids", est_absent=pl.lit(False))
    likely = _likely_composition(known.filter(NONTAKER), absent.drop(_ONLY_AT_CAF))
    return pl.concat([known, likely.select(known.columns)])


def _likely_composition(nontakers: pl.DataFrame, absent: pl.DataFrame) -> pl.DataFrame:
    """Each absent household as what it may be: housing and work of the CAF's non-takers of its type."""
    weight = pl.col("poids").sum()
    overall = (
        nontakers.group_by(_ONLY_AT_CAF).agg(n=weight).with_columns(part=pl.col("n") / pl.col("n").sum())
    )
    own = nontakers.group_by("type_menage", *_ONLY_AT_CAF).agg(propre=weight)
    types = absent.select(pl.col("type_menage").unique())
    shares = types.join(overall, how="cross").join(
        own, on=["type_menage", *_ONLY_AT_CAF], how="left", nulls_equal=True
    )
    likely = pl.col("propre").fill_null(0.0) + _LIKENESS * pl.col("part")
    shares = shares.select("type_menage", *_ONLY_AT_CAF, chance=likely / likely.sum().over("type_menage"))
    spread = absent.join(shares, on="type_menage", nulls_equal=True)
    return spread.with_columns(
        poids_compte=pl.col("poids_compte") * pl.col("chance"), est_absent=pl.lit(True)
    )


def _cells(households: pl.DataFrame) -> pl.DataFrame:
    """By place and composition: n, y (non-takers among them), absents (those of X, not certain to be
    there)."""
    names, weight = ["commune_insee", *_COMPOSITION], pl.col("poids_compte")
    return (
        households.group_by(names)
        .agg(
            n=weight.sum(),
            y=weight.filter(pl.col("est_absent") | NONTAKER).sum(),
            absents=weight.filter("est_absent").sum(),
        )
        .sort(names)
    )


def _completed(
    cells: pl.DataFrame, codes: dict[str, int], draws: int, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Expected rates of places and households seen there, shapes (draws, places), by multiple imputation.

    In each completed file the absent are there or not, by a Poisson law: counted as fractions of households,
    they would make places look more alike than they are.
    """
    design, area = _design(cells), np.array([codes[code] for code in cells["commune_insee"]], dtype=np.int64)
    absents = cells["absents"].to_numpy()
    certain = [cells[name].to_numpy() - absents for name in ("n", "y")]
    rates, seen, start = [], [], None
    for share in np.array_split(np.arange(draws), COMPLETED_FILES):
        drawn = generator.poisson(absents).astype(np.float64)
        trials = _with_average(area, certain[0] + drawn, certain[1] + drawn, design, len(codes))
        posterior = fit(trials, share.size, generator, start)
        start, probability = posterior.modes, posterior.probability(trials.area, trials.design)
        member = _member(trials) * trials.households[:, None]
        seen.append(np.repeat(member.sum(axis=0)[None, :], share.size, axis=0))
        rates.append(probability @ member / seen[-1])
    return np.concatenate(rates), np.concatenate(seen)


def _with_average(
    area: np.ndarray[tuple[int], np.dtype[np.int64]], n: Floats, y: Floats, design: Floats, places: int
) -> Trials:
    """The cells, and a household of average composition in each place, next to nothing."""
    size = max(n.sum(), 1e-9)
    average = np.broadcast_to((n @ design) / size, (places, design.shape[1]))
    few = np.full(places, AVERAGE_HOUSEHOLD)
    return Trials(
        area=np.concatenate([area, np.arange(places)]),
        households=np.concatenate([n, few]),
        successes=np.concatenate([y, few * y.sum() / size]),
        design=np.vstack([design, average]),
        areas=places,
    )


def _member(trials: Trials) -> Floats:
    member: Floats = np.zeros((trials.area.size, trials.areas))
    member[np.arange(trials.area.size), trials.area] = 1.0
    return member


def _expected(cells: pl.DataFrame, codes: dict[str, int]) -> Floats:
    """Households expected in each place (places,)."""
    found: Floats = np.full(len(codes), AVERAGE_HOUSEHOLD)
    for code, n in cells.group_by("commune_insee").agg(pl.col("n").sum()).rows():
        found[codes[code]] += n
    return found


def _design(cells: pl.DataFrame) -> Floats:
    """Intercept and one column per category, shape (cells, columns)."""
    columns = [
        (cells[name] == category).fill_null(False).cast(pl.Float64).to_numpy()
        for name, categories in _COMPOSITION.items()
        for category in categories
    ]
    design: Floats = np.column_stack([np.ones(cells.height), *columns])
    return design


def _figures(
    rates: Floats, seen: Floats, around: _Around, evidence: Evidence, found: Missing, whole: Floats
) -> tuple[Floats, Floats]:
    """Non-takers and entitled households of each place, shapes (draws, places).

    ``whole``: rate of the territory in each draw (draws,), to which places add up.
    """
    x, a2 = found.x.sum(axis=1), found.a2 @ around.a2_share.T
    of_caf = evidence.takers_a1 + evidence.nontakers_a1
    households = seen * ((of_caf + x) / np.maximum(seen.sum(axis=1), 1e-9))[:, None]
    eligible = households + a2 + around.a2_takers + around.s / found.coverage[:, None]
    total = whole * eligible.sum(axis=1) - a2.sum(axis=1)
    odds = log_odds(np.clip(rates, 1e-9, 1 - 1e-9))
    return benchmarked(odds, households, total) * households + a2, eligible


def _paid_a2() -> pl.Expr:
    """Paid households without monthly incomes: takers, of whom Se are as the simulation would find them."""
    return A2 & (pl.col("situation") == "recourant")


def _a2_share(reading: Reading, codes: dict[str, int]) -> Floats:
    """Share of the A2 of each class in each place (places, 12)."""
    found = reading.households.filter(A2 & pl.col("classe").is_not_null())
    counts: Floats = np.zeros((len(codes), CLASSES))
    for code, classe, n in (
        found.group_by("commune_insee", "classe").agg(pl.col("poids_menages").sum()).rows()
    ):
        counts[codes[code], classe] = n
    overall = counts.sum(axis=1, keepdims=True) + 1e-9
    smoothed = counts + overall / overall.sum()
    share: Floats = smoothed / smoothed.sum(axis=0, keepdims=True)
    return share


def _weight(
    reading: Reading, codes: dict[str, int], condition: pl.Expr, weight: str | pl.Expr = "poids_menages"
) -> Floats:
    value = pl.col(weight) if isinstance(weight, str) else weight
    found: Floats = np.zeros(len(codes))
    for code, n in reading.households.filter(condition).group_by("commune_insee").agg(value.sum()).rows():
        found[codes[code]] = n
    return found


def _euros(reading: Reading, codes: dict[str, int], result: Estimate, nontakers: Floats) -> Floats:
    """Euros a month not claimed: expected non-takers × a mean amount drawn to the territory's."""
    money = pl.col("poids") * pl.col("montant_non_reclame_eur_mois")
    amount = _weight(reading, codes, A1 & NONTAKER, money)
    counted = _weight(reading, codes, _COUNTED & NONTAKER, "poids")
    mean = amount.sum() / max(counted.sum(), 1.0)
    euros = nontakers * (amount + AMOUNT_PRIOR * mean) / (counted + AMOUNT_PRIOR)
    share: Floats = euros / max(euros.sum(), 1e-9)
    return share * result.euros_mois
