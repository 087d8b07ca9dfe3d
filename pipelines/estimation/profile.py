"""Who: non-take-up by group over the territory, its interval, and how it compares with a reference group."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from pipelines.estimation.classes import BAND_OF_CLASS, BANDS, C2S_OF_CLASS, CLASSES, Floats
from pipelines.estimation.estimator import Estimate
from pipelines.estimation.groups import GroupCounts, GroupEstimates, Sharing, share_out
from pipelines.estimation.reading import A1, A2, ENTITLED, KNOWN, NONTAKER, TAKER, L, Reading, S
from pipelines.estimation.rows import Right, Row, observed, observed_row, reliability, row
from pipelines.estimation.shares import UNSEEN_SPREAD, Cut, of_a2, of_b

AGE_GROUPS = ("age:-50", "age:50-64", "age:65+")
"""Also the bands of the classes; 50+ is shown beside them (a public of the experiment)."""
OVER_50, UNDER_50 = "age:50+", "age:-50"

SE_STRENGTH = 20.0
"""Recipients at the overall sensitivity, added to those of each group before its own is used."""

Shown = Literal["classe", "cpam", "jamais", "ressemblance"]


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
        Dimension(pl.lit("travail:") + _work(), "travail:sans_emploi", "cpam"),
        Dimension(pl.lit("distance:") + pl.col("distance"), "distance:moins_10", "cpam"),
        *([farm] if with_farmers else []),
        Dimension(pl.lit("logement:") + pl.col("logement"), "logement:locataire", "ressemblance"),
        *(_of_the_caf(column, name) for column, name in _BENEFITS.items()),
    )


def _work() -> pl.Expr:
    """Work as incomes show it; a household of A2 has none at the CAF: those of the CPAM, or nobody knows."""
    at_cpam = (
        pl.when("est_salarie_cpam").then(pl.lit("salarie"))
        .when(pl.col("part_cpam").is_not_null()).then(pl.lit("sans_emploi"))
    )  # fmt: skip
    return pl.when(A2 & (pl.col("activite") == "sans_emploi")).then(at_cpam).otherwise("activite")


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
    group = pl.when(~S).then(_yes_no(column, name))
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
            found_there = _counts(right, dimension, counts)
            estimates = share_out(found_there, right.result.central, right.result.drawn, generator)
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
    seen = reading.field.filter(ENTITLED | A2, ~L).select(code=dimension.group)
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
    reading, cut = right.reading, Cut(dimension.group, counts["code"].to_list())
    paid_a2 = A2 & (pl.col("situation") == "recourant")
    served = S & (pl.col("situation") == "recourant")
    return GroupCounts(
        takers=counts["recourants"].to_numpy() + right.sensitivity * _spread_out(reading, cut, paid_a2),
        nontakers=counts["non_recourants"].to_numpy(),
        s=cut.sums(reading, served, pl.col("poids_menages")),
        errors=_errors(right, cut),
        a2=_certain(dimension.by_class, cut) if dimension.by_class else of_a2(reading, cut),
        x=_of_x(right, dimension, cut),
    )


def _errors(right: Right, cut: Cut) -> Floats:
    """1 − Se of each group: recipients simulated not entitled, drawn to the share of all of them."""
    paid = A1 & KNOWN & pl.col("est_paye")
    known, found = (
        cut.sums(right.reading, condition, pl.col("poids_menages")) for condition in (paid, paid & ENTITLED)
    )
    errors: Floats = 1 - (found + SE_STRENGTH * right.sensitivity) / (known + SE_STRENGTH)
    return errors


def _spread_out(reading: Reading, cut: Cut, condition: pl.Expr) -> Floats:
    known = cut.sums(reading, condition, pl.col("poids"))
    whole: Floats = known * _scale(reading.weight(condition), float(known.sum()))
    return whole


def _certain(names: tuple[str, ...], cut: Cut) -> Sharing:
    indicator = np.array([[float(name == code) for name in names] for code in cut.codes])
    return Sharing(indicator, np.zeros(len(cut.codes)), is_certain=True)


def _of_x(right: Right, dimension: Dimension, cut: Cut) -> Sharing:
    """How X is shared out between the groups of a dimension."""
    if dimension.by_class or dimension.shown == "jamais":
        return _certain(dimension.by_class or (dimension.absent,) * CLASSES, cut)
    if dimension.shown == "ressemblance":
        return _alike(right.reading, cut)
    return of_b(right.reading, cut, right.evidence.rates.entitled.mean)


def _alike(reading: Reading, cut: Cut) -> Sharing:
    """As the CAF's households without housing benefit: its non-takers, and all those entitled."""
    alike = A1 & ENTITLED & ~pl.col("a_aide_logement")
    seen, other = (
        _whatever_the_c2s(cut.by_class(reading.field, alike & condition, pl.col("poids")))
        for condition in (NONTAKER, NONTAKER | TAKER)
    )
    return Sharing(seen, np.full(len(cut.codes), UNSEEN_SPREAD), other=other)


def _whatever_the_c2s(table: Floats) -> Floats:
    """The same households in the classes with and without C2S: takers have it, and would only resemble
    takers."""
    cut = table.reshape(len(table), BANDS, 2, 2).sum(axis=2, keepdims=True)
    both: Floats = np.repeat(cut, 2, axis=2).reshape(table.shape)
    return both
