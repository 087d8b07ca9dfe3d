"""The whole chain against the truth, seed by seed: docs/preuves/chaine.json. Run by ``make preuves``.

Each seed is a process of its own and leaves its part under travail/preuves: a killed proof resumes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import Progress

from pipelines.files import whole_file

SEEDS = tuple(int(seed) for seed in os.environ.get("GRAINES", "1 2 3 4 5").split())
HABITANTS = int(os.environ.get("HABITANTS", "44000"))
MONTHS = ("2026-04", "2026-05", "2026-06")
PARTNERS = ("caf", "cpam", "departement", "cellule")
RESULT = Path("docs/preuves/chaine.json")
PARTS = Path("travail/preuves/chaine")


def prove(seed: int) -> dict[str, Any]:
    """One territory through the real commands' functions, judged against its truth."""
    from pipelines.settings import Settings, anchored

    root = (PARTS / f"graine-{seed}").resolve()
    shutil.rmtree(root, ignore_errors=True)
    settings = anchored(Settings(demonstration=True), root)
    seconds = {"simuler": _timed(_invent, seed, root), "pseudonymiser": _timed(_deliver, settings, root)}
    seconds |= _run_stages(settings)
    figures = _judged(settings, root) | {"graine": seed, "secondes": seconds}
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
    from pipelines.source import create_key, pseudonymise

    create_secrets(settings)
    create_key(settings.secrets.cle_pseudonymisation)
    for partner in PARTNERS:
        for month in MONTHS:
            pseudonymise(
                root / "simulation" / partner / month,
                settings.dossiers.depot,
                cle=settings.secrets.cle_pseudonymisation,
                partenaire=partner,
                mois=month,
                correspondance=root / "correspondance" / f"{partner}-{month}.parquet",
                coffre=settings.dossiers.coffre,
                coffre_publique=settings.secrets.cle_coffre_publique,
            )


def _run_stages(settings: Any) -> dict[str, float]:
    from pipelines import flows
    from pipelines.warehouse import open_warehouse

    def run(name: str) -> None:
        folders = settings.dossiers
        with open_warehouse(folders.entrepot, folders.travail) as warehouse, warehouse.transaction():
            flows.stage(name)(warehouse, settings, MONTHS[-1])

    return {name: _timed(run, name) for name in flows.STAGES}


def _judged(settings: Any, root: Path) -> dict[str, Any]:
    from pipelines.synthetic.verdict import judge_linkage, judge_rates
    from pipelines.warehouse import open_warehouse

    truth = root / "simulation" / "verite"
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        links = judge_linkage(warehouse, truth, root / "correspondance")
        rates = judge_rates(warehouse, truth, MONTHS[-1])
    return {"appariement": links.to_dicts(), "taux": rates.to_dicts()}


def part(seed: int) -> Path:
    """Where the figures of one seed wait for the others."""
    return PARTS / f"{HABITANTS}-{seed}.json"


def main() -> None:
    """Prove the missing seeds two at a time, then write the result."""
    started = time.monotonic()
    missing = [seed for seed in SEEDS if not part(seed).is_file()]
    with Progress() as progress, ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        bar = progress.add_task("Chaîne, graine par graine", total=len(missing))
        for done in as_completed([pool.submit(prove, seed) for seed in missing]):
            figures = done.result()
            _write(part(figures["graine"]), figures)
            progress.advance(bar)
    seeds = [json.loads(part(seed).read_text(encoding="utf-8")) for seed in SEEDS]
    _write(RESULT, _context(started) | {"graines": seeds})
    sys.stdout.write(f"{RESULT}\n")


def _context(started: float) -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return {
        "commande": "make preuves",
        "commit": commit.stdout.strip(),
        "le": datetime.now(UTC).date().isoformat(),
        "coeurs": os.cpu_count(),
        "habitants": HABITANTS,
        "secondes": round(time.monotonic() - started),
    }


def _write(path: Path, figures: dict[str, Any]) -> None:
    with whole_file(path, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
