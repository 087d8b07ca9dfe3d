"""What a draw hands over, what it keeps, whom it leaves alone."""

import stat
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.refusals import Refusal
from pipelines.sampling import draw
from pipelines.sampling.allocation import allocate
from pipelines.sampling.draw import _stratified
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import check_table
from tests.sampling.conftest import CAF_ALONE, CPAM_ALONE, LINKED, MOIS, estimated


def sample(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.read("meta__echantillon")


def persons(rows: pl.DataFrame, warehouse: Warehouse) -> set[int]:
    linked = warehouse.read("core__personnes_liees").rename({"source": "partenaire"})
    return set(rows.join(linked, on=["partenaire", "personne_id"])["personne_uid"])


def test_a_file_holds_the_numbers_and_the_records_of_its_partner_and_nothing_else(
    warehouse: Warehouse, settings: Settings
) -> None:
    draw(warehouse, settings, MOIS, 40)
    for partner in ("cpam", "caf"):
        path = settings.dossiers.echantillons / "2026-06-1" / f"{partner}.csv"
        rows = pl.read_csv(path, separator=";", infer_schema=False)
        drawn = sample(warehouse).filter(partenaire=partner)
        assert rows.columns == ["echantillon_id", "personne_id"]
        assert set(rows.rows()) == set(drawn.select("echantillon_id", "personne_id").rows())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_as_many_as_asked_are_drawn_and_the_table_is_the_declared_one(
    warehouse: Warehouse, settings: Settings
) -> None:
    draw(warehouse, settings, MOIS, 40)
    assert sample(warehouse).group_by("partenaire").len().sort("partenaire").rows() == [
        ("caf", 40),
        ("cpam", 40),
    ]
    check_table("meta__echantillon", sample(warehouse))


def test_three_volets_are_mixed_in_an_order_that_says_nothing(
    warehouse: Warehouse, settings: Settings
) -> None:
    draw(warehouse, settings, MOIS, 100)
    rows = (
        sample(warehouse).sort("echantillon_id").with_columns(rang=pl.int_range(pl.len()).over("partenaire"))
    )
    assert set(rows.filter(partenaire="cpam")["volet"]) == {"B", "FAUX_LIENS"}
    assert set(rows.filter(partenaire="caf")["volet"]) == {"RAPPEL", "TEMOIN"}
    for mean in rows.group_by("partenaire", "volet").agg(pl.col("rang").mean())["rang"]:
        assert 30 < mean < 70


def test_neither_the_link_nor_the_entitlement_changes_the_chances_of_a_cpam_record(
    warehouse: Warehouse, settings: Settings
) -> None:
    draw(warehouse, settings, MOIS, 60)
    cpam = sample(warehouse).filter(partenaire="cpam")
    per_stratum = cpam.group_by("strate_tirage").agg(pl.col("probabilite_tirage").n_unique())
    assert set(per_stratum["probabilite_tirage"]) == {1}
    assert not cpam["strate_tirage"].str.contains("(?i)li[ée]|éligible").any()


def test_the_weights_of_a_first_draw_add_up_to_the_households(
    warehouse: Warehouse, settings: Settings
) -> None:
    draw(warehouse, settings, MOIS, 50)
    cpam = sample(warehouse).filter(partenaire="cpam")
    assert (1 / cpam["probabilite_tirage"]).sum() == pytest.approx(LINKED + CPAM_ALONE)


def test_the_weights_give_back_the_linked_ones_though_many_were_set_to_rest(
    warehouse: Warehouse, settings: Settings
) -> None:
    """Drawn at one partner, a linked household rests at both: unweighted, a third draw has too few."""
    shares = []
    for seed in range(6):
        warehouse.connection.begin()
        for _ in range(3):
            draw(warehouse, settings, MOIS, 30, graine=seed)
        third = sample(warehouse).filter(tirage="2026-06-3")
        warehouse.connection.rollback()
        linked = pl.col("menage_base_id").str.contains("^[ac]")
        weight = 1 / pl.col("probabilite_tirage")
        shares += (
            third.group_by("partenaire")
            .agg(pondere=weight.filter(linked).sum() / weight.sum(), brut=linked.mean())
            .to_dicts()
        )
    found = pl.DataFrame(shares).group_by("partenaire").mean().sort("partenaire")
    truth = pl.Series([LINKED / (LINKED + CAF_ALONE), LINKED / (LINKED + CPAM_ALONE)])
    assert (found["pondere"] - truth).abs().max() < 0.05
    assert (truth - found["brut"]).min() > 0.1


def test_nobody_is_drawn_twice_within_a_year_at_any_partner(warehouse: Warehouse, settings: Settings) -> None:
    draw(warehouse, settings, MOIS, 60)
    first = sample(warehouse)
    draw(warehouse, settings, MOIS, 60)
    second = sample(warehouse).join(first, on="echantillon_id", how="anti")
    assert second.height == 120
    every = pl.concat([first, second])
    assert every.select("partenaire", "personne_id").is_unique().all()
    once = [persons(every.filter(partenaire=p), warehouse) for p in ("cpam", "caf")]
    assert once[0] and once[1] and not once[0] & once[1]


def test_after_a_year_a_person_may_be_drawn_again(warehouse: Warehouse, settings: Settings) -> None:
    draw(warehouse, settings, MOIS, 1000)
    for month in (MOIS, "2025-07"):
        warehouse.connection.execute("UPDATE meta__echantillon SET mois = $mois", {"mois": month})
        with pytest.raises(Refusal, match="moins d'un an"):
            draw(warehouse, settings, MOIS, 10)
    warehouse.connection.execute("UPDATE meta__echantillon SET mois = '2025-06'")
    assert draw(warehouse, settings, MOIS, 10)["cpam"]["tires"] == 10


def test_whoever_opposed_even_to_contact_alone_is_never_drawn(
    warehouse: Warehouse, settings: Settings
) -> None:
    opposed = pl.DataFrame(
        {"source": ["cpam"] * 2, "personne_id": ["p-b1", "p-b3"], "objet": ["CONTACT", "TRAITEMENT"]}
    )
    warehouse.replace("core__personnes_opposees", opposed)
    draw(warehouse, settings, MOIS, 1000)
    assert not set(sample(warehouse)["personne_id"]) & {"p-b1", "p-b3"}
    assert "p-b5" in set(sample(warehouse)["personne_id"])


def test_two_records_of_one_person_are_drawn_once(warehouse: Warehouse, settings: Settings) -> None:
    warehouse.connection.execute(
        "INSERT INTO core__personnes_liees VALUES (9000, 'cpam', 'p-b1', 20), (9000, 'cpam', 'p-b3', 20)"
    )
    draw(warehouse, settings, MOIS, 1000)
    assert len(set(sample(warehouse)["personne_id"]) & {"p-b1", "p-b3"}) == 1


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(
    warehouse: Warehouse, settings: Settings
) -> None:
    def drawn(seed: int) -> bytes:
        warehouse.connection.begin()
        counts = draw(warehouse, settings, MOIS, 30, graine=seed)
        warehouse.connection.rollback()
        return Path(counts["cpam"]["fichier"]).read_bytes()

    assert drawn(1) == drawn(1) != drawn(2)


def test_without_month_the_last_one_estimated_is_drawn(warehouse: Warehouse, settings: Settings) -> None:
    assert draw(warehouse, settings, None, 10)["tirage"] == f"{MOIS}-1"


def test_no_draw_on_the_state_of_another_month(warehouse: Warehouse, settings: Settings) -> None:
    estimated(warehouse, "2026-03")
    with pytest.raises(Refusal, match="2026-06"):
        draw(warehouse, settings, MOIS, 10)


@pytest.mark.parametrize("size", [0, 3, 10, 57, 500])
def test_the_allocation_is_whole_bounded_and_adds_up(size: int) -> None:
    population, available = np.array([900, 100, 4, 1]), np.array([850, 90, 4, 1])
    drawn = allocate(population, available, size)
    assert drawn.sum() == min(size, available.sum())
    assert (drawn <= available).all() and (drawn >= 0).all()


@pytest.mark.parametrize(("there", "said"), [(4, "petits bassins"), (5, "AURIGNAC"), (50, "AURIGNAC")])
def test_places_of_less_than_one_household_in_twenty_are_one_stratum(there: int, said: str) -> None:
    homes = pl.DataFrame({"menage_base_id": [f"m{n:02}" for n in range(100)]}).with_row_index("n")
    place = pl.when(pl.col("n") < there).then(pl.lit("AURIGNAC")).otherwise(pl.lit("SAINT-GAUDENS"))
    adults = homes.with_columns(
        regroupement=place, profil=pl.lit("C2S"), bande_age=pl.lit(1), personne_id="menage_base_id"
    )
    strata = _stratified(adults)["strate_tirage"].unique().sort().to_list()
    assert strata == sorted(f"C2S ; 50 à 64 ans ; {zone}" for zone in (said, "SAINT-GAUDENS"))


def test_two_are_drawn_in_the_smallest_stratum_where_the_size_allows_it() -> None:
    population = np.array([10_000, 4])
    assert allocate(population, population, 20).tolist() == [18, 2]
    assert allocate(population, np.array([10_000, 1]), 20).tolist() == [19, 1]


def test_small_strata_get_more_than_their_share_and_less_than_an_equal_one() -> None:
    drawn = allocate(np.array([900, 100]), np.array([900, 100]), 100)
    assert drawn.tolist() == [75, 25]
