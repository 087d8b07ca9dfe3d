"""Charts an analyst reads: French throughout, no value, no condition written in SQL."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipelines.linkage.charts import in_french
from pipelines.linkage.model import COMPARISONS
from tests.linkage.conftest import Linked
from tests.linkage.people import MOIS

ENGLISH = re.compile(
    r"\b(match|matching|weight|comparison|record|records|label|column|prior|score|starting|amongst|value)\b",
    re.I,
)
READ = ("title", "text", "subtitle", "label_for_charts", "column_name", "comparison_name")


def _chart(linked: Linked, name: str) -> dict[str, Any]:
    page = linked.settings.dossiers.sorties / "appariement" / MOIS / f"{name}.html"
    text = page.read_text(encoding="utf-8")
    start = text.rindex("vegaEmbed(document")
    chart: dict[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{", start))[0]
    return chart


def _read(part: Any, key: str = "") -> Iterator[str]:
    """Everything a reader of the chart sees."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _read(value, name)
    elif isinstance(part, list):
        for item in part:
            yield from _read(item, key)
    elif isinstance(part, str) and key in READ:
        yield part


@pytest.mark.parametrize("name", ["poids", "m_et_u", "cascade"])
def test_a_chart_is_read_in_french_only(linked: Linked, name: str) -> None:
    words = set(_read(_chart(linked, name)))
    assert not {word for word in words if ENGLISH.search(word)}
    assert "Date de naissance" in words
    assert "même grande commune" in words


@pytest.mark.parametrize("name", ["poids", "m_et_u", "cascade"])
def test_a_chart_is_drawn_in_a_real_browser(linked: Linked, browser: Browser, name: str) -> None:
    page, faults, asked = browser.new_page(), [], []
    page.on("pageerror", lambda error: faults.append(error.message))
    page.on("request", lambda request: asked.append(request.url))
    file = linked.settings.dossiers.sorties / "appariement" / MOIS / f"{name}.html"
    page.goto(file.as_uri())
    page.wait_for_selector(".vega-embed canvas, .vega-embed svg")
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert (faults, asked) == ([], [file.as_uri()])


@pytest.mark.parametrize("name", ["poids", "m_et_u", "cascade"])
def test_a_chart_holds_neither_condition_nor_value(linked: Linked, name: str) -> None:
    text = json.dumps(_chart(linked, name))
    assert "jeton_" not in text and "value_l" not in text and "sql_condition" not in text


@pytest.mark.parametrize("name", ["poids", "m_et_u", "cascade"])
def test_a_chart_has_no_random_mark(linked: Linked, name: str) -> None:
    page = linked.settings.dossiers.sorties / "appariement" / MOIS / f"{name}.html"
    assert f"splink-chart-{name}'" in page.read_text(encoding="utf-8")


def test_every_comparison_has_a_french_name() -> None:
    assert not [spec.nom for spec in COMPARISONS if in_french(spec.nom) == spec.nom]


def test_a_name_quoted_by_an_expression_follows_the_name_in_the_data() -> None:
    chart = {"calculate": "datum.a === \"Final score\" || datum.a == 'Prior'", "values": [{"a": "Prior"}]}
    assert in_french(chart) == {
        "calculate": "datum.a === \"Poids final\" || datum.a == 'Départ'",
        "values": [{"a": "Départ"}],
    }
