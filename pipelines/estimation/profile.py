"""Who: non-take-up by group over the territory, its interval, and how it compares with a reference group."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from pipelines.estimation.classes import BAND_OF_CLASS, BANDS, C2S_OF_CLASS, CLASSES, Floats
from pipelines.estimation.estimator import Estimate
from pipelines.estimation.evidence import Reading
from pipelines.estimation.groups import GroupCounts, GroupEstimates, Sharing, share_out
from pipelines.estimation.rows import (
    A1,
    ENTITLED,
    NONTAKER,
    TAKER,
    Right,
    Row,
    observed,
    observed_row,
    reliability,
    row,
)

AGE_GROUPS = ("age:-50", "age:50-64", "age:65+")
"""Also the bands of the classes; 50+ is shown beside them (a public of the experiment)."""
OVER_50, UNDER_50 = "age:50+", "age:-50"

SEEN_SPREAD = 0.2
"""Where CPAM shows the group: what its incomes get wrong in one group more than in another, ± 20 %."""

UNSEEN_SPREAD = 0.4
"""Where it does not: how the absent from the CAF differ from those who resemble them."""

KAPPA_STRENGTH = 10.0
"""Households at the overall κ, added to those of each group before its own is used."""

SE_STRENGTH = 20.0
"""Recipients at the overall sensitivity, added to those of each group before its own is used."""

Shown = Literal["classe", "cpam", "jamais", "ressemblance"]

_B, _A2, _S = (pl.col("strate") == name for name in ("B", "A2", "S"))
_LINKED = pl.col("strate").is_in(["L", "S"])


@dataclass(frozen=True)
class Dimension:
    """Groups that cut the households, and how the part of X of each is known.

    ``shown``: « classe », the group follows from the class; « cpam », CPAM households show it; « jamais »,
    the CAF is what makes the group, so that all who are absent from it are in ``absent``; « ressemblance »,
    as the CAF's households without housing benefit, between its non-takers and all those entitled.
    ``reference``: group others are compared with. ``extra``: shown beside another dimension, only this
    group.
    """

    group: pl.Expr
    reference: str
    shown: Shown
    by_class: tuple[str, ...] = ()
    absent: str = ""
    extra: str = ""


def dimensions(with_farmers: bool) -> tuple[Dimension, ...]:
    """The dimensions of the profile. ``with_farmers``: the MSA delivers, its households are counted."""
    farm = Dimension(_yes_no("est_du_regime_agricole", "agricole"), "agricole:non", "cpam")
    return (
        *_of_the_class(),
        Dimension(pl.lit("menage:") + pl.col("type_menage"), "menage:seul", "cpam"),
        Dimension(pl.lit("travail:") + pl.col("activite"), "travail:sans_emploi", "cpam"),
        Dimension(pl.lit("distance:") + pl.col("distance"), "distance:moins_10", "cpam"),
        *([farm] if with_farmers else []),
        Dimension(pl.lit("logement:") + pl.col("logement"), "logement:locataire", "ressemblance"),
        *(_of_the_caf(column, name) for column, name in _BENEFITS.items()),
    )


def _of_the_class() -> tuple[Dimension, ...]:
    """Age in three bands, age on both sides of fifty, C2S."""
    band, c2s = pl.col("bande_age"), ("c2s:non", "c2s:oui")
    names = dict(enumerate(AGE_GROUPS))
    age = band.replace_strict(names, default=None, return_dtype=pl.String)
    sides = pl.when(band > 0).then(pl.lit(OVER_50)).when(band == 0).then(pl.lit(UNDER_50))
    bands = tuple(AGE_GROUPS[b] for b in BAND_OF_CLASS)
    of_sides = tuple(OVER_50 if b else UNDER_50 for b in BAND_OF_CLASS)
    of_c2s = tuple(c2s[int(c)] for c in C2S_OF_CLASS)
    return (
        Dimension(age, UNDER_50, "classe", bands),
        Dimension(sides, UNDER_50, "classe", of_sides, extra=OVER_50),
        Dimension(_yes_no("a_c2s", "c2s"), "c2s:oui", "classe", of_c2s),
    )


_BENEFITS = {
    "a_aide_logement": "aide_logement",
    "a_prestations_familiales": "prestations_familiales",
    "a_prime_activite": "prime_activite",
}


def _of_the_caf(column: str, name: str) -> Dimension:
    """What the CAF pays besides: whoever is absent from it has none; the MSA's households are left out."""
    group = pl.when(~_S).then(_yes_no(column, name))
    return Dimension(group, f"{name}:oui", "jamais", absent=f"{name}:non")


def _yes_no(column: str, name: str) -> pl.Expr:
    return pl.when(column).then(pl.lit(f"{name}:oui")).when(~pl.col(column)).then(pl.lit(f"{name}:non"))


@dataclass(frozen=True)
class Profile:
    """Rows of ``out__taux`` and of ``out__risques``, without right nor period."""

    rates: list[Row]
    ratios: list[Row]


def profile(right: Right, level: float, with_farmers: bool, generator: np.random.Generator) -> Profile:
    """Observed and corrected rates of every group, and ratios of the corrected ones to their reference."""
    rates: list[Row] = []
    ratios: list[Row] = []
    for dimension in dimensions(with_farmers):
        if right.reading.droit != "rsa" and dimension.absent == "prime_activite:non":
            continue
        counts = _complete(right.reading, dimension)
        found = [{"groupe": line["code"]} | observed_row(line) for line in counts.rows(named=True)]
        if right.result is not None and counts.height:
            estimates = share_out(
                _counts(right, dimension, counts), right.result.central, right.result.drawn, generator
            )
            found += _corrected(right, right.result, counts, estimates, level)
            ratios += _ratios(dimension, counts["code"].to_list(), estimates, level)
        rates += [line for line in found if dimension.extra in ("", line["groupe"])]
    return Profile([{"niveau": "EPCI"} | line for line in rates], ratios)


def _complete(reading: Reading, dimension: Dimension) -> pl.DataFrame:
    """A1 by group; households whose group nobody knows are spread as the others of the same take-up."""
    whole = observed(reading, pl.lit("tous"))
    counts = _named(reading, dimension).join(observed(reading, dimension.group), on="code", how="left")
    counts = counts.fill_null(0.0).sort("code")
    return counts.with_columns(
        pl.col(name) * _scale(_total(whole[name]), _total(counts[name]))
        for name in ("recourants", "non_recourants", "euros")
    )


def _named(reading: Reading, dimension: Dimension) -> pl.DataFrame:
    """Every group that a household of the field is in, also where the CAF file has none."""
    seen = reading.households.filter(ENTITLED, pl.col("strate") != "L").select(code=dimension.group)
    names = pl.Series("code", [dimension.absent] if dimension.absent else [], dtype=pl.String)
    return pl.concat([seen, names.to_frame()]).unique().drop_nulls()


def _scale(whole: float, known: float) -> float:
    return whole / known if known > 0 else 1.0


def _total(values: pl.Series) -> float:
    return float(values.sum())


def _corrected(
    right: Right, result: Estimate, counts: pl.DataFrame, estimates: GroupEstimates, level: float
) -> list[Row]:
    euros = counts["euros"].to_numpy() + estimates.elsewhere @ right.evidence.mean_unclaimed_eur_mois
    figures = zip(counts["code"], estimates.nontakers, estimates.eligible, euros, strict=True)
    rows = [
        {"groupe": code} | row("corrige", float(untaken), float(eligible), float(money))
        for code, untaken, eligible, money in figures
    ]
    ends = [{"taux_bas": low, "taux_haut": high} for low, high in estimates.bounds(level)]
    return [line | end | reliability(result) for line, end in zip(rows, ends, strict=True)]


def _ratios(dimension: Dimension, codes: list[str], estimates: GroupEstimates, level: float) -> list[Row]:
    """Every group but the reference, divided by it; in a dimension cut in two, the group shown."""
    if dimension.reference not in codes:
        return []
    others = [code for code in codes if code != dimension.reference]
    found: list[Row] = []
    for code in others:
        figures = estimates.ratio(codes.index(code), codes.index(dimension.reference), level)
        named = zip(("rapport", "rapport_bas", "rapport_haut"), figures, strict=True)
        found.append({"groupe": code, "reference": dimension.reference, **dict(named)})
    return found


def _counts(right: Right, dimension: Dimension, counts: pl.DataFrame) -> GroupCounts:
    codes, reading = counts["code"].to_list(), right.reading
    paid_a2 = _A2 & (pl.col("situation") == "recourant")
    served = _S & (pl.col("situation") == "recourant")
    a2 = right.sensitivity * _spread_out(reading, dimension, codes, paid_a2, "poids")
    return GroupCounts(
        takers=counts["recourants"].to_numpy() + a2,
        nontakers=counts["non_recourants"].to_numpy(),
        s=_per_group(reading, dimension, codes, served, "poids_menages"),
        errors=_errors(right, dimension, codes),
        a2_share=_a2_share(reading, dimension, codes),
        sharing=_sharing(right, dimension, codes),
    )


def _errors(right: Right, dimension: Dimension, codes: list[str]) -> Floats:
    """1 − Se of each group: recipients simulated not entitled, drawn to the share of all of them."""
    paid = A1 & pl.col("est_paye") & pl.col("eligible").is_in(["oui", "non"])
    known, found = (
        _per_group(right.reading, dimension, codes, condition, "poids_menages")
        for condition in (paid, paid & ENTITLED)
    )
    errors: Floats = 1 - (found + SE_STRENGTH * right.sensitivity) / (known + SE_STRENGTH)
    return errors


def _spread_out(
    reading: Reading, dimension: Dimension, codes: list[str], condition: pl.Expr, weight: str
) -> Floats:
    known = _per_group(reading, dimension, codes, condition, weight)
    whole: Floats = known * _scale(reading.weight(condition, weight), float(known.sum()))
    return whole


def _per_group(
    reading: Reading, dimension: Dimension, codes: list[str], condition: pl.Expr, weight: str
) -> Floats:
    counted = reading.households.filter(condition).group_by(code=dimension.group).agg(n=pl.col(weight).sum())
    found = dict(counted.drop_nulls("code").rows())
    return np.array([float(found.get(code, 0.0)) for code in codes])


def _a2_share(reading: Reading, dimension: Dimension, codes: list[str]) -> Floats:
    """Shares of the A2 of each class by group (groups, 12), columns adding up to 1."""
    if dimension.by_class:
        return _indicator(dimension.by_class, codes)
    pending = _A2 & (pl.col("situation") == "inconnu") & ~pl.col("a_revenu_caf")
    likely = pl.col("part_cpam").fill_null(pl.col("part_cpam").mean().over("classe")).fill_null(1.0)
    counts = _by_class(reading, dimension, codes, pending, pl.col("poids_menages") * likely)
    counts = counts * _kappas(reading, dimension, codes)[:, None]
    overall = counts.sum(axis=1, keepdims=True) + 1e-9
    smoothed = counts + overall / overall.sum()
    share: Floats = smoothed / smoothed.sum(axis=0, keepdims=True)
    return share


def _indicator(names: tuple[str, ...], codes: list[str]) -> Floats:
    return np.array([[float(name == code) for name in names] for code in codes])


def _sharing(right: Right, dimension: Dimension, codes: list[str]) -> Sharing:
    """How X is shared out between the groups of a dimension."""
    nothing = np.zeros((len(codes), CLASSES))
    if dimension.by_class:
        return Sharing(_indicator(dimension.by_class, codes), nothing, nothing[0], 0.0, is_certain=True)
    if dimension.shown == "jamais":
        everybody = (dimension.absent,) * CLASSES
        return Sharing(_indicator(everybody, codes), nothing, nothing[0], 0.0, is_certain=True)
    if dimension.shown == "ressemblance":
        alike = A1 & ENTITLED & ~pl.col("a_aide_logement")
        both = [
            _by_class(right.reading, dimension, codes, alike & condition, pl.col("poids"))
            for condition in (NONTAKER, NONTAKER | TAKER)
        ]
        seen, other = (_whatever_the_c2s(table) for table in both)
        return Sharing(seen, nothing, nothing[0], UNSEEN_SPREAD, other=other)
    return _seen_at_cpam(right, dimension, codes)


def _whatever_the_c2s(table: Floats) -> Floats:
    """The same households in the classes with and without C2S: takers have it, and would only resemble
    takers."""
    cut = table.reshape(len(table), BANDS, 2, 2).sum(axis=2, keepdims=True)
    both: Floats = np.repeat(cut, 2, axis=2).reshape(table.shape)
    return both


def _seen_at_cpam(right: Right, dimension: Dimension, codes: list[str]) -> Sharing:
    recall = right.evidence.rates.entitled.mean[BAND_OF_CLASS]
    part = pl.col("poids_eligible")
    seen = _by_class(right.reading, dimension, codes, _B & ENTITLED, part)
    linked = _by_class(right.reading, dimension, codes, _LINKED & ENTITLED, part)
    seen = seen * _kappas(right.reading, dimension, codes)[:, None]
    if not seen.sum():
        seen = _by_class(right.reading, dimension, codes, _B, pl.col("poids_menages"))
        linked = np.zeros(seen.shape)
    return Sharing(seen, linked, (1 - recall) / recall, SEEN_SPREAD)


def _kappas(reading: Reading, dimension: Dimension, codes: list[str]) -> Floats:
    """κ of each group: entitled on CAF data for one on CPAM data, among linked CAF households paid
    nothing."""
    compared = (
        A1 & pl.col("est_sans_prestation") & ~pl.col("a_revenu_caf") & pl.col("part_cpam").is_not_null()
    )
    pairs = reading.households.filter(compared, pl.col("eligible").is_in(["oui", "non"])).with_columns(
        caf=ENTITLED.cast(pl.Float64), code=dimension.group
    )
    sums = pairs.group_by("code").agg(pl.col("caf").sum(), pl.col("part_cpam").sum())
    found = {code: (caf, cpam) for code, caf, cpam in sums.rows()}
    whole = (_total(pairs["caf"]) + 1) / (_total(pairs["part_cpam"]) + 1)
    sides = np.array([found.get(code, (0.0, 0.0)) for code in codes])
    kappas: Floats = (sides[:, 0] + KAPPA_STRENGTH * whole) / (sides[:, 1] + KAPPA_STRENGTH)
    return kappas


def _by_class(
    reading: Reading, dimension: Dimension, codes: list[str], condition: pl.Expr, weight: pl.Expr
) -> Floats:
    found = reading.households.filter(condition & pl.col("classe").is_not_null())
    counted = found.group_by("classe", code=dimension.group).agg(n=weight.sum()).drop_nulls("code")
    table: Floats = np.zeros((len(codes), CLASSES))
    for classe, code, n in counted.rows():
        if code in codes:
            table[codes.index(code), classe] = n
    return table
