"""``make bench-scale``: the linkage of 3 × 45 000 and 3 × 1,4 million records."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.echelle.deliveries import deliveries
from bench.echelle.linkage import link
from bench.provenance import provenance
from pipelines.files import whole_file

SIZES = (45_000, 1_400_000)
RESULT = Path("docs/preuves/echelle.json")
WORK = Path("travail/echelle/appariement")


def main(
    fiches: Annotated[list[int], typer.Option(help="Fiches par service ; à répéter.")] = list(SIZES),  # noqa: B006
    graine: Annotated[int, typer.Option(help="Graine de la population.")] = 1,
    preuve: Annotated[Path, typer.Option(help="Où écrire les chiffres.")] = RESULT,
) -> None:
    """Measure each size in a process of its own, print it, then write everything."""
    sizes = [_measured(records, graine) for records in fiches]
    figures = _context(graine) | {"tailles": sizes}
    if len(sizes) > 1:
        figures["croissance"] = _growth(sizes)
    with whole_file(preuve, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    Console().print(figures.get("croissance", ""), str(preuve))


def _measured(records: int, seed: int) -> dict[str, Any]:
    made = deliveries(records, seed)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        figures = {"fiches_par_service": records} | alone.submit(link, made, WORK).result()
    _show(figures)
    return figures


def _show(figures: dict[str, Any]) -> None:
    console = Console()
    phases = Table("phase", "secondes", "mémoire (Mio)", "débordement (Mio)", title=_title(figures))
    for phase in figures["phases"]:
        phases.add_row(*(str(value) for value in phase.values()))
    errors = Table("sources", "liens", "faux", "manqués", "F1")
    for couple in figures["erreurs"]:
        errors.add_row(
            " – ".join(couple["sources"]), *(str(couple[n]) for n in ("liens", "faux", "manques", "f1"))
        )
    console.print(phases, errors, figures["notation"])


def _title(figures: dict[str, Any]) -> str:
    return f"3 × {figures['fiches_par_service']} fiches, {figures['paires']} paires"


def _growth(sizes: list[dict[str, Any]]) -> dict[str, float]:
    """How many times more records, pairs and seconds from the first size to the last."""
    first, last = sizes[0], sizes[-1]
    counted = {name: last[name] / first[name] for name in ("fiches", "paires")}
    both = [{phase["nom"]: phase["secondes"] for phase in size["phases"]} for size in (first, last)]
    seconds = {name: both[1][name] / max(both[0][name], 0.01) for name in both[0]}
    return {name: round(ratio, 1) for name, ratio in (counted | seconds).items()}


def _context(seed: int) -> dict[str, Any]:
    return provenance("make bench-scale") | {
        "graine": seed,
        "coeurs": os.cpu_count(),
        "memoire_machine_mio": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
    }


if __name__ == "__main__":
    typer.run(main)
