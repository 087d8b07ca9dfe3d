"""The attack by quasi-identifiers finds who is unique and loses who is hidden among others."""

from pathlib import Path

import polars as pl
import pytest

from bench.appariement.quasi_identifiants import (
    KNOWLEDGE,
    Side,
    World,
    as_delivered,
    attack,
    forms,
    known_to_everybody,
    measure,
    read_world,
    seen_at,
    singled_out,
)
from pipelines.source.coarsen import birth_columns
from pipelines.source.normalise import birth

MONTH = "2026-06"


def side(keys: list[str], traits: dict[int, list[str]] | None = None) -> Side:
    rows = [(person, trait) for person, many in (traits or {}).items() for trait in many]
    return Side(
        pl.DataFrame({"id": range(len(keys)), "cle": keys}),
        pl.DataFrame(rows, schema={"id": pl.Int64, "trait": pl.String}, orient="row"),
    )


def test_everybody_is_found_in_a_table_where_everybody_is_unique() -> None:
    everyone = side([f"personne {n}" for n in range(50)])
    found = singled_out(attack(everyone, everyone), 50)
    assert (found["reconnus"], found["pris_pour_un_autre"], found["candidats_medians"]) == (1, 0, 1)


def test_nobody_is_found_in_a_table_of_groups_of_five() -> None:
    everyone = side([f"groupe {n // 5}" for n in range(50)], {n: ["même foyer"] for n in range(50)})
    found = singled_out(attack(everyone, everyone), 50)
    assert (found["reconnus"], found["moins_de_5"], found["candidats_medians"]) == (0, 0, 5)


def test_a_household_tells_two_alike_persons_apart() -> None:
    everyone = side(["a", "a"], {0: ["enfant de 3 ans"], 1: ["enfant de 9 ans"]})
    assert singled_out(attack(everyone, everyone), 2)["reconnus"] == 1


def test_one_trait_written_wrong_does_not_hide_a_household() -> None:
    known = side(["a", "a"], {0: ["conjoint", "enfant", "enfant"], 1: ["conjoint"]})
    seen = side(["a", "a"], {0: ["conjoint", "enfant", "faute"], 1: ["conjoint"]})
    assert attack(known, seen)["fiche"].to_list() == [0, 1]


def test_who_looks_more_like_another_record_is_taken_for_it() -> None:
    known = side(["a", "a"], {0: ["conjoint"], 1: ["conjoint"]})
    seen = side(["a", "a"], {0: ["conjoint"], 1: ["faute"]})
    found = singled_out(attack(known, seen), 2)
    assert (found["reconnus"], found["pris_pour_un_autre"]) == (0.5, 0.5)


def test_who_has_no_record_of_that_key_is_not_found() -> None:
    assert attack(side(["a"]), side(["b"])).is_empty()


def test_births_are_read_as_the_partner_delivers_them() -> None:
    dates = pl.DataFrame({"date_naissance": ["2008-05-01", "1974-12-31", "2015-01-01", "2001-02-03"]})
    born = birth("date_naissance", MONTH)
    delivered = dates.select(birth_columns(born, MONTH)).rows()
    labels = dates.select(annee=born.annee, mois_ne=born.mois).select(as_delivered(MONTH)).to_series()
    assert labels.to_list() == [f"{year}-{month or ''}" for year, month in delivered]


@pytest.fixture(scope="module")
def world(small_territory: Path) -> World:
    """The small territory of the session, as the attacker and the partners know it."""
    return read_world(small_territory, MONTH)


def test_the_attacker_s_targets_are_the_residents_of_the_territory(world: World) -> None:
    targets = known_to_everybody(world, forms()[0], "personne").persons
    residents = world.present.filter("est_territoire")["personne"]
    assert set(targets["id"]) == set(residents)
    assert 0.9 * 1500 < targets.height == residents.n_unique() < 1.1 * 1500


def test_a_household_seen_at_the_caf_is_the_one_known(world: World) -> None:
    form = forms()[0]
    known = known_to_everybody(world, form, "menage").traits.filter(pl.col("trait").str.starts_with("foyer"))
    seen = seen_at(world, form, "caf", "menage").traits
    both = seen.join(known.select("id").unique(), on="id", how="semi")
    assert both.join(known, on=["id", "trait"], how="semi").height > 0.85 * both.height


def test_each_choice_recognises_fewer_people_than_the_one_before(world: World) -> None:
    first, *_, last = (measure(world, form) for form in (forms()[0], forms()[-1]))
    for partner in first:
        for level in KNOWLEDGE:
            assert last[partner][level]["reconnus"] < first[partner][level]["reconnus"]
