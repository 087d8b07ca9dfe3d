"""French numbers, dates and spaces."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reporting import nombres


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (nombres.euros(1234.5, 1), "1\u202f234,5\u202f€"),
        (nombres.percent(31), "31\u202f%"),
        (nombres.number(1234567), "1\u202f234\u202f567"),
        (nombres.number(-2), "−2"),
        (nombres.number(-0.2), "0"),
        (nombres.between(27, 35), "entre 27 et 35"),
        (nombres.between(31, 31), "environ 31"),
        (nombres.day(date(2026, 7, 1)), "1er\u00a0juillet 2026"),
        (nombres.month("2026-08"), "août\u00a02026"),
        (nombres.months("2026-04", "2026-06"), "avril à juin\u00a02026"),
        (nombres.months("2025-12", "2026-02"), "décembre\u00a02025 à février\u00a02026"),
        (nombres.quarter("2026-T1"), "1er\u00a0trimestre 2026"),
        (nombres.quarter("2026-03_2026-05"), "mars à mai\u00a02026"),
        (nombres.enumeration(["a", "b", "c"]), "a, b et c"),
        (nombres.enumeration(["a"]), "a"),
        (nombres.enumeration([]), ""),
    ],
)
def test_numbers_and_dates_are_written_as_the_imprimerie_nationale_writes_them(written: str, expected: str):
    assert written == expected


@given(st.integers(-(10**12), 10**12))
def test_a_written_integer_reads_back(value: int):
    written = nombres.number(value).replace(nombres.NARROW, "").replace(nombres.MINUS, "-")
    assert int(written) == value


def test_french_spaces_touch_the_text_and_leave_tags_and_styles_alone():
    page = '<style>a : b;</style><p title="x : y">Il y a « 5 % » : vrai ; le 1er d\'avril ?</p>'
    assert nombres.spaced(page) == (
        '<style>a : b;</style><p title="x : y">Il y a «\u00a05\u202f%\u00a0»\u00a0: vrai\u202f; '
        "le 1<sup>er</sup> d’avril\u202f?</p>"
    )


@given(st.text(alphabet="ab :;!?«»%'1e<>/\"", max_size=60))
def test_french_spaces_are_placed_once_and_for_all(text: str):
    once = nombres.spaced(text)
    if "<" not in once:
        assert nombres.spaced(once) == once
