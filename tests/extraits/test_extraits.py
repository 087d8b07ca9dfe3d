"""Files three services would export by hand, through the whole chain, against what was worked out on paper.

Nothing here comes from ``pipelines.synthetic``. The expected tables are in ``attendus/``, their arithmetic in
``README.md``. An expectation is never changed to follow the program: one of the two is wrong, and is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines import eligibility, estimation, ingest, linkage
from pipelines.outreach.delivery import create_secrets, deliver
from pipelines.settings import Settings, anchored
from pipelines.source import create_key, pseudonymise, verify
from pipelines.warehouse import Warehouse, open_warehouse

HERE = Path(__file__).parent
MONTH = "2026-06"
PARTNERS = ("caf", "cpam", "departement", "cellule")
HALF_A_CENT = 0.0051
"""Paper may end on half a cent (the mean of two amounts): either cent is right."""


@dataclass(frozen=True)
class Run:
    """The extracts after one run: counts by stage, deliveries, and the way back from keyed ids."""

    settings: Settings
    root: Path
    livraisons: dict[str, dict[str, object]]
    comptes: dict[str, dict[str, object]]
    retour: dict[str, str]


def expected(name: str) -> pl.DataFrame:
    """One table of ``attendus``, as strings; an empty cell is null."""
    return pl.read_csv(HERE / "attendus" / f"{name}.csv", separator=";", infer_schema=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The files delivered by each partner's command, then ingested, linked, computed, estimated."""
    root = tmp_path_factory.mktemp("extraits")
    settings = anchored(Settings(demonstration=True), root)
    create_secrets(settings)
    create_key(settings.secrets.cle_pseudonymisation)
    deliveries = {partner: _deliver(partner, settings, root) for partner in PARTNERS}
    counts: dict[str, dict[str, object]] = {}
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        for stage in (ingest, linkage, eligibility, estimation):
            with warehouse.transaction():
                counts[stage.__name__] = dict(stage.run(warehouse, settings, MONTH))
        estimation.hand_over(warehouse, settings)
    return Run(settings, root, deliveries, counts, _way_back(root))


def _deliver(partner: str, settings: Settings, root: Path) -> dict[str, object]:
    return pseudonymise(
        HERE / partner / MONTH,
        settings.dossiers.depot,
        cle=settings.secrets.cle_pseudonymisation,
        partenaire=partner,
        mois=MONTH,
        correspondance=root / f"{partner}.parquet",
        coffre=settings.dossiers.coffre,
        coffre_publique=settings.secrets.cle_coffre_publique,
    )


def _way_back(root: Path) -> dict[str, str]:
    known = pl.concat(pl.read_parquet(root / f"{partner}.parquet") for partner in PARTNERS)
    return dict(known.select("identifiant_livre", "identifiant").iter_rows())


@pytest.fixture
def warehouse(run: Run) -> Iterator[Warehouse]:
    """The warehouse after the chain."""
    with open_warehouse(run.settings.dossiers.entrepot, run.settings.dossiers.travail) as opened:
        yield opened


@pytest.mark.parametrize("partner", PARTNERS)
def test_each_service_is_told_its_extract_can_be_delivered(partner: str) -> None:
    verification = verify(HERE / partner / MONTH, partner, MONTH)
    assert verification.est_livrable
    for table in verification.tables:
        assert table.recues == table.acceptees + table.lignes_ecartees.height


def test_exactly_the_announced_lines_are_set_aside_each_under_its_rule() -> None:
    found = [
        (partner, table.table, line, rule)
        for partner in PARTNERS
        for table in verify(HERE / partner / MONTH, partner, MONTH).tables
        for line, rule in table.lignes_ecartees.iter_rows()
    ]
    announced = expected("ecartees").select("partenaire", "table", pl.col("ligne").cast(pl.Int64), "regle")
    assert sorted(found) == sorted(announced.rows())


def test_unknown_codes_and_impossible_dates_are_kept_and_counted() -> None:
    tables = {table.table: table for table in verify(HERE / "caf" / MONTH, "caf", MONTH).tables}
    assert tables["caf_foyers"].codes_inconnus == {"occlog": {"XXX": 12}}
    assert tables["caf_personnes"].codes_inconnus == {"act": {"ZAP": 1}}
    assert tables["caf_personnes"].invraisemblables == {"date_naissance": 1}


def test_a_date_written_the_french_way_counts_as_missing_and_the_row_stays() -> None:
    tables = {
        table.table: table for table in verify(HERE / "departement" / MONTH, "departement", MONTH).tables
    }
    assert tables["dep_personnes"].invraisemblables == {"date_naissance": 1}


def test_the_lines_set_aside_stay_with_the_partner_under_the_same_numbers(run: Run) -> None:
    kept = pl.concat(
        pl.read_csv(run.root / f"ecartees-{partner}-{MONTH}.csv", separator=";", infer_schema=False)
        for partner in PARTNERS
    )
    assert sorted(kept.rows()) == sorted(expected("ecartees").select("table", "ligne", "regle").rows())


def test_who_opposed_is_not_delivered(run: Run) -> None:
    assert run.livraisons["cpam"]["personnes_retirees_par_opposition"] == 1
    assert "A9001" not in set(run.retour.values())


def test_the_merged_commune_is_delivered_under_the_name_of_its_small_neighbours(warehouse: Warehouse) -> None:
    communes = set(warehouse.read("core__caf_foyers")["commune_insee"])
    assert "31080" in communes and communes.isdisjoint({"31412", "31307"})


def _links(run: Run, warehouse: Warehouse) -> set[frozenset[tuple[str, str]]]:
    """Every pair of records of two sources made one person, in clear ids."""
    people = warehouse.read("core__personnes_liees").with_columns(
        pl.col("personne_id").replace_strict(run.retour)
    )
    groups = people.group_by("personne_uid").agg(pl.struct("source", "personne_id"))["source"].to_list()
    records = [[(r["source"], r["personne_id"]) for r in group] for group in groups]
    return {frozenset((a, b)) for group in records for a in group for b in group if a[0] < b[0]}


def _expected_links(verdict: str) -> set[frozenset[tuple[str, str]]]:
    rows = expected("liens").filter(attendu=verdict)
    return {frozenset(((a, b), (c, d))) for a, b, c, d in rows.select(pl.nth(range(4))).iter_rows()}


def test_every_person_is_found_again_in_the_other_sources(run: Run, warehouse: Warehouse) -> None:
    assert _expected_links("lie") - _links(run, warehouse) == set()


def test_nobody_else_is_linked_not_even_a_twin_or_a_father(run: Run, warehouse: Warehouse) -> None:
    assert _links(run, warehouse) - _expected_links("lie") == set()


def _rights(run: Run, warehouse: Warehouse) -> pl.DataFrame:
    """Rights of the household of each first adult, in clear ids; a possible couple is taken together."""
    first = warehouse.read("core__menages_personnes").filter(pl.col("role") == "DEM")
    rights = warehouse.read("core__droits").join(first, on=["menage_id", "instrument"])
    together = rights.filter(~pl.col("menage_id").str.contains("-seul-"))
    return together.with_columns(personne=pl.col("personne_id").replace_strict(run.retour))


def _disagreements(run: Run, warehouse: Warehouse, paper: pl.DataFrame) -> list[tuple[object, ...]]:
    """Household-months whose state, reason or amount is not the paper's, with both."""
    paper = paper.with_columns(pl.col("montant").cast(pl.Float64))
    keys = ["personne", "instrument", "mois", "droit"]
    both = paper.join(_rights(run, warehouse), on=keys, how="left", suffix="_calcule")
    gap = (pl.col("montant") - pl.col("montant_eur_mois")).abs() > HALF_A_CENT
    one_is_missing = pl.col("montant").is_null() != pl.col("montant_eur_mois").is_null()
    wrong = both.filter(
        pl.col("eligible").ne_missing(pl.col("eligible_calcule"))
        | pl.col("motif").ne_missing(pl.col("motif_calcule"))
        | gap.fill_null(one_is_missing)
    )
    return wrong.select("menage", "mois", "droit", "montant", "eligible_calcule", "montant_eur_mois").rows()


def test_every_right_is_the_one_worked_out_on_paper_to_the_cent(run: Run, warehouse: Warehouse) -> None:
    paper = expected("droits")
    assert paper["menage"].n_unique() > 50
    assert _disagreements(run, warehouse, paper) == []


def test_the_insurer_s_households_rest_on_the_rules_seen_on_paper(run: Run) -> None:
    counts = run.comptes["pipelines.eligibility"]
    rules = {rule: counts[f"cpam_regle_{rule}"] for rule in ("c2s", "enfant", "couple_possible")}
    assert rules == {"c2s": 2, "enfant": 4, "couple_possible": 6}


def test_pensions_that_differ_and_allowances_only_the_insurer_knows_are_counted(run: Run) -> None:
    counts = run.comptes["pipelines.eligibility"]
    assert (counts["ecarts_caf_cpam"], counts["ajouts_cpam"]) == (12, 5)


def test_one_person_of_a_possible_couple_alone_is_paid_like_anyone_alone(
    run: Run, warehouse: Warehouse
) -> None:
    both_ways = warehouse.read("core__menages").filter(regle="couple_possible", instrument="cpam")
    alone = both_ways.filter(pl.col("menage_id").str.contains("-seul-"))
    rights = warehouse.read("core__droits").join(alone, on=["menage_id", "instrument"], how="semi")
    known = rights.filter(droit="rsa", eligible="oui")
    assert known["menage_id"].n_unique() == 2
    assert set(known["montant_eur_mois"]) == {612.59}


def test_each_household_stands_where_its_file_says(run: Run, warehouse: Warehouse) -> None:
    paper = expected("situations")
    heads = _rights(run, warehouse).select("personne", "menage_id").unique()
    stated = warehouse.read("core__situations").select("menage_base_id", "droit", "situation")
    found = heads.join(stated, left_on="menage_id", right_on="menage_base_id")
    both = paper.join(found, on=["personne", "droit"], how="left", suffix="_calculee")
    wrong = both.filter(pl.col("situation").ne_missing(pl.col("situation_calculee")))
    assert wrong.select("menage", "situation", "situation_calculee").rows() == []


def test_who_is_paid_by_the_msa_is_a_taker_and_not_absent(run: Run, warehouse: Warehouse) -> None:
    paid = warehouse.read("core__situations").filter(strate="S", droit="rsa")
    assert paid.select("situation", "commune_insee").rows() == [("recourant", "31239")]


def test_a_household_of_the_crown_is_outside_the_rate(warehouse: Warehouse) -> None:
    assert "31135" not in set(warehouse.read("core__situations")["commune_insee"])


def test_only_who_consented_and_does_not_take_up_is_called(run: Run, warehouse: Warehouse) -> None:
    paper = expected("rappels")
    free = set(paper.filter(attendu="libre")["consentement_id"])
    for verdict in ("a_rappeler", "a_verifier"):
        found = {
            run.retour[identifier] for identifier in warehouse.read(f"out__{verdict}")["consentement_id"]
        }
        assert found - free == set(paper.filter(attendu=verdict)["consentement_id"]), verdict


def test_the_sealed_list_holds_the_persons_to_call(run: Run) -> None:
    counts = deliver(run.settings, "CELLULE")
    assert counts["personnes"] in (2, 3)
    assert counts["a_verifier"] == 2
    assert Path(str(counts["fichier"])).is_file()
