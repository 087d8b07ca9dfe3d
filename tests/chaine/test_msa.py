"""The MSA takes part with its own extract, written by hand: its takers make the stratum S."""

import shutil
from pathlib import Path

import polars as pl

from pipelines import flows
from pipelines.reporting.reading import farmers
from pipelines.source import pseudonymise
from pipelines.warehouse import Warehouse, open_warehouse
from schemas import TABLES
from tests.chaine.conftest import copy_of
from tests.conftest import MONTH, MONTHS, Chain

HOUSEHOLDS = 12


def extract(small_territory: Path, names: list[str], folder: Path) -> None:
    """Persons of the CPAM's file, alone in a household each, paid the RSA by the MSA."""
    insured = pl.read_csv(small_territory / "cpam" / MONTH / "cpam_assures.csv", infer_schema=False)
    people = insured.filter(pl.col("personne_id").is_in(names)).with_columns(
        personne_id="M" + pl.col("personne_id"), foyer_id="F" + pl.col("personne_id"), role=pl.lit("DEM")
    )
    months = people.select("foyer_id", "commune_insee").join(pl.DataFrame({"mois": MONTHS}), how="cross")
    foyers = months.with_columns(rsa_etat=pl.lit("2"), rsa_natpf=pl.lit("RSD"), rsa_du=pl.lit("400.00"))
    folder.mkdir(parents=True)
    for name, rows in (("msa_assures", people), ("msa_personnes", people), ("msa_foyers", foyers)):
        columns = TABLES[name].columns
        missing = [pl.lit(None).alias(c) for c in columns if c not in rows.columns]
        rows.with_columns(missing).select(columns).write_csv(folder / f"{name}.csv", separator=";")


def takers_elsewhere(warehouse: Warehouse, correspondence: Path) -> list[str]:
    """CPAM numbers of lone adults the CAF does not know: one household each."""
    alone = warehouse.query(
        "SELECT any_value(mp.personne_id) AS identifiant_livre FROM core__situations_menages AS s "
        "JOIN core__menages_personnes AS mp ON mp.menage_id = s.menage_base_id AND mp.instrument = 'cpam' "
        "WHERE s.strate = 'B' AND s.regle = 'seul' GROUP BY s.menage_base_id HAVING count(*) = 1"
    )
    known = pl.read_parquet(correspondence).join(alone, on="identifiant_livre").sort("identifiant")
    return known["identifiant"].head(HOUSEHOLDS).to_list()


def s_households(warehouse: Warehouse, droit: str) -> int:
    return warehouse.read("core__situations").filter(strate="S", droit=droit, situation="recourant").height


def test_the_takers_of_the_msa_come_out_of_b_and_the_farmers_into_the_field(
    chain: Chain, small_territory: Path, tmp_path: Path
) -> None:
    project = copy_of(chain, tmp_path)
    settings, folders = project.settings, project.settings.dossiers
    folders.entrepot.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(chain.settings.dossiers.entrepot, folders.entrepot)
    with open_warehouse(folders.entrepot, folders.travail) as warehouse:
        names = takers_elsewhere(warehouse, chain.root / "correspondance" / f"cpam-{MONTH}.parquet")
        before, was_measurable = s_households(warehouse, "rsa"), farmers(warehouse).est_mesurable
        extract(small_territory, names, project.root / "msa")
        pseudonymise(
            project.root / "msa",
            folders.depot,
            cle=settings.secrets.cle_pseudonymisation,
            partenaire="msa",
            mois=MONTH,
            correspondance=project.root / "msa.parquet",
            coffre=folders.coffre,
            coffre_publique=settings.secrets.cle_coffre_publique,
        )
        for name in ("ingestion", "appariement", "estimation"):
            with warehouse.transaction():
                flows.stage(name)(warehouse, settings, MONTH)
        after, is_measurable = s_households(warehouse, "rsa"), farmers(warehouse).est_mesurable
    assert (was_measurable, is_measurable) == (False, True)
    assert HOUSEHOLDS - 2 <= after - before <= HOUSEHOLDS
