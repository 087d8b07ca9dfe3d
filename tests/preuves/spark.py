"""One territory linked by DuckDB, then by Spark: docs/preuves/spark.json. Run by ``make preuve-spark``."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import flows
from pipelines.files import whole_file
from pipelines.outreach.delivery import create_secrets
from pipelines.settings import Settings, anchored
from pipelines.source import create_key, pseudonymise
from pipelines.synthetic import simulate_territory
from pipelines.warehouse import Warehouse, open_warehouse

SEED = int(os.environ.get("GRAINE", "1"))
HABITANTS = int(os.environ.get("HABITANTS", "44000"))
MONTH = "2026-06"
PARTNERS = ("caf", "cpam", "departement", "cellule")
ENGINES = ("duckdb", "spark")
GOAL = 0.999
RESULT = Path("docs/preuves/spark.json")
WORK = Path("travail/preuves/spark")

Figures = dict[str, Any]


def prove() -> Figures:
    """Share of DuckDB's persons that Spark makes of the very same records, and the seconds of both."""
    shutil.rmtree(WORK, ignore_errors=True)
    settings = _delivered(anchored(Settings(demonstration=True), WORK.resolve()), WORK)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        with warehouse.transaction():
            flows.stage("ingestion")(warehouse, settings, MONTH)
        found = {moteur: _linked(warehouse, settings, moteur) for moteur in ENGINES}
    persons = {moteur: _persons(links) for moteur, (links, _) in found.items()}
    alike = persons["duckdb"].join(persons["spark"], on="fiches", how="semi").height
    shutil.rmtree(WORK)
    return {
        "fiches": found["duckdb"][0].height,
        "personnes": persons["duckdb"].height,
        "personnes_identiques": alike,
        "part_identique": round(alike / persons["duckdb"].height, 6),
        "objectif": GOAL,
        "secondes_appariement": {moteur: seconds for moteur, (_, seconds) in found.items()},
    }


def _delivered(settings: Settings, root: Path) -> Settings:
    simulate_territory("comminges", SEED, root / "simulation", MONTH, MONTH, HABITANTS)
    create_secrets(settings)
    create_key(settings.secrets.cle_pseudonymisation)
    for partner in PARTNERS:
        pseudonymise(
            root / "simulation" / partner / MONTH,
            settings.dossiers.depot,
            cle=settings.secrets.cle_pseudonymisation,
            partenaire=partner,
            mois=MONTH,
            correspondance=root / "correspondance" / f"{partner}.parquet",
            coffre=settings.dossiers.coffre,
            coffre_publique=settings.secrets.cle_coffre_publique,
        )
    return settings


def _linked(warehouse: Warehouse, settings: Settings, moteur: str) -> tuple[pl.DataFrame, float]:
    chosen = settings.appariement.model_copy(update={"moteur": moteur, "supprimer_identites": False})
    started = time.monotonic()
    with warehouse.transaction():
        flows.stage("appariement")(warehouse, settings.model_copy(update={"appariement": chosen}), MONTH)
    return warehouse.read("core__personnes_liees"), round(time.monotonic() - started, 1)


def _persons(links: pl.DataFrame) -> pl.DataFrame:
    """A row per person: the list of its records as one text."""
    records = pl.concat_str("source", "personne_id", separator="/").sort().str.join(" ")
    return links.group_by("personne_uid").agg(fiches=records)


def main() -> None:
    """Prove, write, and fail below the goal."""
    figures = _context() | prove()
    with whole_file(RESULT, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    sys.stdout.write(f"{RESULT} : {figures['part_identique']:.4%} de personnes identiques\n")
    sys.exit(figures["part_identique"] < GOAL)


def _context() -> Figures:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return {
        "commande": "make preuve-spark",
        "commit": commit.stdout.strip(),
        "le": datetime.now(UTC).date().isoformat(),
        "coeurs": os.cpu_count(),
        "habitants": HABITANTS,
        "graine": SEED,
        "versions": {name: version(name) for name in ("splink", "duckdb", "pyspark")},
    }


if __name__ == "__main__":
    main()
