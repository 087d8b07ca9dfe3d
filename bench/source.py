"""Time and memory of « nonrecours pseudonymiser » at a real partner's size, on two cores.

Two deliveries: a CPAM (every insured person, their children, their monthly incomes) and a CAF (households,
benefits and incomes of 24 months). The command runs as a partner runs it; the memory is that of its processes
together, read while they run. Writes docs/preuves/source.json.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console

from bench.echelle.population import people
from bench.provenance import provenance
from pipelines.calendar import window
from pipelines.source.keys import KEY_BYTES, write_key
from pipelines.synthetic.defects import HABITS, typed, typed_addresses
from pipelines.synthetic.identities import invent_addresses
from schemas import TABLES

MOIS = "2026-06"
FOLDER = Path("travail/bench-source")
PROOF = Path("docs/preuves/source.json")
CORES = 2

_CHUNK = 100_000
_PERSONS_PER_DWELLING = 2.2
_PERSONS_PER_FOYER = 2.6
_CPAM_WITH_INCOMES = 0.36
_CAF_WITH_BENEFITS, _CAF_WITH_INCOMES = 0.55, 0.28
_OPPOSED = 0.003
_CAF_SHARE = 6
"""Persons of the CPAM for one of the CAF: with 24 months, the two deliveries have about as many rows."""

console = Console(highlight=False)


@dataclass(frozen=True)
class Run:
    """One delivery measured.

    ``charge``: processes that wanted a core in the minute before, this one not started: near 0, or the clock
    says nothing. ``secondes_processeur``: of all its processes, which another program changes less.
    ``memoire_gio``: resident memory of all its processes, at most, in GiB.
    """

    personnes: int
    lignes: int
    charge: float
    secondes: float
    secondes_processeur: float
    memoire_gio: float
    phases: dict[str, float]

    def shown(self) -> dict[str, Any]:
        """The figures, and rows a second."""
        return vars(self) | {"lignes_par_seconde": round(self.lignes / self.secondes)}


def main() -> None:
    """Make the extracts once, deliver each, print and write the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--personnes", type=int, default=1_500_000)
    asked.add_argument("--graine", type=int, default=1)
    asked.add_argument("--preuve", type=Path, default=PROOF)
    arguments = asked.parse_args()
    folder = FOLDER / f"{arguments.personnes}-{arguments.graine}"
    found = {}
    for partner, size in (("cpam", arguments.personnes), ("caf", arguments.personnes // _CAF_SHARE)):
        extract = _made(folder, partner, size, arguments.graine)
        found[partner] = measured(extract, partner, size)
        console.print(partner, found[partner].shown())
    _write(arguments.preuve, arguments.personnes, arguments.graine, found)


def measured(extract: Path, partner: str, size: int) -> Run:
    """Run the command on two cores and watch it."""
    out = extract.parent / f"livre-{partner}"
    shutil.rmtree(out, ignore_errors=True)
    write_key(bytes(range(KEY_BYTES)), out / "projet.cle")
    command = [
        str(Path(sys.executable).with_name("nonrecours")), "pseudonymiser", str(extract), str(out / "depot"),
        "--cle", str(out / "projet.cle"), "--partenaire", partner, "--mois", MOIS,
        "--correspondance", str(out / "correspondance.parquet"),
    ]  # fmt: skip
    load = round(os.getloadavg()[0], 1)
    begun, used = time.monotonic(), _processor_seconds()
    with (out / "bilan.txt").open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, preexec_fn=_on_two_cores, env=os.environ | {"COLUMNS": "200"}
        )
        peak = max(_watch(process), default=0)
    seconds = time.monotonic() - begun
    if process.returncode:
        raise SystemExit(process.returncode)
    counts = json.loads((out / "depot" / partner / MOIS / "manifeste.json").read_text(encoding="utf-8"))
    rows = sum(table["lignes_recues"] for table in counts["bilan"].values())
    text = (out / "bilan.txt").read_text(encoding="utf-8")
    spent = _processor_seconds() - used
    return Run(size, rows, load, round(seconds, 1), round(spent, 1), round(peak / 1024**3, 2), _phases(text))


def _processor_seconds() -> float:
    """Of the processes this one has waited for, and those they waited for."""
    return sum(getrusage(RUSAGE_CHILDREN)[:2])


def _on_two_cores() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _watch(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Bytes resident, all processes of the command added, five times a second."""
    while process.poll() is None:
        yield sum(_resident(pid) for pid in _family(process.pid))
        time.sleep(0.2)


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _phases(text: str) -> dict[str, float]:
    """Seconds of each phase, from the balance the command prints."""
    line = next(line for line in text.splitlines() if "secondes" in line)
    found = re.findall(r"([a-zéè ]+) (\d+(?:,\d+)?)", line.split("│")[-2])
    return {name.strip(): float(seconds.replace(",", ".")) for name, seconds in found}


def _made(folder: Path, partner: str, size: int, seed: int) -> Path:
    """The extract of a partner, written once."""
    extract = folder / partner
    if not extract.is_dir():
        partial = folder / f".{partner}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        maker: Callable[[pl.DataFrame, np.random.Generator], dict[str, pl.DataFrame]]
        maker = _cpam if partner == "cpam" else _caf
        everyone = people(size, np.random.default_rng(seed))
        for number, start in enumerate(range(0, size, _CHUNK)):
            rng = np.random.default_rng((seed, number))
            named = _typed(everyone.slice(start, _CHUNK), partner, start, rng)
            for name, frame in (maker(named, rng) | {"oppositions": _oppositions(named)}).items():
                _append(frame, partial / f"{name}.csv", name)
        partial.rename(extract)
    return extract


def _append(frame: pl.DataFrame, path: Path, name: str) -> None:
    columns = TABLES[name].columns
    empty = [pl.lit(None, pl.String).alias(column) for column in columns if column not in frame.columns]
    with path.open("ab") as stream:
        frame.with_columns(empty).select(columns).write_csv(
            stream, separator=";", include_header=stream.tell() == 0
        )


def _typed(truth: pl.DataFrame, partner: str, start: int, rng: np.random.Generator) -> pl.DataFrame:
    """The identity columns as the partner typed them, personne_id and the truth's birth date."""
    size = truth.height
    dwelling = pl.Series((np.arange(size) / _PERSONS_PER_DWELLING).astype(np.int64))
    homes = truth.select(
        logement=dwelling, commune_insee=pl.col("commune_insee").gather(dwelling).cast(pl.String)
    )
    addresses = invent_addresses(rng, homes)
    placed = homes.join(addresses, on=["logement", "commune_insee"], how="left", maintain_order="left")
    return typed(rng, truth, HABITS[partner]).with_columns(
        placed["commune_insee"],
        truth["date_naissance"].alias("ne_le"),
        adresse=typed_addresses(rng, placed["adresse"], HABITS[partner]),
        personne_id=pl.Series(rng.permutation(size) + start)
        .cast(pl.String)
        .str.zfill(8)
        .str.replace("^", "A"),
    )


def _oppositions(named: pl.DataFrame) -> pl.DataFrame:
    chosen = named.head(round(named.height * _OPPOSED))
    return chosen.with_columns(objet=pl.lit("TRAITEMENT"), depuis_le=pl.lit("2026-01-15"))


def _cpam(named: pl.DataFrame, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    child = pl.col("ne_le") > date(2008, 6, 30)
    covered = rng.random(named.height) < 0.12
    insured = named.with_columns(
        regime=pl.lit("GE"),
        c2s=pl.Series(covered.astype(np.int8)).cast(pl.String),
        c2s_debut=pl.when(pl.Series(covered)).then(pl.lit("2025-11")),
        foyer_c2s_id=pl.when(pl.Series(covered)).then(pl.col("personne_id").str.replace("A", "C")),
        ressources_connues=pl.lit("1"),
    )
    adults, children = named.filter(~child)["personne_id"], named.filter(child)["personne_id"]
    parents = adults.gather(rng.integers(0, len(adults), len(children)))
    earners = adults.filter(pl.Series(rng.random(len(adults)) < _CPAM_WITH_INCOMES))
    return {
        "cpam_assures": insured,
        "cpam_rattachements": pl.DataFrame({"enfant_id": children, "ouvrant_droit_id": parents}),
        "cpam_ressources": _incomes(earners, rng),
    }


def _caf(named: pl.DataFrame, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    number = (np.arange(named.height) / _PERSONS_PER_FOYER).astype(np.int64)
    foyer = pl.col("personne_id").gather(pl.Series((number * _PERSONS_PER_FOYER).astype(np.int64)))
    persons = named.with_columns(
        foyer_id=foyer.str.replace("A", "F"), role=pl.lit("DEM"), present_du=pl.lit("2023-02"),
        nati=pl.lit("F"), act=pl.lit("SAL"), etudiant=pl.lit("0"), enceinte=pl.lit("0"),
    )  # fmt: skip
    foyers = _monthly(persons.select("foyer_id", "commune_insee").unique("foyer_id", maintain_order=True))
    amounts = {name: _amounts(foyers.height, rng) for name in ("aide_logement", "af", "af_base", "rsa_du")}
    ids = persons["personne_id"]
    return {
        "caf_personnes": persons,
        "caf_foyers": foyers.with_columns(
            caf_num=pl.lit("311"), sitfam=pl.lit("MAR"), sitfam_date=pl.lit("2015-06"), occlog=pl.lit("LOC"),
            ressources_source=pl.lit("DTR"), rsa_etat=pl.lit("2"), ppa_etat=pl.lit("2"),
            dtr_phase=pl.lit("1"), cf=pl.lit("0.0"), asf=pl.lit("0.0"),
            paje_base=pl.lit("0.0"), paje_prepare=pl.lit("0.0"), aspa=pl.lit("0.0"),
            ppa_due=pl.lit("0.0"), **amounts,
        ),
        "caf_prestations_personnes": _monthly(
            ids.filter(pl.Series(rng.random(len(ids)) < _CAF_WITH_BENEFITS)).to_frame()
        ).with_columns(aah=pl.lit("0.0"), caah=pl.lit("0.0"), ass=pl.lit("0.0"), asi=pl.lit("0.0")),
        "caf_ressources": _incomes(ids.filter(pl.Series(rng.random(len(ids)) < _CAF_WITH_INCOMES)), rng),
    }  # fmt: skip


def _monthly(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.join(pl.DataFrame({"mois": window(MOIS)}), how="cross")


def _incomes(ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    rows = _monthly(ids.to_frame())
    return rows.with_columns(natress=pl.lit("001"), montant=_amounts(rows.height, rng))


def _amounts(size: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series((rng.gamma(2.0, 300.0, size)).round(2))


def _write(path: Path, size: int, seed: int, found: dict[str, Run]) -> None:
    proof = provenance(f"make bench-source PERSONNES={size} GRAINE={seed}") | {
        "coeurs": CORES,
        "livraisons": {partner: run.shown() for partner, run in found.items()},
    }
    path.write_text(json.dumps(proof, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
