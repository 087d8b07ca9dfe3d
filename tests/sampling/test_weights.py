"""What the estimate reads of the answers: one per household, of the year, with the weight of its draw."""

import polars as pl
import pytest

from pipelines.estimation import situations
from pipelines.estimation.evidence import evidence
from pipelines.estimation.reading import read
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse
from tests.estimation.tables import Tables


@pytest.fixture
def answers(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    root = tmp_path_factory.mktemp("poids")
    with open_warehouse(root / "essai.duckdb", root / "travail") as warehouse:

        def look(tables: Tables) -> pl.DataFrame:
            tables.write(warehouse)
            situations.build(warehouse, Settings(), "2026-06")
            return warehouse.query_file("core/situations_reponses")

        look.warehouse = warehouse  # type: ignore[attr-defined]
        yield look


def weights(rows: pl.DataFrame) -> dict[str, float]:
    return {name: round(weight, 6) for name, weight in rows.select("menage_base_id", "poids_reponse").rows()}


def asked(tables: Tables, strata: dict[str, tuple[str, float, int | None]]) -> Tables:
    """Households of the CPAM by name: stratum, weight, answer on the CAF (None: nobody answered)."""
    for name, (stratum, weight, known) in strata.items():
        tables.cpam(name)
        tables.verified("cpam", name, poids=weight, connu_caf=known)
        tables.rows["meta__echantillon"][-1]["strate_tirage"] = stratum
    return tables


def test_those_who_answered_stand_for_those_of_their_stratum_who_did_not(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    told = {"a": ("s", 10.0, 1), "b": ("s", 10.0, None), "c": ("t", 3.0, 0), "d": ("t", 3.0, 1)}
    assert weights(answers(asked(tables, told))) == {"a": 20, "c": 3, "d": 3}


def test_a_stratum_that_is_all_silent_is_carried_by_the_others(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    told = {"a": ("s", 10.0, None), "c": ("t", 3.0, 0), "d": ("t", 3.0, 1)}
    assert weights(answers(asked(tables, told))) == {"c": 8, "d": 8}


def test_weights_are_the_same_to_the_last_bit_whatever_the_order_of_the_rows(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    told = {f"h{n:02}": (f"s{n % 2}", 1 + n**0.5, None if n % 5 == 0 else n % 2) for n in range(60)}
    first = answers(asked(tables, told))
    warehouse: Warehouse = answers.warehouse
    warehouse.replace("meta__echantillon", warehouse.read("meta__echantillon").reverse())
    warehouse.replace("meta__echantillon_reponses", warehouse.read("meta__echantillon_reponses").reverse())
    assert warehouse.query_file("core/situations_reponses").equals(first)


def test_draws_of_the_last_twelve_months_count_and_no_older_nor_later_one(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    for n, month in enumerate(("2025-06", "2025-07", "2026-06", "2026-07")):
        tables.cpam(f"h{n}")
        tables.verified("cpam", f"h{n}", connu_caf=1)
        tables.rows["meta__echantillon"][-1] |= {"mois": month, "tirage": f"{month}-1"}
    assert set(weights(answers(tables))) == {"h1", "h2"}


def test_the_newest_of_two_answers_is_read(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    tables.cpam("b")
    tables.verified("cpam", "b", connu_caf=0, verifie_le="2026-06")
    again = {"partenaire": "cpam", "echantillon_id": "cpam-b", "rang": 2}
    tables.add("meta__echantillon_reponses", **again, connu_caf=1, verifie_le="2026-07")
    assert answers(tables)["connu_caf"].to_list() == [1]


def test_the_link_rates_and_the_coverage_weigh_each_answer_as_it_was_drawn(answers, tables: Tables) -> None:  # type: ignore[no-untyped-def]
    """Two households of the CAF, one drawn four times as often: the rarer one stands for four."""
    for name, weight, known in (("a", 4.0, 1), ("b", 1.0, 0)):
        tables.caf(name)
        tables.verified("caf", name, volet="RAPPEL", poids=weight, connu_cpam=known)
    answers(tables)
    warehouse: Warehouse = answers.warehouse
    found = evidence(read(warehouse, "rsa"), warehouse.read("out__qualite_appariement"), 1.0)
    told = found.rates.entitled.seen
    assert (told.known / told.asked, told.asked) == pytest.approx((0.8, 25 / 17))
