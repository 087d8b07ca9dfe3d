"""A quarter that straddles two key epochs gives the same persons and the same list of whom to call."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from pipelines import flows
from pipelines.source import pseudonymise
from pipelines.warehouse import Warehouse, open_warehouse
from tests.chaine.conftest import Project, copy_of
from tests.conftest import MONTH, MONTHS, PARTNERS, Chain

LATE = "cpam"
Counts = Mapping[str, object]


def under_next_epoch(project: Project, simulation: Path, partners: tuple[str, ...]) -> None:
    """Deliver the last month again, under the epoch that follows."""
    folders, secrets = project.settings.dossiers, project.settings.secrets
    for partner in partners:
        shutil.rmtree(folders.depot / partner / MONTH)
        pseudonymise(
            simulation / partner / MONTH,
            folders.depot,
            cle=secrets.cle_pseudonymisation,
            partenaire=partner,
            mois=MONTH,
            millesime="2027",
            correspondance=project.root / "correspondance" / f"{partner}.parquet",
            coffre=folders.coffre,
            coffre_publique=secrets.cle_coffre_publique,
        )


def through(project: Project, *stages: str, month: str = MONTH) -> dict[str, Counts]:
    counts: dict[str, Counts] = {}
    with open_warehouse(project.settings.dossiers.entrepot, project.settings.dossiers.travail) as warehouse:
        for name in stages:
            with warehouse.transaction():
                counts[name] = flows.stage(name)(warehouse, project.settings, month)
    return counts


def read(project: Project, table: str) -> pl.DataFrame:
    with open_warehouse(project.settings.dossiers.entrepot, project.settings.dossiers.travail) as warehouse:
        return warehouse.read(table)


def clusters(people: pl.DataFrame) -> set[frozenset[tuple[str, str]]]:
    groups = people.group_by("personne_uid").agg(pl.struct("source", "personne_id").alias("fiches"))
    return {frozenset((f["source"], f["personne_id"]) for f in fiches) for fiches in groups["fiches"]}


def rates(found: pl.DataFrame, methode: str) -> pl.DataFrame:
    """droit, taux, largeur of the interval: the territory's figures for the quarter."""
    rows = found.filter(periode="2026-T2", niveau="EPCI", groupe="ensemble", methode=methode)
    return rows.select("droit", "taux", largeur=pl.col("taux_haut") - pl.col("taux_bas")).sort("droit")


def test_a_rotation_inside_the_quarter_gives_the_same_persons_and_the_same_list(
    chain: Chain, small_territory: Path, tmp_path: Path, warehouse: Warehouse
) -> None:
    """Filters of two epochs collide otherwise: a doubtful pair may fall on the other side of a level."""
    project = copy_of(chain, tmp_path)
    under_next_epoch(project, small_territory, PARTNERS)
    through(project, *flows.STAGES[: flows.STAGES.index("estimation") + 1])
    persons, found = (
        clusters(people)
        for people in (warehouse.read("core__personnes_liees"), read(project, "core__personnes_liees"))
    )
    assert len(persons & found) / len(persons) > 0.998
    for table, columns in (
        ("out__a_rappeler", ["consentement_id", "droit", "echeance"]),
        ("core__consentements_ambigus", ["consentement_id"]),
        ("core__personnes_opposees", ["source", "personne_id", "objet"]),
    ):
        before, after = (
            frame.select(columns).sort(columns) for frame in (warehouse.read(table), read(project, table))
        )
        assert after.equals(before), table
    assert read(project, "meta__extraits").filter("est_utilise")["millesime_cle"].unique().to_list() == [
        "2027"
    ]
    before, after = (warehouse.read("out__taux"), read(project, "out__taux"))
    assert rates(after, "observe").equals(rates(before, "observe"))
    corrected = rates(before, "corrige").join(rates(after, "corrige"), on="droit", suffix="_apres")
    moved = (corrected["taux_apres"] - corrected["taux"]).abs()
    assert corrected.height == 5
    assert (moved <= corrected["largeur"] / 5).all()


@pytest.fixture(scope="module")
def late(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """CPAM has not delivered the last month; one epoch: what a late partner gives without any rotation."""
    project = copy_of(chain, tmp_path_factory.mktemp("retard"))
    shutil.rmtree(project.settings.dossiers.depot / LATE / MONTH)
    through(project, "ingestion", "appariement")
    return project


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_partner_late_across_the_rotation_keeps_its_links(
    chain: Chain, small_territory: Path, tmp_path: Path, late: Project, forgotten: bool
) -> None:
    """Whether the identities of the month before are still there, or were deleted once linked."""
    project = copy_of(chain, tmp_path)
    depot = project.settings.dossiers.depot
    shutil.rmtree(depot / LATE / MONTH)
    if forgotten:
        through(project, "ingestion", "appariement", month=MONTHS[1])
        for path in depot.rglob("*__identite.parquet"):
            path.unlink()
    under_next_epoch(project, small_territory, tuple(p for p in PARTNERS if p != LATE))
    counts = through(project, "ingestion", "appariement")["appariement"]
    reference, found = (clusters(read(p, "core__personnes_liees")) for p in (late, project))
    assert len(reference & found) / len(reference) > 0.99
    assert {f for group in found for f in group} == {f for group in reference for f in group}
    assert f"{LATE} ({MONTHS[1]})" in str(counts["alertes"])
    assert counts["liens_reconduits"]
