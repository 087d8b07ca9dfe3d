"""What must hold in any invented territory, whatever the seed."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from pipelines import territory
from pipelines.calendar import months_between
from pipelines.synthetic.frames import COLUMNS
from pipelines.synthetic.rights import Law
from pipelines.synthetic.story import tell
from pipelines.synthetic.world import World, build_world, true_rates

INHABITANTS = 1500
FIRST, LAST = "2026-04", "2026-06"
COUPLES = ["MAR", "PAC", "RPA", "RVC", "RVM", "VIM"]


def invent(seed: int) -> World:
    return build_world(np.random.default_rng(seed), territory.load("comminges"), INHABITANTS, FIRST, LAST)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield invent(7)


@pytest.fixture(scope="module")
def present(world: World) -> pl.DataFrame:
    """menage, personne, role, mois: who is where, month by month."""
    months = world.menages_mois.select("menage", "mois")
    joined = world.membres.join(months, on="menage")
    return joined.filter(
        (pl.col("present_du") <= pl.col("mois"))
        & (pl.col("present_au").is_null() | (pl.col("mois") <= pl.col("present_au")))
    )


def test_the_same_seed_gives_the_same_frames(world: World) -> None:
    again = invent(7)
    for name in COLUMNS:
        assert getattr(world, name).equals(getattr(again, name)), name


def test_the_window_reaches_23_months_before_the_first_delivery_and_incomes_nine_more(world: World) -> None:
    assert world.dossiers["mois"].unique().sort().to_list() == months_between("2024-05", "2026-06")
    assert world.ressources["mois"].unique().sort().to_list() == months_between("2023-08", "2026-06")
    assert world.c2s["mois"].unique().sort().to_list() == months_between(FIRST, LAST)


def test_a_household_has_one_applicant_and_at_most_one_partner(present: pl.DataFrame) -> None:
    roles = present.group_by("menage", "mois").agg(
        dem=(pl.col("role") == "DEM").sum(), cjt=(pl.col("role") == "CJT").sum()
    )
    assert (roles["dem"] == 1).all()
    assert (roles["cjt"] <= 1).all()


def test_a_person_is_in_one_household_at_a_time(present: pl.DataFrame) -> None:
    assert not present.select("personne", "mois").is_duplicated().any()


def test_the_family_status_is_a_couple_s_exactly_when_there_is_a_partner(
    world: World, present: pl.DataFrame
) -> None:
    partners = present.filter(pl.col("role") == "CJT").select("menage", "mois", a_conjoint=True)
    rows = world.menages_mois.join(partners, on=["menage", "mois"], how="left")
    assert (rows["sitfam"].is_in(COUPLES) == rows["a_conjoint"].is_not_null()).all()


def test_nobody_is_present_before_birth_or_after_death(world: World, present: pl.DataFrame) -> None:
    rows = present.join(world.personnes, on="personne")
    assert (rows["mois"] >= rows["naissance"].dt.strftime("%Y-%m")).all()
    dead = rows.filter(pl.col("deces").is_not_null())
    assert (dead["mois"] <= dead["deces"].dt.strftime("%Y-%m")).all()


def test_some_brothers_and_sisters_are_twins(world: World) -> None:
    children = world.personnes.drop_nulls("mere")
    twins = children.filter(pl.struct("mere", "naissance").is_duplicated())
    assert 0.01 < twins.height / children.height < 0.08
    assert twins.group_by("mere").agg(pl.col("lieu_naissance").n_unique())["lieu_naissance"].max() == 1


def test_dependants_are_under_25(world: World, present: pl.DataFrame) -> None:
    children = present.filter(pl.col("role") == "ENF").join(world.personnes, on="personne")
    born = children["naissance"].dt.year() * 12 + children["naissance"].dt.month()
    month = children["mois"].str.slice(0, 4).cast(pl.Int32) * 12 + children["mois"].str.slice(5).cast(
        pl.Int32
    )
    assert (month - born < 300).all()


def test_every_adult_has_a_known_income_every_month_and_a_nil_month_is_one_row(
    world: World, present: pl.DataFrame
) -> None:
    adults = present.filter(pl.col("role").is_in(["DEM", "CJT"])).select("personne", "mois")
    assert adults.join(world.ressources, on=["personne", "mois"], how="anti").is_empty()
    nil = world.ressources.with_columns(n=pl.len().over("personne", "mois")).filter(
        pl.col("natress") == "000"
    )
    assert (nil["montant"] == 0).all()
    assert (nil["n"] == 1).all()


def test_what_is_paid_is_what_the_law_grants(world: World) -> None:
    for droit, due in (("rsa", "rsa_du"), ("ppa", "ppa_due")):
        granted = world.droits.filter(pl.col("droit") == droit)
        rows = world.dossiers.join(granted, on=["menage", "mois"])
        paid = rows.filter(pl.col(due) > 0)
        assert (paid[f"{droit}_etat"] == "2").all()
        assert (paid["eligible"] == "oui").all()
        assert (paid[due] == paid["montant_eur_mois"]).all()
        assert paid.height > 0


def test_a_payable_file_is_paid(world: World) -> None:
    assert (world.dossiers.filter(pl.col("rsa_etat") == "2")["rsa_du"] > 0).all()


def test_the_own_quarter_runs_one_two_three_while_something_is_open(world: World) -> None:
    rows = world.dossiers.sort("menage", "mois")
    opened = pl.col("rsa_etat").is_in(["2", "3", "4"]) | pl.col("ppa_etat").is_in(["2", "3", "4"])
    assert (rows.select(opened.fill_null(False)).to_series() == rows["dtr_phase"].is_not_null()).all()
    follows = rows.with_columns(before=pl.col("dtr_phase").shift().over("menage")).drop_nulls(
        ["before", "dtr_phase"]
    )
    assert (follows["dtr_phase"] == follows["before"] % 3 + 1).all()


def test_rows_stop_after_a_closing_for_departure(world: World) -> None:
    rows = world.dossiers.sort("menage", "mois")
    after = rows.with_columns(
        left=(pl.col("rsa_motif_cloture") == "MUT").fill_null(False).shift().over("menage")
    )
    assert not after.filter("left")["est_au_caf"].any()


def test_caf_pays_no_family_or_housing_benefit_to_households_it_does_not_know(world: World) -> None:
    rows = world.menages_mois.join(world.dossiers, on=["menage", "mois"])
    unknown = rows.filter(~pl.col("est_au_caf") & pl.col("est_territoire") & ~pl.col("est_agricole"))
    for benefit in ("aide_logement", "af", "cf", "asf", "paje_base", "paje_prepare"):
        assert unknown[benefit].sum() == 0


def test_households_are_in_the_communes_of_the_territory_when_they_say_so(world: World) -> None:
    inside = territory.load("comminges").inside["commune_insee"]
    found = world.menages_mois["commune_insee"].is_in(inside.implode())
    assert (world.menages_mois["est_territoire"] == found).all()


def test_free_complementary_cover_carries_its_household_and_its_beginning(world: World) -> None:
    covered = world.c2s.filter(pl.col("c2s") > 0)
    assert covered["foyer_c2s"].is_not_null().all()
    assert (covered["c2s_debut"] <= covered["mois"]).all()
    assert world.c2s.filter(pl.col("c2s") == 0)["foyer_c2s"].is_null().all()


def test_the_true_rates_carry_the_five_values_of_droit(world: World) -> None:
    rates = true_rates(world, LAST)
    assert rates["droit"].to_list() == ["rsa", "ppa", "rsa_seul", "ppa_seule", "rsa_et_ppa"]
    assert (rates["non_recourants"] <= rates["eligibles"]).all()


def test_the_bound_on_incomes_rules_out_nobody_who_is_entitled() -> None:
    """Rights of everybody, without the bound, against those the bound lets through."""
    story = tell(np.random.default_rng(5), territory.load("comminges"), INHABITANTS, "2025-04", "2026-04")
    law = Law(story)
    bounded = law.calendar_rights(["2026-04"]).filter(pl.col("eligible") == "oui")
    everyone = law.homes.filter(pl.col("mois") == "2026-04")["menage"]
    phases = pl.DataFrame({"menage": everyone}).with_columns(
        mois=pl.lit("2026-04"), dtr_phase=pl.lit(1, pl.Int8)
    )
    whole = law.held_rights(phases).filter(pl.col("eligible") == "oui")
    assert bounded.height > 50
    assert set(whole.select("menage", "droit").iter_rows()) == set(
        bounded.select("menage", "droit").iter_rows()
    )
