"""The publication rule: what is hidden, and that subtraction does not give it back."""

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from month_by_hand import _RATES as RATES
from month_by_hand import MOIS, fill, rate

from pipelines import disclosure
from pipelines.disclosure import stage as disclosure_stage
from pipelines.disclosure.rule import Cell, Thresholds, decide, decide_counts, own_reason, partitions
from pipelines.refusals import Refusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

LIMITS = Thresholds(seuil=5, seuil_eligibles=20)


def cells(**sizes: tuple[float, float]) -> list[Cell]:
    return [Cell(code, e, n, True) for code, (e, n) in sizes.items()]


@pytest.mark.parametrize(
    ("eligibles", "untaken", "reason"),
    [
        (100, 30, ""),
        (19, 8, "seuil"),
        (100, 4, "seuil"),
        (100, 96, "seuil"),
        (100, 0, "certitude"),
        (100, 100, "certitude"),
    ],
)
def test_a_cell_is_hidden_when_small_or_when_it_tells_everyones_case(
    eligibles: float, untaken: float, reason: str
):
    assert own_reason(Cell("a", eligibles, untaken, True), LIMITS) == reason


def test_a_single_hidden_cell_takes_the_next_smallest_with_it():
    found = decide(cells(a=(300, 90), b=(60, 20), c=(12, 6)), LIMITS)
    assert found == {"a": "", "b": "complementaire", "c": "seuil"}


def test_two_hidden_cells_whose_sum_is_itself_too_small_take_a_third_one():
    found = decide(cells(a=(300, 90), b=(60, 20), c=(9, 4), d=(8, 3)), LIMITS)
    assert found == {"a": "", "b": "complementaire", "c": "seuil", "d": "seuil"}


def test_an_empty_cell_does_not_count_as_company_for_a_hidden_one():
    too_wide = Cell("c", 80, 40, est_diffusable=False)
    for hidden in (cells(c=(12, 6)), [too_wide]):
        found = decide([*cells(a=(300, 90), b=(60, 20), d=(0, 0)), *hidden], LIMITS)
        assert found["b"] == "complementaire"


def test_nothing_is_hidden_where_every_cell_is_large():
    assert set(decide(cells(a=(300, 90), b=(60, 20)), LIMITS).values()) == {""}


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), min_size=1, max_size=8))
def test_what_a_published_total_gives_back_is_never_one_cell_nor_a_small_sum(shape: list[tuple[int, float]]):
    drawn = [Cell(str(i), size, round(size * share), True) for i, (size, share) in enumerate(shape)]
    reasons = decide(drawn, LIMITS)
    hidden = [cell for cell in drawn if reasons[cell.code]]
    if hidden and len(hidden) < len(drawn):
        assert sum(cell.eligibles > 0 for cell in hidden) >= 2
        assert sum(cell.eligibles for cell in hidden) >= LIMITS.seuil_eligibles
    assert all(own_reason(cell, LIMITS) == "" for cell in drawn if not reasons[cell.code])


def test_fifty_and_over_beside_finer_bands_makes_each_side_of_fifty_a_total():
    found = partitions(["age:25-49", "age:50+", "age:50-64", "age:65+", "c2s:oui"])
    assert found["age:50-64"] == found["age:65+"] != found["age:25-49"]
    assert found["age:50+"] not in (found["age:65+"], found["age:25-49"])


def test_fifty_and_over_as_a_band_of_its_own_belongs_to_the_partition_of_ages():
    assert set(partitions(["age:-30", "age:30-49", "age:50+"]).values()) == {"age"}


def test_hidden_values_are_erased_not_only_marked(warehouse: Warehouse):
    hidden = warehouse.read("out__diffusion").filter(est_publie=False)
    values = hidden.select("eligibles", "non_recourants", "taux", "taux_bas", "taux_haut", "euros_mois")
    assert hidden.height
    assert values.null_count().row(0) == (hidden.height,) * 6


def test_no_hidden_grouping_is_the_difference_of_what_is_shown(warehouse: Warehouse):
    shown = warehouse.read("out__diffusion").filter(periode="2026-T2", droit="rsa", methode="corrige")
    truth = warehouse.read("out__taux").filter(periode="2026-T2", droit="rsa", niveau="regroupement")
    hidden = shown.filter(niveau="regroupement", est_publie=False)
    names = hidden["code_territoire"].to_list()
    assert len(names) >= 2
    assert all(len(pair) == 2 for pair in combinations(names, 2))
    assert truth.filter(truth["code_territoire"].is_in(names))["eligibles"].sum() >= 20


def test_communes_and_exclusive_rights_below_the_territory_stay_inside(
    warehouse: Warehouse, settings: Settings
):
    rows = [
        rate(900, 0.3),
        rate(900, 0.3, niveau="commune", code_territoire="31483", methode="observe"),
        rate(300, 0.3, droit="rsa_seul", niveau="regroupement", code_territoire="31483"),
    ]
    fill(warehouse, rows)
    disclosure.run(warehouse, settings, MOIS)
    found = dict(warehouse.query("SELECT niveau, est_publie FROM out__diffusion").rows())
    assert found == {"EPCI": True, "commune": False, "regroupement": False}


def test_the_same_cell_is_never_shown_by_two_methods_below_the_territory(
    warehouse: Warehouse, settings: Settings
):
    pair = [
        rate(300, 0.3, groupe=g, methode=m) for g in ("c2s:oui", "c2s:non") for m in ("corrige", "observe")
    ]
    fill(warehouse, [rate(600, 0.3), *pair])
    disclosure.run(warehouse, settings, MOIS)
    shown = warehouse.query("SELECT methode FROM out__diffusion WHERE est_publie AND groupe <> 'ensemble'")
    assert set(shown["methode"]) == {"corrige"}


def test_a_small_count_is_hidden_with_the_next_one_and_with_its_reasons(warehouse: Warehouse):
    hidden = warehouse.read("out__diffusion_effectifs").filter(est_publie=False)
    assert hidden["menages"].null_count() == hidden.height
    assert set(hidden.select("rubrique", "modalite").rows()) == {
        ("situations", "desaccord"),
        ("situations", "parti"),
        ("desaccords", "A1 ouvert_sans_montant"),
        ("partis", "A1 mutation"),
    }


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 60), max_size=8))
def test_hidden_counts_never_stand_alone_beside_a_known_total(counts: dict[str, float]):
    hidden = decide_counts(counts, 5)
    assert {name for name, count in counts.items() if 0 < count < 5} <= hidden
    if hidden and any(count >= 5 for name, count in counts.items() if name not in hidden):
        assert len(hidden) >= 2
        assert sum(counts[name] for name in hidden) >= 5


def test_a_period_without_estimate_is_refused(warehouse: Warehouse, settings: Settings):
    with pytest.raises(Refusal, match="Aucune estimation"):
        disclosure.run(warehouse, settings, "2026-09")


def commune(code: str, eligibles: float, taux: float = 0.3) -> dict[str, object]:
    return rate(eligibles, taux, niveau="commune", code_territoire=code)


GROUPING_OF = {"a": "g", "b": "g", "c": "g", "d": "h", "e": "h"}


def shown_communes(*rows: dict[str, object]) -> set[str]:
    frame = pl.DataFrame([rate(900, 0.3), *rows], schema=RATES)
    found = disclosure_stage.hide(frame, LIMITS, GROUPING_OF)
    return set(found.filter("est_publie", niveau="commune")["code_territoire"])


def test_a_hidden_commune_takes_the_next_one_of_its_grouping_with_it():
    groupings = [
        rate(size, 0.3, niveau="regroupement", code_territoire=g) for g, size in (("g", 372), ("h", 500))
    ]
    found = shown_communes(
        *groupings,
        commune("a", 300),
        commune("b", 60),
        commune("c", 12),
        commune("d", 400),
        commune("e", 100),
    )
    assert found == {"a", "d", "e"}


def test_communes_of_a_hidden_grouping_are_hidden():
    groupings = [
        rate(size, 0.3, niveau="regroupement", code_territoire=g) for g, size in (("g", 890), ("h", 10))
    ]
    assert shown_communes(*groupings, commune("a", 800), commune("d", 60)) == set()


def test_a_step_is_hidden_with_its_path():
    rows = [rate(900, 0.3)]
    counts = {
        "chemin:primaire": 3,
        "chemin:secondaire": 267,
        "etape:clos": 200,
        "etape:declaration_manquante": 67,
    }
    rows += [rate(900, n / 900, groupe=groupe) for groupe, n in counts.items()]
    found = disclosure_stage.hide(pl.DataFrame(rows, schema=RATES), LIMITS)
    assert set(found.filter("est_publie")["groupe"]) == {"ensemble"}


def test_a_dimension_that_nothing_corrected_is_shown_as_observed():
    rows = [
        rate(900, 0.3),
        rate(400, 0.2, groupe="suite:ponctuel", methode="observe"),
        rate(450, 0.3, groupe="c2s:oui"),
    ]
    found = disclosure_stage.hide(pl.DataFrame(rows, schema=RATES), LIMITS)
    assert "suite:ponctuel" in set(found.filter("est_publie")["groupe"])


def test_a_ratio_is_shown_only_when_both_rates_are():
    rows = [
        rate(900, 0.3),
        rate(400, 0.2, groupe="c2s:oui"),
        rate(500, 0.4, groupe="c2s:non"),
        rate(9, 0.4, groupe="travail:x"),
    ]
    published = disclosure_stage.hide(pl.DataFrame(rows, schema=RATES), LIMITS)
    key = {"droit": "rsa", "code_territoire": "200072643", "periode": "2026-T2"}
    figures = {"rapport": 2.0, "rapport_bas": 1.5, "rapport_haut": 2.5}
    ratios = pl.DataFrame(
        [
            key | {"groupe": "c2s:non", "reference": "c2s:oui"} | figures,
            key | {"groupe": "travail:x", "reference": "c2s:oui"} | figures,
            key | {"groupe": "c2s:non", "reference": "travail:x"} | figures,
        ]
    )
    shown = disclosure_stage.hide_ratios(ratios, published)
    assert shown["rapport"].to_list() == [2.0, None, None]
