"""One territory linked by DuckDB, then by Spark: docs/preuves/spark.json. Run by ``make preuve-spark``."""

import json
import os
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from bench.provenance import provenance
from pipelines import flows
from pipelines.files import whole_file
from pipelines.outreach.delivery import create_secrets
from pipelines.settings import Settings, anchored
from pipelines.synthetic import simulate_territory
from pipelines.warehouse import Warehouse, open_warehouse
from tests.conftest import pseudonymise_everything

SEED = int(os.environ.get("GRAINE", "1"))
HABITANTS = int(os.environ.get("HABITANTS", "44000"))
MONTH = "2026-06"
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
    pseudonymise_everything(root / "simulation", settings, root, (MONTH,))
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
    return provenance("make preuve-spark") | {
        "coeurs": os.cpu_count(),
        "habitants": HABITANTS,
        "graine": SEED,
        "versions": {name: version(name) for name in ("splink", "duckdb", "pyspark")},
    }


if __name__ == "__main__":
    main()
