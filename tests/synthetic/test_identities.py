"""Invented persons: names inherited and shared, valid NIR, telephone numbers of nobody."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from stdnum.fr import nir as stdnum_nir

from pipelines.synthetic.frames import COLUMNS
from pipelines.synthetic.identities import invent_addresses, invent_identities
from tests.synthetic.small_world import small_world

MONTHS = ("2026-04", "2026-06")


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    world = small_world(np.random.default_rng(5), 4000, *MONTHS)
    identities = invent_identities(np.random.default_rng(5), world.personnes, world.unions, MONTHS[-1])
    return identities.join(world.personnes.select("personne", "pere", "mere"), on="personne")


def test_every_nir_has_the_right_key_and_is_the_persons_own(people: pl.DataFrame) -> None:
    assert people["nir"].n_unique() == people.height
    assert all(stdnum_nir.is_valid(number) for number in people["nir"])


def test_the_nir_says_the_sex_the_birth_month_and_the_birth_place(people: pl.DataFrame) -> None:
    expected = people.select(
        pl.concat_str(
            pl.col("sexe").cast(pl.String),
            pl.col("date_naissance").dt.strftime("%y%m"),
            pl.when(pl.col("lieu_naissance").eq("2A004") & (pl.col("date_naissance") < date(1976, 1, 1)))
            .then(pl.lit("20004"))
            .otherwise("lieu_naissance"),
        ).alias("debut")
    )
    assert (people["nir"].str.slice(0, 10) == expected["debut"]).all()


def test_only_the_foreign_born_hold_a_provisional_nir(people: pl.DataFrame) -> None:
    provisional = people.filter(pl.col("nir_provisoire").is_not_null())
    assert provisional["est_ne_etranger"].all() and provisional.height > 0
    assert provisional["nir_provisoire"].str.contains("^[78]").all()


def test_children_bear_a_parents_name_and_siblings_the_same(people: pl.DataFrame) -> None:
    names = dict(people.select("personne", "nom_naissance").iter_rows())
    children = people.filter(pl.col("pere").is_not_null())
    assert (
        children.group_by("pere", "mere").agg(pl.col("nom_naissance").n_unique())["nom_naissance"].max() == 1
    )
    single = children.filter(~pl.col("nom_naissance").str.contains("-"))
    shares = [names[row["pere"]] == row["nom_naissance"] for row in single.iter_rows(named=True)]
    assert 0.88 < np.mean(shares) <= 1


def test_married_women_of_65_use_the_husbands_name_nine_times_in_ten() -> None:
    size = 3000
    couple = [
        {"personne": 2 * n + rank, "sexe": rank, "naissance": date(1950, 1 + n % 12, 1 + n % 28)}
        for n in range(1, size + 1)
        for rank in (1, 2)
    ]
    empty = pl.lit(None, pl.Int64)
    persons = pl.DataFrame(couple, schema_overrides={"sexe": pl.Int8}).with_columns(
        lieu_naissance=pl.lit("31483"), pere=empty, mere=empty
    )
    unions = persons.filter(sexe=1).select(
        "personne",
        conjoint=pl.col("personne") + 1,
        debut=pl.lit("1975-06"),
        fin=pl.lit(None, pl.String),
        est_mariage=pl.lit(True),
    )
    people = invent_identities(np.random.default_rng(1), persons, unions, "2026-06")
    users = people.filter(sexe=2)["nom_usage"].is_not_null().mean()
    assert users == pytest.approx(0.90, abs=0.025)
    assert people.filter(sexe=1)["nom_usage"].null_count() == size


def test_two_unrelated_persons_share_names_sex_and_birth_date_now_and_then(people: pl.DataFrame) -> None:
    founders = people.filter(pl.col("pere").is_null()).with_columns(
        premier=pl.col("prenoms").str.split(" ").list.first()
    )
    assert founders.select("nom_naissance", "premier", "sexe", "date_naissance").is_duplicated().any()


def test_some_adults_born_one_day_in_one_commune_bear_one_name() -> None:
    size = 4000
    born = [date(1950, 1, 1) + timedelta(days=n // 2) for n in range(size)]
    empty = pl.lit(None, pl.Int64)
    adults = pl.DataFrame({"personne": range(size), "naissance": born}).with_columns(
        sexe=(1 + pl.int_range(pl.len()) % 2).cast(pl.Int8),
        lieu_naissance=pl.lit("31483"),
        pere=empty,
        mere=empty,
    )
    nobody = pl.DataFrame(schema=COLUMNS["unions"])
    people = invent_identities(np.random.default_rng(1), adults, nobody, "2026-06")
    twins = people.filter(pl.struct("date_naissance", "nom_naissance").is_duplicated())
    assert 0.012 * size <= twins.height <= 0.02 * size


def test_telephones_are_of_the_range_reserved_for_fiction(people: pl.DataFrame) -> None:
    assert people["telephone"].str.contains(r"^063998\d{4}$").all()
    assert people["courriel"].str.ends_with("@example.org").all()


def test_a_surname_is_frequent_or_rare_as_in_france(people: pl.DataFrame) -> None:
    founders = people.filter(pl.col("pere").is_null())["nom_naissance"]
    counts = founders.value_counts(sort=True)["count"]
    assert counts[0] / founders.len() < 0.02
    assert (counts == 1).sum() / counts.len() > 0.4


def test_every_dwelling_has_one_address_and_flats_share_a_number() -> None:
    world = small_world(np.random.default_rng(5), 2000, *MONTHS)
    addresses = invent_addresses(np.random.default_rng(2), world.menages_mois)
    assert addresses.height == addresses.select("logement", "commune_insee").n_unique()
    flats = addresses.filter(pl.col("adresse").str.contains(" Apt "))
    assert 0 < flats["adresse"].str.replace(r" Apt \d+$", "").n_unique() < flats.height
