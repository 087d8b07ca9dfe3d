"""How much narrower more answers would make the interval."""

import pytest

from pipelines.estimation import situations, widths
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from tests.estimation.tables import Tables
from tests.estimation.test_stage import territory


def test_two_thousand_more_answers_narrow_the_interval_of_both_rights(
    tables: Tables, warehouse: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.estimation.more_answers.MORE", (0, 100, 2_000))
    territory(tables, size=30)
    tables.write(warehouse)
    situations.build(warehouse, settings, "2026-06")
    found = widths(warehouse, settings, "2026-06")
    assert found.columns == ["reponses_de_plus", "rsa", "ppa"]
    assert found["reponses_de_plus"].to_list() == [0, 100, 2_000]
    for droit in ("rsa", "ppa"):
        now, _, later = found[droit]
        assert 0 < later < now
