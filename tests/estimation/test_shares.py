"""Of which groups the households are that the CAF file does not count: what each is read from."""

import numpy as np
import polars as pl
import pytest

from pipelines.estimation.link_rates import household_recall
from pipelines.estimation.reading import Reading
from pipelines.estimation.shares import Cut, kappas, missed_links, of_a2, of_b, person_missed, reread, seen_as

ALL_AT_98 = np.full(3, 0.98)
CUT = Cut(pl.col("groupe"), ["a", "b"])


class Households:
    """Households of a reading, some at a time."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, n: int, strate: str, groupe: str | None, **known: object) -> None:
        common = {"strate": strate, "groupe": groupe, "classe": 0, "eligible": "oui", "situation": "primaire"}
        common |= {"n_adultes": 1, "poids_menages": 1.0, "poids_eligible": 1.0, "part_cpam": None}
        common |= {"menage_base_id": None, "caf_menage_base_id": None, "est_lie": False}
        self.rows += [common | {"a_revenu_caf": False, "est_sans_prestation": strate == "A1"} | known] * n

    def compared(self, groupe: str, on_caf: int, on_cpam: int) -> None:
        """Linked CAF households that receive nothing: entitled on CAF data, on the CPAM's."""
        both = min(on_caf, on_cpam)
        self.add(both, "A1", groupe, part_cpam=1.0)
        self.add(on_cpam - both, "A1", groupe, part_cpam=1.0, eligible="non")
        self.add(on_caf - both, "A1", groupe, part_cpam=0.0)

    @property
    def reading(self) -> Reading:
        frame = pl.DataFrame(self.rows, infer_schema_length=None).with_columns(
            pl.col("part_cpam").cast(pl.Float64)
        )
        return Reading("rsa", frame, pl.DataFrame())


@pytest.fixture
def homes() -> Households:
    """CAF and CPAM agree on forty households of each group."""
    found = Households()
    for groupe in CUT.codes:
        found.compared(groupe, 40, 40)
    return found


PENDING = {"eligible": "inconnu", "situation": "inconnu"}


def parts(homes: Households, cut: Cut = CUT) -> list[float]:
    """Shares of A2 of the first class by group."""
    return [float(share) for share in of_a2(homes.reading, cut).central()[:, 0]]


def test_a_group_has_the_kappa_of_its_own_households_and_few_of_them_that_of_all() -> None:
    homes = Households()
    homes.compared("a", 100, 400)
    homes.compared("b", 400, 400)
    homes.compared("rare", 0, 1)
    found = kappas(homes.reading, Cut(pl.col("groupe"), ["a", "b", "rare"]))
    assert found.value[0] == pytest.approx(0.25, abs=0.02)
    assert found.value[1] == pytest.approx(1.0, abs=0.02)
    assert found.value[2] == pytest.approx(0.6, abs=0.05)
    assert found.spread(0.2)[2] > 0.3 > found.spread(0.2)[1]


def test_of_a2_the_entitled_on_cpam_incomes_are_shared_not_everybody(homes: Households) -> None:
    for groupe, part in (("a", 0.5), ("b", 0.1)):
        homes.add(100, "A2", groupe, part_cpam=part, **PENDING)
    assert parts(homes) == pytest.approx([5 / 6, 1 / 6], abs=0.01)


def test_a2_of_unknown_incomes_is_between_its_group_and_its_class(homes: Households) -> None:
    homes.add(100, "A2", "a", part_cpam=0.5, **PENDING)
    homes.add(100, "A2", "b", part_cpam=0.1, **PENDING)
    for groupe in CUT.codes:
        homes.add(10_000, "A2", groupe, **PENDING)
    assert 0.55 < parts(homes)[0] < 0.78
    drawn = of_a2(homes.reading, CUT).draw(400, np.random.default_rng(1))[:, 0, 0]
    assert np.quantile(drawn, 0.1) < 0.6 < 0.7 < np.quantile(drawn, 0.9)


def test_a_household_paid_an_income_by_the_caf_is_left_out_of_a2(homes: Households) -> None:
    homes.add(50, "A2", "a", part_cpam=0.5, **PENDING)
    homes.add(50, "A2", "b", part_cpam=0.5, **PENDING)
    before = parts(homes)
    homes.add(500, "A2", "b", part_cpam=1.0, a_revenu_caf=True, **PENDING)
    assert parts(homes) == before


def test_couples_are_missed_as_rarely_as_both_of_them(homes: Households) -> None:
    homes.add(500, "L", "a")
    homes.add(500, "L", "b", n_adultes=2)
    missed = missed_links(homes.reading, CUT, ALL_AT_98)[:, 0]
    assert missed.sum() == pytest.approx(1_000 * 0.02 / 0.98, rel=0.05)
    assert missed[1] < missed[0] / 20


@pytest.mark.parametrize("alone", [1.0, 0.6, 0.2])
def test_the_recall_of_persons_gives_back_that_of_households(alone: float) -> None:
    missed = person_missed(np.array([0.95]), alone)
    assert household_recall(float(1 - missed[0]), alone) == pytest.approx(0.95)


def test_the_absent_are_the_unlinked_less_those_whose_link_was_missed(homes: Households) -> None:
    homes.add(1_000, "L", "a")
    homes.add(40, "B", "a")
    homes.add(40, "B", "b")
    share = of_b(homes.reading, CUT, ALL_AT_98).central()[:, 0]
    missed = 1_000 * 0.02 / 0.98
    assert share[0] == pytest.approx((40 - missed) / (80 - missed), abs=0.01)


def test_without_cpam_incomes_the_absent_are_as_all_the_unlinked(homes: Households) -> None:
    homes.add(30, "B", "a", eligible="inconnu")
    homes.add(10, "B", "b", eligible="inconnu")
    assert of_b(homes.reading, CUT, ALL_AT_98).central()[:, 0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_spouses_whom_the_cpam_has_apart_are_one_household() -> None:
    """Of a hundred couples the CAF knows, it sees seventy as such and thirty as two single persons."""
    homes = Households()
    for n in range(100):
        homes.add(1, "A1", "b", menage_base_id=f"b{n}", est_lie=True)
        homes.add(1, "A1", "a", menage_base_id=f"a{n}", est_lie=True)
        homes.add(1, "L", "a", caf_menage_base_id=f"a{n}")
        homes.add(1 if n < 70 else 2, "L", "b" if n < 70 else "a", caf_menage_base_id=f"b{n}")
    seen = seen_as(homes.reading, CUT)
    assert seen == pytest.approx(np.array([[1.0, 0.6], [0.0, 0.7]]), abs=0.02)
    shown = seen @ np.array([50.0, 100.0])
    assert reread(seen, shown) @ shown == pytest.approx([50.0, 100.0], rel=0.02)
    assert reread(seen, np.zeros(2)) @ np.zeros(2) == pytest.approx([0.0, 0.0])


def test_the_absent_are_reread_as_the_linked_are() -> None:
    homes = Households()
    for n in range(400):
        homes.add(1, "A1", "b", menage_base_id=f"b{n}", est_lie=True)
        homes.add(1, "L", "a" if n % 2 else "b", caf_menage_base_id=f"b{n}", eligible="non")
    homes.add(100, "B", "a")
    homes.add(100, "B", "b")
    assert of_b(homes.reading, CUT, ALL_AT_98).central()[1, 0] > 0.9


def test_without_links_households_are_as_the_cpam_shows_them() -> None:
    homes = Households()
    homes.add(60, "B", "a")
    homes.add(40, "B", "b")
    assert of_b(homes.reading, CUT, ALL_AT_98).central()[:, 0] == pytest.approx([0.6, 0.4], abs=0.01)
