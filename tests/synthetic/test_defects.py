"""Partners mistype at the published rates."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.synthetic.defects import HABITS, Habits, plain, retyped, typed, typed_addresses

SIZE = 20_000
CLEAN = Habits(0.0, 0.0, 0.0, 0.0, 0.0, "capitales", 0.0)


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    dates = [date(1930, 1, 1) + timedelta(days=2 * n % 30_000) for n in range(SIZE)]
    return pl.DataFrame(
        {
            "sexe": pl.Series([1, 2] * (SIZE // 2), dtype=pl.Int8),
            "date_naissance": dates,
            "lieu_naissance": ["31483"] * SIZE,
            "nom_naissance": ["CAZENEUVE"] * SIZE,
            "nom_usage": [None, "BARTHELEMY"] * (SIZE // 2),
            "prenoms": ["MARGUERITE JEANNE"] * SIZE,
            "nir": ["154013148350011"] * SIZE,
            "nir_provisoire": pl.Series([None] * SIZE, dtype=pl.String),
            "est_ne_etranger": [False] * (SIZE // 2) + [True] * (SIZE // 2),
            "est_precaire": [False] * SIZE,
            "est_non_recourant": [False] * SIZE,
            "est_jeune": [False] * SIZE,
        }
    )


@pytest.fixture(scope="module")
def seen(truth: pl.DataFrame) -> pl.DataFrame:
    return typed(np.random.default_rng(3), truth, CLEAN)


def share(condition: pl.Series) -> float:
    return float(condition.fill_null(False).mean() or 0)


def test_three_surnames_in_a_hundred_have_two_letters_wrong(seen: pl.DataFrame) -> None:
    assert share(seen["nom_naissance"] != "CAZENEUVE") == pytest.approx(0.03, abs=0.005)


def test_three_given_names_in_a_hundred_have_one_letter_wrong(seen: pl.DataFrame) -> None:
    assert share(seen["prenoms"].str.replace(",", "") != "MARGUERITE JEANNE") == pytest.approx(
        0.03, abs=0.005
    )


@pytest.mark.parametrize("field", ["nom_naissance", "prenoms", "date_naissance", "sexe", "lieu_naissance"])
def test_one_field_in_a_hundred_is_missing(seen: pl.DataFrame, field: str) -> None:
    assert share(seen[field].is_null()) == pytest.approx(0.01, abs=0.003)


def test_two_dates_in_a_hundred_are_swapped(truth: pl.DataFrame, seen: pl.DataFrame) -> None:
    whole = ~seen["date_naissance"].str.contains(r"-(00|99)|^1028").fill_null(False)
    true = truth["date_naissance"].dt.strftime("%Y-%m-%d")
    assert share((seen["date_naissance"] != true) & whole) == pytest.approx(0.02, abs=0.005)


def test_unknown_days_come_from_abroad_more_often(seen: pl.DataFrame) -> None:
    unknown = seen["date_naissance"].str.contains(r"-(00|99)$").fill_null(False)
    assert share(unknown[SIZE // 2 :]) > 5 * share(unknown[: SIZE // 2])


def test_the_nir_is_missing_more_often_for_the_fragile(truth: pl.DataFrame) -> None:
    fragile = truth.with_columns(est_non_recourant=pl.int_range(pl.len()) % 4 < 2)
    nir = typed(np.random.default_rng(4), fragile, HABITS["departement"])["nir"]
    native = pl.int_range(SIZE, eager=True) < SIZE // 2
    said = fragile["est_non_recourant"]
    missing = [share(nir.filter(native & group).is_null()) for group in (~said, said)]
    assert missing[0] == pytest.approx(0.08, abs=0.01)
    assert missing[1] == pytest.approx(0.24, abs=0.02)


def test_the_nir_of_the_young_is_missing_more_often(truth: pl.DataFrame) -> None:
    half_young = truth.with_columns(est_jeune=pl.int_range(pl.len()) % 4 < 2)
    nir = typed(np.random.default_rng(4), half_young, HABITS["departement"])["nir"]
    native = pl.int_range(SIZE, eager=True) < SIZE // 2
    assert share(nir.filter(native & half_young["est_jeune"]).is_null()) == pytest.approx(0.16, abs=0.02)


def test_the_married_name_stands_in_the_birth_names_place_at_times(truth: pl.DataFrame) -> None:
    habits = Habits(0.0, 0.0, 0.0, 0.0, 0.05, "capitales", 0.0)
    seen = typed(np.random.default_rng(4), truth, habits).filter(truth["sexe"] == 2)
    taken = (seen["nom_naissance"] == "BARTHELEMY") & seen["nom_usage"].is_null()
    assert share(taken) == pytest.approx(0.05, abs=0.01)


def test_a_field_agent_never_asks_for_a_nir(truth: pl.DataFrame) -> None:
    assert typed(np.random.default_rng(4), truth, HABITS["cellule"])["nir"].null_count() == SIZE


def test_a_mainframe_keeps_capitals_without_accents() -> None:
    names = pl.DataFrame({"nom": ["Lefèvre", "D'Œuvre", "Muñoz", "Gonçalves"]})
    assert names.select(plain(pl.col("nom")))["nom"].to_list() == [
        "LEFEVRE",
        "D'OEUVRE",
        "MUNOZ",
        "GONCALVES",
    ]


def test_addresses_are_abbreviated_and_flats_forgotten_at_times() -> None:
    typed_ones = typed_addresses(
        np.random.default_rng(1), pl.Series("adresse", ["12 Rue de la Gare Apt 3"] * 2000), HABITS["caf"]
    )
    assert share(typed_ones.str.starts_with("12 R DE")) == pytest.approx(0.3, abs=0.05)
    assert share(~typed_ones.str.contains("APT")) == pytest.approx(0.1, abs=0.03)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=20), st.integers(0, 2**32 - 1))
def test_one_slip_moves_the_length_by_one_letter_at_most(name: str, seed: int) -> None:
    assert abs(len(retyped(np.random.default_rng(seed), name, 1)) - len(name)) <= 1


@given(st.text(max_size=2), st.integers(0, 2**32 - 1))
def test_a_very_short_name_is_never_mistyped(name: str, seed: int) -> None:
    assert retyped(np.random.default_rng(seed), name, 2) == name
