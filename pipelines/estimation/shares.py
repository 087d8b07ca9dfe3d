"""Of which groups the non-takers are that the CAF file does not count: chances of households, by group and
class.

A household whose CPAM incomes are known counts for what they say, times the κ of its group; without them, for
the share entitled of the linked CAF households of its group whose CPAM incomes are not known either. Both are
read in A1, on CAF data, among households the CAF pays no income, RSA nor PPA, as everywhere in the estimate.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.estimation.classes import BAND_OF_CLASS, CLASSES, Floats
from pipelines.estimation.groups import Sharing
from pipelines.estimation.reading import A1, COMPARABLE, ENTITLED, LINKED, PENDING_A2, B, L, Reading

KAPPA_STRENGTH = 10.0
"""Entitled households at the overall κ, added to those of each group: the κ of groups differ by a third (a
Gamma law of shape 10), as A1 shows."""

RATE_STRENGTH = 4.0
"""The same for the share entitled on CPAM data: groups differ by a half or more (shape 4)."""

SEEN_SPREAD = 0.2
"""Where CPAM shows the group: what its incomes get wrong in one group more than in another, ± 20 %."""

UNSEEN_SPREAD = 0.4
"""Where it does not: how the absent from the CAF differ from those who resemble them."""

_STEPS = 50
"""Of the search of Richardson and Lucy: few groups, it stops moving sooner."""

_UNPAID_A2 = PENDING_A2 & ~pl.col("a_revenu_caf")


@dataclass(frozen=True)
class Cut:
    """Households cut in groups: an expression, and the name of each group."""

    group: pl.Expr
    codes: list[str]

    def by_class(self, households: pl.DataFrame, condition: pl.Expr, weight: pl.Expr) -> Floats:
        """Sums of ``weight`` by group and class, shape (groups, 12); whoever has no class is left out."""
        found = households.filter(condition & pl.col("classe").is_not_null())
        counted = found.group_by("classe", code=self.group).agg(n=weight.sum()).drop_nulls("code")
        table: Floats = np.zeros((len(self.codes), CLASSES))
        for classe, code, n in counted.rows():
            if code in self.codes:
                table[self.codes.index(code), classe] = n
        return table

    def sums(self, reading: Reading, condition: pl.Expr, weight: pl.Expr) -> Floats:
        """Sums of ``weight`` by group, shape (groups,)."""
        counted = reading.field.filter(condition).group_by(code=self.group).agg(n=weight.sum())
        found = dict(counted.drop_nulls("code").rows())
        return np.array([float(found.get(code, 0.0)) for code in self.codes])


@dataclass(frozen=True)
class Kappas:
    """κ of each group (groups,): entitled on CAF data for one entitled on CPAM data, and the households
    found entitled that it is read from."""

    value: Floats
    entitled: Floats

    def spread(self, prior: float) -> Floats:
        """Relative standard deviation of a group's entitlement: ``prior``, and what so few can tell."""
        return np.asarray(np.hypot(prior, 1 / np.sqrt(self.entitled + KAPPA_STRENGTH)))


def kappas(reading: Reading, cut: Cut) -> Kappas:
    """κ of each group of ``cut``, drawn towards that of all."""
    compared = COMPARABLE & pl.col("part_cpam").is_not_null()
    caf, cpam = (
        cut.sums(reading, compared, value) for value in (ENTITLED.cast(pl.Float64), pl.col("part_cpam"))
    )
    overall = (caf.sum() + 1) / (cpam.sum() + 1)
    return Kappas((caf + KAPPA_STRENGTH * overall) / (cpam + KAPPA_STRENGTH), caf)


def of_a2(reading: Reading, cut: Cut) -> Sharing:
    """How the non-takers of A2 are shared out: by their CPAM incomes, times the κ of their group.

    Households whose CPAM incomes are not known either are as those of A2 of their group whose are, or as all
    those of their class: nobody knows, each draw mixes the two.
    """
    kappa, part, one = kappas(reading, cut), pl.col("part_cpam"), pl.col("poids_menages")
    found = cut.by_class(reading.field, _UNPAID_A2, part.fill_null(0.0) * one)
    read, unread = (
        cut.by_class(reading.field, _UNPAID_A2 & side, one) for side in (part.is_not_null(), part.is_null())
    )
    of_group, of_class = (_relative(found, read, axis) for axis in (1, 0))
    average = float(found.sum()) / max(float(read.sum()), 1e-6)
    as_class = unread * average * of_class
    own, alike = (table * kappa.value[:, None] for table in (found + as_class * of_group, found + as_class))
    return Sharing(own, kappa.spread(SEEN_SPREAD), other=alike)


def _relative(found: Floats, read: Floats, axis: int) -> Floats:
    """Share entitled along an axis for one overall, drawn towards it."""
    overall = max(float(found.sum()), 1e-6) / max(float(read.sum()), 1e-6)
    entitled, households = (table.sum(axis=axis, keepdims=True) for table in (found, read))
    relative: Floats = (entitled + RATE_STRENGTH) / (households * overall + RATE_STRENGTH)
    return relative


def of_b(reading: Reading, cut: Cut, recall: Floats) -> Sharing:
    """How X is shared out where CPAM households show the group. ``recall``: of households, by age band
    (3,)."""
    kappa = kappas(reading, cut)
    entitled = cut.by_class(reading.field, B & ENTITLED, pl.col("poids_eligible"))
    missed = missed_links(reading, cut, recall)
    if not entitled.sum():
        entitled = cut.by_class(reading.households, B, pl.col("poids_menages"))
        missed = np.zeros(entitled.shape)
    net = np.maximum((entitled - missed).sum(axis=1), 0.0)
    own = kappa.value[:, None] * reread(seen_as(reading, cut), net)
    return Sharing(own @ entitled, kappa.spread(SEEN_SPREAD), own @ missed)


def seen_as(reading: Reading, cut: Cut) -> Floats:
    """CPAM households by group, for a linked CAF household of each group: rows are CPAM groups, columns CAF
    ones.

    Spouses whom the CPAM has at two addresses are two households of one adult.
    """
    compared = A1 & pl.col("est_sans_prestation") & pl.col("est_lie")
    at_caf = reading.households.filter(compared).select("menage_base_id", caf=cut.group)
    linked = reading.households.filter(L).select("caf_menage_base_id", cpam=cut.group)
    pairs = linked.join(at_caf, left_on="caf_menage_base_id", right_on="menage_base_id")
    table = np.eye(len(cut.codes))
    for cpam, caf, n in pairs.group_by("cpam", "caf").len().drop_nulls().rows():
        if cpam in cut.codes and caf in cut.codes:
            table[cut.codes.index(cpam), cut.codes.index(caf)] += n
    households = dict(at_caf.group_by("caf").len().drop_nulls().rows())
    found: Floats = table / (1 + np.array([households.get(code, 0) for code in cut.codes]))
    return found


def reread(seen: Floats, counts: Floats) -> Floats:
    """Households of each group (rows) for one that CPAM shows in another (columns).

    ``counts`` are what CPAM shows; the households that explain them best (Richardson 1972, Lucy 1974) are
    looked for from those of the CPAM themselves.
    """
    total, groups = seen.sum(axis=0), counts + 1e-9
    for _ in range(_STEPS):
        expected = np.maximum(seen @ groups, 1e-12)
        groups = groups * (seen.T @ (counts / expected)) / total
    share: Floats = seen.T * groups[:, None] / np.maximum(seen @ groups, 1e-12) / total[:, None]
    return share


def missed_links(reading: Reading, cut: Cut, recall: Floats) -> Floats:
    """Unlinked households entitled on CPAM data that the CAF knows, by group and class (groups, 12).

    A household of two adults is linked as soon as one is: it is missed as rarely as both are.
    """
    alone = pl.col("n_adultes") == 1
    entitled, part = LINKED & ENTITLED, pl.col("poids_eligible")
    one, several = (cut.by_class(reading.field, entitled & who, part) for who in (alone, ~alone))
    share = one.sum() / max(float(one.sum() + several.sum()), 1e-12)
    missed = person_missed(recall, share)[BAND_OF_CLASS]
    links: Floats = one * missed / (1 - missed) + several * missed**2 / (1 - missed**2)
    return links


def person_missed(recall: Floats, one_adult_share: float) -> Floats:
    """Chance that a person is not linked, from the recall of households: a·m + (1 − a)·m² = 1 − R."""
    lost = 1 - recall
    both = np.sqrt(one_adult_share**2 + 4 * (1 - one_adult_share) * lost)
    missed: Floats = 2 * lost / (one_adult_share + both)
    return missed
