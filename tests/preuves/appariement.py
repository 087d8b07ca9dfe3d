"""The published error rates of the linkage against the truth: docs/preuves/appariement.json.

Run by ``make preuves``. One month per territory; each seed is a process of its own and leaves its part under
travail/preuves: a killed proof resumes.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
from rich.progress import Progress

from bench.provenance import provenance
from pipelines.files import whole_file

SEEDS = tuple(int(seed) for seed in os.environ.get("GRAINES", "1 2 3 4 5 6 7 8 9 10").split())
HABITANTS = int(os.environ.get("HABITANTS", "44000"))
MONTH = "2026-06"
TABLES = {"caf": "caf_personnes", "departement": "dep_personnes", "cpam": "cpam_assures"}
"""The three files of persons, in the order the linkage takes them; consents have no NIR to hide."""
ENOUGH = 20
"""Pairs below which a class is not judged."""
GOAL = 0.8
RESULT = Path("docs/preuves/appariement.json")
PARTS = Path("travail/preuves/appariement")

Figures = dict[str, Any]


def prove(seed: int) -> Figures:
    """One territory linked by the real functions, its published error rates held against its truth."""
    from pipelines.settings import Settings, anchored

    started, root = time.monotonic(), (PARTS / f"graine-{seed}").resolve()
    shutil.rmtree(root, ignore_errors=True)
    settings = anchored(Settings(demonstration=True), root)
    _invent(seed, root)
    _deliver(settings, root)
    figures = {"graine": seed, "couples": _linked_and_judged(settings, root)}
    shutil.rmtree(root)
    return figures | {"secondes": round(time.monotonic() - started)}


def _invent(seed: int, root: Path) -> None:
    from pipelines.synthetic import simulate_territory

    simulate_territory("comminges", seed, root / "simulation", MONTH, MONTH, HABITANTS)


def _deliver(settings: Any, root: Path) -> None:
    from pipelines.outreach.delivery import create_secrets
    from tests.conftest import pseudonymise_everything

    create_secrets(settings)
    pseudonymise_everything(root / "simulation", settings, root, (MONTH,), processus=1)


def _linked_and_judged(settings: Any, root: Path) -> list[Figures]:
    from pipelines import flows
    from pipelines.warehouse import open_warehouse

    folders = settings.dossiers
    with open_warehouse(folders.entrepot, folders.travail) as warehouse:
        for name in ("ingestion", "appariement"):
            with warehouse.transaction():
                flows.stage(name)(warehouse, settings, MONTH)
        records = _described(warehouse, settings, _records(warehouse, root))
        published = warehouse.read("out__qualite_appariement")
    return [row for couple in combinations(TABLES, 2) for row in _judged(couple, records, published)]


def _records(warehouse: Any, root: Path) -> pl.DataFrame:
    """source, personne_id, fiche, personne (the true one), personne_uid (the one found): a row per record.

    Records of one person that were found to be one are one record, as in the published rates.
    """
    way_back = pl.concat(
        pl.read_parquet(path, columns=["identifiant", "identifiant_livre"])
        for path in sorted((root / "correspondance").glob("*.parquet"))
    )
    truth = pl.read_parquet(root / "simulation" / "verite" / "enregistrements.parquet").select(
        "personne", source="partenaire", identifiant="id"
    )
    found = warehouse.read("core__personnes_liees").filter(pl.col("source").is_in(list(TABLES)))
    known = found.join(way_back.unique(), left_on="personne_id", right_on="identifiant_livre").join(
        truth.unique(), on=["source", "identifiant"]
    )
    one: pl.DataFrame = known.sort("source", "personne_id").unique(
        ["source", "personne", "personne_uid"], keep="first", maintain_order=True
    )
    return (
        one.select("source", "personne_id", "personne", "personne_uid")
        .with_row_index("fiche")
        .cast({"fiche": pl.Int64})
    )


def _described(warehouse: Any, settings: Any, records: pl.DataFrame) -> pl.DataFrame:
    from pipelines.linkage.classes import described

    folder = settings.dossiers.depot
    identities = [
        pl.read_parquet(
            folder / source / MONTH / f"{table}__identite.parquet",
            columns=["personne_id", "naissance_annee", "sexe", "commune_insee"],
        ).with_columns(source=pl.lit(source))
        for source, table in TABLES.items()
    ]
    known = pl.concat(identities).unique(["source", "personne_id"], keep="first", maintain_order=True)
    joined = records.join(known, on=["source", "personne_id"], how="left", maintain_order="left")
    return described(joined, records, warehouse, settings, MONTH)


def _judged(couple: tuple[str, str], records: pl.DataFrame, published: pl.DataFrame) -> Iterator[Figures]:
    """For everybody and for each class: the true rates, the published intervals, whether they hold."""
    from pipelines.linkage.classes import CLASSES, EVERYBODY, INSURER

    left, right = (records.filter(pl.col("source") == source) for source in couple)
    bears = right if couple[1] == INSURER else left
    parts = [(EVERYBODY, EVERYBODY)] + [(c, m) for c, modalites in CLASSES.items() for m in modalites]
    for classe, modalite in parts:
        kept = bears if classe == EVERYBODY else bears.filter(pl.col(classe) == modalite)
        sides = (left, kept) if bears is right else (kept, right)
        row = _rates(*sides)
        if row["vrais"] >= ENOUGH:
            told = published.filter(source_g=couple[0], source_d=couple[1], classe=classe, modalite=modalite)
            yield (
                {"couple": "–".join(couple), "classe": classe, "modalite": modalite} | row | _held(row, told)
            )


def _rates(left: pl.DataFrame, right: pl.DataFrame) -> Figures:
    true = left.join(right, on="personne", suffix="_d")
    found = left.join(right, on="personne_uid", suffix="_d")
    missed = true.filter(pl.col("personne_uid") != pl.col("personne_uid_d")).height
    wrong = found.filter(pl.col("personne") != pl.col("personne_d")).height
    return {
        "vrais": true.height,
        "manques": missed,
        "faux": wrong,
        "taux_manques": missed / max(true.height, 1),
        "taux_faux": wrong / max(found.height, 1),
    }


def _held(row: Figures, told: pl.DataFrame) -> Figures:
    intervals = {
        "manques": _interval(told, "rappel", complement=True),
        "faux": _interval(told, "part_faux_liens"),
    }
    return {f"publie_{name}": bounds for name, bounds in intervals.items()} | {
        f"{name}_couverts": None
        if bounds is None
        else bounds[0] <= round(row[f"taux_{name}"], 6) <= bounds[2]
        for name, bounds in intervals.items()
    }


def _interval(told: pl.DataFrame, mesure: str, complement: bool = False) -> list[float] | None:
    """Low, value, high as published; None when it was not."""
    rows = told.filter(mesure=mesure).select("bas", "valeur", "haut").rows()
    if not rows:
        return None
    bounds = [1 - value for value in reversed(rows[0])] if complement else list(rows[0])
    return [round(bound, 6) for bound in bounds]


def summary(seeds: list[Figures]) -> list[Figures]:
    """By couple, everybody then classes pooled: seeds where every interval holds, and share that hold."""
    rows = pl.DataFrame([row | {"graine": s["graine"]} for s in seeds for row in s["couples"]], strict=False)
    told = rows.with_columns(
        champ=pl.when(pl.col("classe") == "ensemble").then("classe").otherwise(pl.lit("classes"))
    )
    return [
        {"couple": couple, "champ": champ, "taux": name} | _coverage(part, f"{name}_couverts")
        for (couple, champ), part in told.group_by("couple", "champ", maintain_order=True)
        for name in ("manques", "faux")
    ]


def _coverage(rows: pl.DataFrame, column: str) -> Figures:
    judged = rows.drop_nulls(column)
    by_seed = judged.group_by("graine").agg(part=pl.col(column).mean())
    return {
        "intervalles": judged.height,
        "part_couverte": round(float(judged[column].mean() or 0), 4),  # type: ignore[arg-type]
        "graines": by_seed.height,
        "graines_entieres": by_seed.filter(pl.col("part") == 1).height,
        "tient": float(judged[column].mean() or 0) >= GOAL,  # type: ignore[arg-type]
    }


def part(seed: int) -> Path:
    """Where the figures of one seed wait for the others."""
    return PARTS / f"{HABITANTS}-{seed}.json"


def main() -> None:
    """Prove the missing seeds two at a time, then write the result."""
    started = time.monotonic()
    missing = [seed for seed in SEEDS if not part(seed).is_file()]
    with Progress() as progress, ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        bar = progress.add_task("Appariement, graine par graine", total=len(missing))
        for done in as_completed([pool.submit(prove, seed) for seed in missing]):
            figures = done.result()
            _write(part(figures["graine"]), figures)
            progress.advance(bar)
    seeds = [json.loads(part(seed).read_text(encoding="utf-8")) for seed in SEEDS]
    _write(RESULT, _context(started) | {"resume": summary(seeds), "graines": seeds})
    sys.stdout.write(f"{RESULT}\n")


def _context(started: float) -> Figures:
    return provenance("make preuves") | {
        "coeurs": os.cpu_count(),
        "habitants": HABITANTS,
        "graines_jugees": len(SEEDS),
        "secondes": round(time.monotonic() - started),
    }


def _write(path: Path, figures: Figures) -> None:
    with whole_file(path, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
