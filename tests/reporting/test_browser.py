"""The page in a real browser: no request, no overflow on a telephone, readable colours, printable."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

LOW_CONTRAST = """
() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const lum = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4))
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    if (!text) continue;
    const style = getComputedStyle(e);
    const isDrawn = e.namespaceURI.endsWith('svg');
    if (isDrawn && style.fill === 'none') continue;
    if (isDrawn && style.stroke !== 'none') continue;
    const [a, b] = [lum(parse(isDrawn ? style.fill : style.color)), lum(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([text.slice(0, 40), ratio]);
  }
  return found;
}
"""


def test_the_page_asks_for_nothing_but_itself(browser: Browser, rendered: Path):
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(rendered.as_uri())
    assert asked == [rendered.as_uri()]


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_never_scrolls_sideways(browser: Browser, rendered: Path, width: int):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(rendered.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_text_stands_out_from_its_ground(browser: Browser, rendered: Path):
    page = browser.new_page()
    page.goto(rendered.as_uri())
    assert page.evaluate(LOW_CONTRAST) == []


def test_no_name_of_a_drawing_is_cut(browser: Browser, rendered: Path):
    page = browser.new_page()
    page.goto(rendered.as_uri())
    drawn = page.evaluate("[...document.querySelectorAll('svg text')].map(t => t.textContent)")
    assert drawn
    assert not [text for text in drawn if text.endswith("…")]


def test_the_keyboard_reaches_the_skip_link_first(browser: Browser, rendered: Path):
    page = browser.new_page()
    page.goto(rendered.as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"


def test_the_page_prints_on_a_few_sheets_without_losing_a_column(browser: Browser, rendered: Path):
    page = browser.new_page(viewport={"width": 657, "height": 980})  # A4 less its margins, at 96 dpi
    page.goto(rendered.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 657
    printed = page.pdf(prefer_css_page_size=True)
    sheets = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 5 <= sheets <= 16
