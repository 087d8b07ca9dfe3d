"""The whole chain against the truth, seed by seed: docs/preuves/chaine.json. Run by ``make preuves``.

Each seed is a process of its own and leaves its part under travail/preuves, with the mark of the code that
made it: a killed proof resumes, a part made by other code is redone.
"""

import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from rich.progress import Progress

from bench.provenance import provenance
from pipelines.proof import code_mark, read_part, write_json, write_part

SEEDS = tuple(int(seed) for seed in os.environ.get("GRAINES", " ".join(map(str, range(1, 21)))).split())
HABITANTS = int(os.environ.get("HABITANTS", "44000"))
ECHANTILLON = int(os.environ.get("ECHANTILLON", "600"))
PROCESSUS = int(os.environ.get("PROCESSUS", str(min(os.cpu_count() or 1, 4))))
MONTHS = ("2026-06",)
"""One delivery: it carries the twenty-four months before it, and the quarter is read in it."""
RESULT = Path(os.environ.get("RESULTAT", "docs/preuves/chaine.json"))
PARTS = Path("travail/preuves/chaine")
CODE = ("pipelines", "schemas", "sql")
GOAL = 0.85
"""Share of the seeds whose interval holds the true rate: 17 of 20."""


def prove(seed: int) -> dict[str, Any]:
    """One territory through the real commands' functions, judged without answers, then with them."""
    from pipelines.settings import Settings, anchored

    root = (PARTS / f"graine-{seed}").resolve()
    shutil.rmtree(root, ignore_errors=True)
    settings = anchored(Settings(demonstration=True), root)
    seconds = {"simuler": _timed(_invent, seed, root), "pseudonymiser": _timed(_deliver, settings, root)}
    seconds |= _run_stages(settings)
    figures = _judged(settings, root) | {"graine": seed, "secondes": seconds}
    figures["taux_verifie"] = _verified(settings, root)
    shutil.rmtree(root)
    return figures


def _timed(action: Any, *arguments: Any) -> float:
    started = time.monotonic()
    action(*arguments)
    return round(time.monotonic() - started, 1)


def _invent(seed: int, root: Path) -> None:
    from pipelines.synthetic import simulate_territory

    simulate_territory("comminges", seed, root / "simulation", MONTHS[0], MONTHS[-1], HABITANTS)


def _deliver(settings: Any, root: Path) -> None:
    from pipelines.outreach.delivery import create_secrets
    from tests.conftest import pseudonymise_everything

    create_secrets(settings)
    pseudonymise_everything(root / "simulation", settings, root, MONTHS, processus=1)


def _run_stages(settings: Any) -> dict[str, float]:
    from pipelines import flows
    from pipelines.warehouse import open_warehouse

    def run(name: str) -> None:
        folders = settings.dossiers
        with open_warehouse(folders.entrepot, folders.travail) as warehouse, warehouse.transaction():
            flows.stage(name)(warehouse, settings, MONTHS[-1])

    return {name: _timed(run, name) for name in flows.STAGES}


def _judged(settings: Any, root: Path) -> dict[str, Any]:
    from pipelines.synthetic.profile_truth import judge_profile
    from pipelines.synthetic.verdict import judge_linkage, judge_rates
    from pipelines.warehouse import open_warehouse

    truth = root / "simulation" / "verite"
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        links = judge_linkage(warehouse, truth, root / "correspondance")
        rates = judge_rates(warehouse, truth, MONTHS[-1])
        profile = judge_profile(warehouse, truth, MONTHS[-1])
    return {"appariement": links.to_dicts(), "taux": rates.to_dicts(), "profil": profile.to_dicts()}


def _verified(settings: Any, root: Path) -> list[dict[str, Any]]:
    """The rates once the verification sample is drawn, answered from the truth, read and used."""
    from pipelines import flows, sampling
    from pipelines.synthetic.answering import answer_sample
    from pipelines.synthetic.verdict import judge_rates
    from pipelines.warehouse import open_warehouse

    month, truth = MONTHS[-1], root / "simulation" / "verite"
    folders = settings.dossiers
    with open_warehouse(folders.entrepot, folders.travail) as warehouse:
        warehouse.record("estimation", month, "preuve", datetime.now(UTC).replace(tzinfo=None), {})
        with warehouse.transaction():
            sampling.draw(warehouse, settings, month, ECHANTILLON)
        answers = answer_sample(folders.echantillons / f"{month}-1", truth, root / "correspondance", month)
        with warehouse.transaction():
            for partner, path in answers.items():
                sampling.read_answers(warehouse, settings, partner, path)
            flows.stage("estimation")(warehouse, settings, month)
        return judge_rates(warehouse, truth, month).to_dicts()


def summary(seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts per right, without and with answers, and the linkage of each two sources over the seeds."""
    links = pl.concat([pl.DataFrame(seed["appariement"]) for seed in seeds])
    pairs = links.group_by("source_g", "source_d", maintain_order=True)
    return {
        "non_verifie": _rates([row for seed in seeds for row in seed["taux"]]),
        "verifie": _rates([row for seed in seeds for row in seed["taux_verifie"]]),
        "f1": pairs.agg(moyen=pl.col("f1").mean().round(4), pire=pl.col("f1").min().round(4)).to_dicts(),
    }


def _rates(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """droit, graines, couverts, biais, reqm and largeur in points, naif_biais, tient (the goal)."""
    error = pl.col("taux_corrige") - pl.col("taux_vrai")
    found = (
        pl.DataFrame(rows, infer_schema_length=None)
        .group_by("droit", maintain_order=True)
        .agg(
            graines=pl.len(),
            couverts=pl.col("est_couvert").sum(),
            biais=(100 * error.mean()).round(2),
            reqm=(100 * (error**2).mean().sqrt()).round(2),
            largeur=(100 * (pl.col("taux_haut") - pl.col("taux_bas")).mean()).round(2),
            naif_biais=(100 * (pl.col("taux_naif") - pl.col("taux_vrai")).mean()).round(2),
        )
    )
    return found.with_columns(tient=pl.col("couverts") >= GOAL * pl.col("graines")).to_dicts()


def part(seed: int) -> Path:
    """Where the figures of one seed wait for the others."""
    return PARTS / f"{HABITANTS}-{seed}.json"


def main() -> None:
    """Prove the missing seeds, ``PROCESSUS`` at a time, then write the result and print its summary."""
    started, mark = time.monotonic(), code_mark(*CODE)
    missing = [seed for seed in SEEDS if read_part(part(seed), mark) is None]
    with Progress() as progress, ProcessPoolExecutor(PROCESSUS, max_tasks_per_child=1) as pool:
        bar = progress.add_task("Chaîne, graine par graine", total=len(missing))
        for done in as_completed([pool.submit(prove, seed) for seed in missing]):
            figures = done.result()
            write_part(part(figures["graine"]), mark, figures)
            progress.advance(bar)
    seeds = [read_part(part(seed), mark) for seed in SEEDS]
    found = summary(seeds)
    write_json(RESULT, _context(started, mark) | {"resume": found, "graines": seeds})
    sys.stdout.write(f"{RESULT}\n{_told(found)}\n")


def _told(found: dict[str, Any]) -> str:
    """A line per right and state of the verification."""
    return "\n".join(
        f"{state:12} {row['droit']:11} {row['couverts']} sur {row['graines']} couverts,"
        f" biais {row['biais']:+.1f}, erreur {row['reqm']:.1f}, largeur {row['largeur']:.1f} points"
        for state in ("non_verifie", "verifie")
        for row in found[state]
    )


def _context(started: float, mark: str) -> dict[str, Any]:
    return provenance("make preuves") | {
        "code": mark,
        "coeurs": os.cpu_count(),
        "habitants": HABITANTS,
        "echantillon": ECHANTILLON,
        "secondes": round(time.monotonic() - started),
    }


if __name__ == "__main__":
    main()
