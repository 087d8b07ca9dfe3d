"""The NIR: structure, consistency, key; provisional numbers apart."""

import polars as pl
import pytest
import stdnum.fr.nir as oracle
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identifiers import nir
from tests.source.conftest import PATIENT


def read(
    number: str | None, sexe: str | None = None, annee: int | None = None, mois: int | None = None
) -> tuple[str | None, str | None]:
    frame = pl.DataFrame(
        {"nir": [number], "sexe": [sexe], "annee": [annee], "mois": [mois]},
        schema={"nir": pl.String, "sexe": pl.String, "annee": pl.Int32, "mois": pl.Int8},
    )
    found = nir.nir("nir", sexe=pl.col("sexe"), annee=pl.col("annee"), mois=pl.col("mois"))
    definitive, provisional = frame.select(d=found.definitif, p=found.provisoire).row(0)
    return definitive, provisional


def with_key(first13: str) -> str:
    return first13 + oracle.calc_check_digits(first13)


def one(expression: pl.Expr, number: str) -> object:
    return pl.DataFrame({"n": [number]}).select(expression).item()


def test_the_examples_of_the_reference_library_pass() -> None:
    assert read("2 95 10 99 126 111 93") == ("2951099126111", None)
    assert read("253072B07300470", annee=None) == ("253072B073004", None)


DEPARTMENTS = st.sampled_from(["01", "09", "19", "2A", "2B", "31", "59", "75", "95"])
FIRST13 = st.builds(
    "{}{:02d}{:02d}{}{:03d}{:03d}".format,
    st.sampled_from("12"),
    st.integers(0, 99),
    st.integers(1, 12),
    DEPARTMENTS,
    st.integers(1, 990),
    st.integers(1, 999),
)


@PATIENT
@given(FIRST13)
def test_the_key_is_the_one_of_the_reference_library(first13: str) -> None:
    assert one(nir.key(pl.col("n")), first13) == int(oracle.calc_check_digits(first13))
    assert read(with_key(first13)) == (first13, None)


@PATIENT
@given(FIRST13, st.integers(0, 99))
def test_another_key_is_refused(first13: str, key: int) -> None:
    number = f"{first13}{key:02d}"
    assert (read(number) == (first13, None)) == oracle.is_valid(number)


@PATIENT
@given(st.text("0123456789ABab -.", max_size=18))
def test_no_text_is_accepted_with_a_key_the_reference_library_refuses(text: str) -> None:
    accepted, _ = read(text)
    if accepted and len(oracle.compact(text).replace("-", "")) == 15:
        assert oracle.is_valid(text.replace("-", ""))


def test_random_digits_hardly_ever_pass() -> None:
    numbers = pl.DataFrame({"n": [f"{(i * 7_919_919_919_919) % 10**15:015d}" for i in range(20_000)]})
    passed = numbers.select((nir.has_structure(pl.col("n")) & nir.has_right_key(pl.col("n"))).sum()).item()
    assert passed < 20_000 * 0.002


@pytest.mark.parametrize(
    "first13",
    [
        "1801331555001",  # month 13
        "1804331555001",  # month 43
        "1800500001001",  # département 00
        "1800531000001",  # commune 000
        "1800531991001",  # commune 991
        "1800531555000",  # order 000
        "1800597001001",  # 970 is no territory
        "1800599001001",  # country 001
        "5800531555001",  # first digit
        "180053155500",  # too short
    ],
)
def test_what_cannot_exist_is_refused(first13: str) -> None:
    key = 97 - int(first13) % 97
    assert read(f"{first13}{key:02d}") == (None, None)
    assert read(first13) == (None, None)


@pytest.mark.parametrize(
    "first13",
    ["1802031555001", "1803131555001", "1805031555001", "1809931555001", "1800597105001", "1800599352001"],
)
def test_fictive_months_and_births_overseas_and_abroad_are_accepted(first13: str) -> None:
    assert read(with_key(first13), "1", 1980, 5) == (first13, None)
    assert read(first13, "1", 1980, 5) == (first13, None)


@pytest.mark.parametrize(
    ("sexe", "annee", "mois", "accepted"),
    [
        ("1", 1980, 5, True),
        (None, None, None, True),
        ("1", 1980, None, True),
        ("2", 1980, 5, False),
        ("1", 1981, 5, False),
        ("1", 1980, 6, False),
    ],
)
def test_a_number_without_key_that_contradicts_the_record_is_no_evidence(
    sexe: str | None, annee: int | None, mois: int | None, accepted: bool
) -> None:
    number = "1800531555001"
    assert read(number, sexe, annee, mois) == (number if accepted else None, None)


@pytest.mark.parametrize(("sexe", "annee", "mois"), [("2", 1980, 5), ("1", 1981, 5), ("1", 1980, 6)])
def test_a_right_key_vouches_for_a_number_its_record_contradicts(sexe: str, annee: int, mois: int) -> None:
    number = "1800531555001"
    assert read(with_key(number), sexe, annee, mois) == (number, None)
    assert read(with_key(number)[:13] + "00", sexe, annee, mois) == (None, None)


@pytest.mark.parametrize(
    ("first13", "annee", "accepted"),
    [
        ("1700520004001", 1970, True),
        ("1800520004001", 1980, False),
        ("180052A004001", 1980, True),
        ("170052A004001", 1970, False),
        ("1600596001001", 1960, True),
        ("1800596001001", 1980, False),
    ],
)
def test_the_departement_is_one_of_its_time(first13: str, annee: int, accepted: bool) -> None:
    assert read(first13, "1", annee, 5) == (first13 if accepted else None, None)


@pytest.mark.parametrize("first", "3478")
def test_provisional_numbers_are_kept_apart(first: str) -> None:
    number = first + "800531555001"
    assert read(with_key(number), "1", 1980, 5) == (None, number)
    assert read(with_key(number)[:-2] + "00") == (None, None)
