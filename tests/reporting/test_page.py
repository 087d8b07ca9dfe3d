"""The page itself: well formed, self-contained, accessible, the same bytes for the same figures."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelines.reporting.page import _environment

HEADINGS = ("h1", "h2", "h3", "h4")
SVG = "{http://www.w3.org/2000/svg}svg"

CONTRASTS = [
    ("encre", "papier"), ("gris", "papier"), ("accent", "papier"), ("repere", "papier"),
    ("encre", "fond"), ("papier", "encre"),
]  # fmt: skip


@pytest.fixture(scope="module")
def text(rendered: Path) -> str:
    return rendered.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> ElementTree.Element:
    """The page read as XML: a page that is not well formed is not read at all."""
    return ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_page_is_in_french_and_has_one_title(page: ElementTree.Element):
    assert page.get("lang") == "fr"
    assert len(list(page.iter("h1"))) == 1


def test_headings_never_skip_a_level(page: ElementTree.Element):
    levels = [int(element.tag[1]) for element in page.iter() if element.tag in HEADINGS]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_first_link_skips_to_the_content(page: ElementTree.Element):
    body = page.find("body")
    assert body is not None
    assert (body[0].tag, body[0].get("href")) == ("a", "#contenu")
    assert page.find(".//main[@id='contenu']") is not None


def test_ids_are_unique_and_every_inner_link_leads_somewhere(page: ElementTree.Element):
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    targets = [a.get("href", "")[1:] for a in page.iter("a") if a.get("href", "").startswith("#")]
    assert set(targets) <= set(ids)


def test_every_figure_has_a_caption_a_name_a_sentence_and_its_table(page: ElementTree.Element):
    order = [e for e in page.iter() if e.tag in ("figure", "table") or e.get("class") == "a-voir"]
    kinds = [e.tag for e in order]
    figures = [i for i, kind in enumerate(kinds) if kind == "figure"]
    assert len(figures) >= 4
    for i in figures:
        drawing = order[i].find(SVG)
        assert drawing is not None
        assert (drawing.get("role"), bool(drawing.get("aria-label"))) == ("img", True)
        assert order[i].find("figcaption") is not None
        assert kinds[i + 1 : i + 3] == ["p", "table"]


def test_every_table_has_a_caption_and_scoped_headers(page: ElementTree.Element):
    tables = list(page.iter("table"))
    assert len(tables) >= 8
    for table in tables:
        caption = table.find("caption")
        assert caption is not None
        assert words(caption)
        assert {th.get("scope") for th in table.iter("th")} <= {"col", "row", "rowgroup"}
        assert all(headed(row, table) for row in table.iter("tr"))


def headed(row: ElementTree.Element, table: ElementTree.Element) -> bool:
    """True when a row has a header of its own, or stands under the header of its group of rows."""
    return row.find("th") is not None or table.find(".//th[@scope='rowgroup']") is not None


def test_nothing_is_loaded_and_nothing_runs(page: ElementTree.Element, text: str):
    assert not list(page.iter("script"))
    assert not [e.tag for e in page.iter() if e.get("src") or e.get("srcset") or e.tag == "link"]
    assert not [key for e in page.iter() for key in e.attrib if key.startswith("on")]
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


@pytest.mark.parametrize(("ink", "ground"), CONTRASTS)
def test_colours_of_the_style_sheet_are_readable(text: str, ink: str, ground: str):
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", text))
    assert contrast(colours[ink], colours[ground]) >= 4.5


def test_what_is_hidden_is_marked_the_same_way_everywhere(page: ElementTree.Element):
    cells = [td for td in page.iter("td") if "secret" in words(td).lower()]
    assert len(cells) >= 4
    assert {words(td) for td in cells} == {"secret statistique"}
    assert all(td.find("span[@class='secret']") is not None for td in cells)


def test_the_headline_says_that_nothing_was_verified(page: ElementTree.Element):
    claims = page.findall(".//div[@class='constat']/p")
    assert [words(claim).startswith("Non vérifié") for claim in claims] == [True, True]


def test_the_cover_says_demonstration_months_date_contact_and_edition(page: ElementTree.Element):
    header = page.find(".//header")
    assert header is not None
    cover = words(header)
    for said in ("Démonstration.", "CAF, juin 2026", "CPAM, mai 2026 (un mois de retard)",
                 "30 juillet 2026, édition 1", "observatoire@exemple.fr", "3e trimestre 2026"):  # fmt: skip
        assert said in cover


def test_rates_are_printed_without_decimals_where_a_group_is_small(page: ElementTree.Element):
    sections = [s for s in page.iter("section") if s.get("aria-labelledby") in ("essentiel", "ou", "qui")]
    assert len(sections) == 3
    assert not [s for s in sections if re.search(r"\d,\d", words(s))]


def test_text_from_outside_is_written_as_text():
    template = _environment().from_string("{{ nom }}")
    assert template.render(nom="<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
