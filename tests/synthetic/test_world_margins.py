"""The first day of the territory is held to the published margins."""

import numpy as np
import polars as pl

from pipelines import territory
from pipelines.calendar import month_number
from pipelines.synthetic.frames import COLUMNS, World
from pipelines.synthetic.margins import parameters, rake, section, shares, systematic
from pipelines.synthetic.population import Population, found
from pipelines.synthetic.rates import true_rates

MONTH = month_number("2023-08")


def settled() -> Population:
    return found(np.random.default_rng(11), territory.load("comminges"), 20_000, MONTH, 12)


def test_raking_reaches_every_margin() -> None:
    rng = np.random.default_rng(1)
    features = np.column_stack([rng.integers(0, 3, 500), rng.integers(0, 2, 500), np.ones(500)]).astype(float)
    targets = np.array([900.0, 300.0, 800.0])
    np.testing.assert_allclose(rake(features, targets) @ features, targets, rtol=1e-3)


def test_systematic_draws_follow_the_weights_to_one_unit() -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    drawn = np.bincount(systematic(np.random.default_rng(2), weights, 1000), minlength=4)
    assert (np.abs(drawn - 100 * weights) <= 1).all()


def test_age_bands_are_the_published_ones_within_a_point() -> None:
    population = settled()
    people, homes = population.people, population.homes
    here = (people["home"] >= 0) & population.inside[homes["place"][people["home"]]]
    facts = section("structure")
    found_bands, _ = np.histogram((MONTH - people["birth"][here]) // 12, facts["ages_bornes"])
    assert np.abs(shares(found_bands) - shares(facts["ages"])).max() < 0.01


def test_household_types_are_the_published_ones_within_a_point() -> None:
    population = settled()
    homes = population.homes
    first = np.unique(homes["logement"], return_index=True)[1]
    inside = first[population.inside[homes["place"][first]]]
    kinds = np.bincount(homes["kind"][inside], minlength=6)
    assert np.abs(shares(kinds) - shares(section("structure")["types"])).max() < 0.01


def test_inhabitants_are_those_asked_for_within_three_per_cent() -> None:
    population = settled()
    people, homes = population.people, population.homes
    here = (people["home"] >= 0) & population.inside[homes["place"][people["home"]]]
    assert abs(here.sum() / 20_000 - 1) < 0.03


def test_communes_share_the_households_in_proportion_to_their_population() -> None:
    population = settled()
    homes = population.homes
    first = np.unique(homes["logement"], return_index=True)[1]
    counts = np.bincount(homes["place"][first], minlength=len(population.places))[population.inside]
    expected = shares(population.sizes[population.inside]) * counts.sum()
    assert np.abs(counts - expected).max() < 2


def test_every_section_of_the_parameters_says_its_source_and_its_date() -> None:
    for name, values in parameters().items():
        assert values["source"], name
        assert values["date"], name


def frame(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COLUMNS[name])


def small_world(files: dict[int, dict[str, object]]) -> World:
    """Households entitled to the RSA alone for 300 € in the three months, with these files."""
    months = ["2026-04", "2026-05", "2026-06"]
    empty = {name: pl.DataFrame(schema=columns) for name, columns in COLUMNS.items()}
    households = [
        {"menage": h, "mois": m, "est_territoire": True, "est_agricole": h == 9}
        for h in files
        for m in months
    ]
    rights = [
        {"menage": h, "mois": m, "droit": "rsa", "eligible": "oui", "montant_eur_mois": 300.0}
        for h in files
        for m in months
    ]
    dossiers = [{"menage": h, "mois": m, **columns} for h, columns in files.items() for m in months]
    told = {
        "menages_mois": frame("menages_mois", households),
        "droits": frame("droits", rights),
        "dossiers": frame("dossiers", dossiers),
    }
    return World(**{**empty, **told})


def test_the_true_rate_counts_primary_and_secondary_and_leaves_the_undecided_out() -> None:
    files: dict[int, dict[str, object]] = {
        1: {"rsa_etat": "2", "rsa_du": 300.0},
        2: {},
        3: {"rsa_etat": "1", "rsa_motif_refus": "F02"},
        4: {"rsa_etat": "5", "rsa_motif_cloture": "ECH"},
        5: {"rsa_etat": "3", "rsa_motif": "06"},
        6: {"rsa_etat": "3", "rsa_motif": "CG"},
        7: {"rsa_etat": "0"},
        8: {"rsa_etat": "5", "rsa_motif_cloture": "MUT"},
        9: {},
    }
    rates = true_rates(small_world(files), "2026-06").filter(pl.col("droit") == "rsa").row(0, named=True)
    assert (rates["eligibles"], rates["non_recourants"], rates["euros_mois"]) == (6, 5, 1500.0)
    outside = true_rates(small_world(files), "2026-06", avec_agricole=False)
    assert outside.filter(pl.col("droit") == "rsa_seul").row(0)[2:4] == (5, 4)
