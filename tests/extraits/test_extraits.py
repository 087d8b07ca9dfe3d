"""Files three services would export by hand, through the whole chain, against what was worked out on paper.

Nothing here comes from ``pipelines.synthetic``. The expected tables are in ``attendus/``; their arithmetic is in
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


def test_who_opposed_is_not_delivered(run: Run) -> None:
    assert run.livraisons["cpam"]["personnes_retirees_par_opposition"] == 1
    assert "A9001" not in set(run.retour.values())


def test_the_merged_commune_is_the_present_one(warehouse: Warehouse) -> None:
    communes = set(warehouse.read("core__caf_foyers")["commune_insee"])
    assert "31412" in communes and "31307" not in communes


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


def test_nobody_else_is_linked_not_even_a_namesake_a_twin_or_a_father(run: Run, warehouse: Warehouse) -> None:
    found = _links(run, warehouse)
    assert found & _expected_links("non_lie") == set()
    assert found - _expected_links("lie") == set()


def _rights(run: Run, warehouse: Warehouse) -> pl.DataFrame:
    """Rights of the household of each person, in clear ids; both ways of counting a possible couple."""
    members = warehouse.read("core__menages_personnes").filter(pl.col("role") == "DEM")
    rights = warehouse.read("core__droits").join(members, on=["menage_id", "instrument"])
    foyers = {v: k for k, v in run.retour.items()}
    assert foyers
    return rights.with_columns(
        personne=pl.col("personne_id").replace_strict(run.retour),
        menage=pl.col("menage_id"),
    )


def test_every_right_is_the_one_worked_out_on_paper_to_the_cent(run: Run, warehouse: Warehouse) -> None:
    paper = expected("droits").with_columns(pl.col("montant").cast(pl.Float64))
    found = _rights(run, warehouse).filter(~pl.col("menage_id").str.contains("-seul-"))
    both = paper.join(found, on=["personne", "instrument", "mois", "droit"], how="left", suffix="_calcule")
    gap = (pl.col("montant") - pl.col("montant_eur_mois")).abs() > HALF_A_CENT
    wrong = both.filter(
        pl.col("eligible").ne_missing(pl.col("eligible_calcule"))
        | pl.col("motif").ne_missing(pl.col("motif_calcule"))
        | gap.fill_null(pl.col("montant").is_null() != pl.col("montant_eur_mois").is_null())
    )
    assert wrong.select(
        "menage", "mois", "droit", "eligible", "motif", "montant", "eligible_calcule", "motif_calcule",
        "montant_eur_mois",
    ).rows() == []  # fmt: skip
