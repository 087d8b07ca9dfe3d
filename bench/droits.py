"""Time and memory of the rights of 50 000 households over twelve months, beside OpenFisca's natural mode.

Invented households, written as rows of the contract, go through the same door as those of the chain. Then
1 000 of them, for one month, both ways in the same run: ours, and OpenFisca left to work out by itself every
benefit the CAF would have told. Writes docs/preuves/droits.json.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Final

import numpy as np
import polars as pl
from openfisca_core.simulation_builder import SimulationBuilder
from rich.console import Console

from bench.provenance import provenance
from pipelines.calendar import month_number, window
from pipelines.eligibility import simulate, system
from pipelines.eligibility.nomenclature import VARIABLE_OF_NATRESS
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

MOIS: Final = "2026-06"
RIGHTS_MONTHS: Final = 12
HISTORY: Final = 26
"""Months of rows: the first quarter held began two months before the first right, and looks back twelve."""

PROOF: Final = Path("docs/preuves/droits.json")
GOAL_SECONDS, GOAL_GIO = 8.0, 1.0

_COUPLES, _PAID_AID, _STOPPED = 0.35, 0.4, 0.03
_CHILDREN = (0.55, 0.2, 0.15, 0.1)
_NATURES: Final = {"001": 0.5, "010": 0.15, "022": 0.08, "011": 0.05, "030": 0.04, "000": 0.18}
_HOMES: Final = ("LOC", "PRO", "ACC", "HGP")

Frames = dict[str, pl.DataFrame]
console = Console(highlight=False)


@dataclass(frozen=True)
class Run:
    """``memoire_gio``: resident memory at most, above that of the process once the system is built."""

    menages: int
    mois: int
    secondes: float
    secondes_processeur: float
    memoire_gio: float


def main() -> None:
    """Build the system, run, compare, print and write the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--menages", type=int, default=50_000)
    asked.add_argument("--compares", type=int, default=1_000)
    asked.add_argument("--graine", type=int, default=1)
    asked.add_argument("--preuve", type=Path, default=PROOF)
    arguments = asked.parse_args()
    load = round(os.getloadavg()[0], 1)
    begun = time.monotonic()
    system()
    built = round(time.monotonic() - begun, 1)
    whole = _alone(ours, arguments.menages, RIGHTS_MONTHS, arguments.graine)
    few = _alone(ours, arguments.compares, 1, arguments.graine)
    natural = _alone(by_openfisca_alone, arguments.compares, arguments.graine)
    _write(arguments, load, built, {"droits": whole, "comparaison": few, "openfisca_seul": natural})


def ours(households: int, months: int, seed: int) -> Run:
    """The rights of invented households for the last ``months`` months, through :func:`simulate`."""
    return _measured(households, months, seed, lambda rows: simulate(**rows, mois=window(MOIS, months)))


def by_openfisca_alone(households: int, seed: int) -> Run:
    """RSA and PPA of one month, every benefit worked out by OpenFisca from rent, ages and incomes."""
    return _measured(households, 1, seed, _natural)


def invented(households: int, seed: int) -> Frames:
    """Rows of the contract of so many households: persons, benefits and incomes of HISTORY months."""
    rng = np.random.default_rng(seed)
    people = _people(households, rng)
    adults = people.filter(pl.col("role") != "ENF")
    return {
        "menages": _homes(households, rng),
        "personnes": people,
        "prestations": _adult_months(adults).with_columns(**dict.fromkeys(PERSON_BENEFITS, pl.lit(0.0))),
        "ressources": _incomes(adults, rng),
    }


def _people(households: int, rng: np.random.Generator) -> pl.DataFrame:
    couples = rng.random(households) < _COUPLES
    children = rng.choice(len(_CHILDREN), households, p=_CHILDREN)
    home = np.concatenate(
        [np.arange(households), np.flatnonzero(couples), np.repeat(np.arange(households), children)]
    )
    sizes = (households, int(couples.sum()), int(children.sum()))
    role = np.repeat(["DEM", "CJT", "ENF"], sizes)
    year = np.where(role == "ENF", rng.integers(2004, 2026, len(home)), rng.integers(1955, 2004, len(home)))
    return pl.DataFrame(
        {"menage_id": home, "role": role, "naissance_annee": year.astype(np.int32)}
    ).with_columns(
        personne_id=pl.int_range(pl.len()).cast(pl.String),
        menage_id=pl.col("menage_id").cast(pl.String),
        naissance_mois=pl.lit(1, pl.Int8),
        present_du=pl.lit(None, pl.String),
        present_au=pl.lit(None, pl.String),
        nati=pl.lit("F"),
        act=pl.lit(None, pl.String),
        etudiant=pl.lit(0, pl.Int8),
        enceinte=pl.lit(0, pl.Int8),
    )


def _homes(households: int, rng: np.random.Generator) -> pl.DataFrame:
    homes = pl.DataFrame(
        {
            "menage_id": np.arange(households).astype(str),
            "occlog": rng.choice(_HOMES, households),
            "_phase": rng.integers(0, 3, households),
            "aide_logement": np.where(
                rng.random(households) < _PAID_AID, rng.uniform(50, 400, households), 0.0
            ),
        }
    )
    numbers = {month: month_number(month) for month in window(MOIS, HISTORY)}
    others = [name for name in HOUSEHOLD_BENEFITS if name != "aide_logement"]
    return homes.join(pl.DataFrame({"mois": list(numbers)}), how="cross").with_columns(
        commune_insee=pl.lit("31483"),
        sitfam=pl.lit("CEL"),
        sitfam_date=pl.lit(None, pl.String),
        dtr_phase=((pl.col("_phase") + pl.col("mois").replace_strict(numbers)) % 3 + 1).cast(pl.Int8),
        **dict.fromkeys(others, pl.lit(0.0)),
    )


def _incomes(adults: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One nature an adult, steady but for a few that stop, the last two months of most not yet declared."""
    natures = rng.choice(list(_NATURES), adults.height, p=list(_NATURES.values()))
    amount = np.where(natures == "000", 0.0, rng.uniform(100, 2200, adults.height).round(2))
    stop = np.where(rng.random(adults.height) < _STOPPED, rng.integers(0, HISTORY, adults.height), HISTORY)
    told = HISTORY - rng.integers(0, 3, adults.height)
    what = adults.select("personne_id").with_columns(
        natress=pl.Series(natures), montant=pl.Series(amount), _stop=pl.Series(stop), _told=pl.Series(told)
    )
    rows = _adult_months(adults).join(what, on="personne_id")
    earned = pl.col("_rank") < pl.col("_stop")
    return rows.filter(pl.col("_rank") < pl.col("_told")).select(
        "personne_id",
        "mois",
        natress=pl.when(earned).then("natress").otherwise(pl.lit("000")),
        montant=pl.when(earned).then("montant").otherwise(0.0),
    )


def _adult_months(adults: pl.DataFrame) -> pl.DataFrame:
    months = pl.DataFrame({"mois": window(MOIS, HISTORY)}).with_row_index("_rank")
    return adults.select("personne_id").join(months, how="cross")


def _natural(frames: Frames) -> None:
    people = frames["personnes"].with_columns(_home=pl.col("menage_id").cast(pl.Int64)).sort("_home")
    simulation = _entities(people)
    year = people["naissance_annee"].to_numpy() - 1970
    simulation.set_input("date_naissance", "ETERNITY", year.astype("datetime64[Y]").astype("datetime64[D]"))
    for month in window(MOIS, HISTORY):
        _set_incomes(simulation, people, frames["ressources"].filter(pl.col("mois") == month), month)
        simulation.set_input("loyer", month, np.full(simulation.menage.count, 500.0))
    simulation.max_spiral_loops = 1
    for right in ("rsa", "ppa"):
        simulation.calculate(right, MOIS)


def _entities(people: pl.DataFrame) -> Any:
    """One family, one tax household and one dwelling per household."""
    builder = SimulationBuilder()
    builder.create_entities(system())
    builder.declare_person_entity("individu", people["personne_id"].to_list())
    homes, home = people["menage_id"].unique(maintain_order=True).to_list(), people["menage_id"].to_list()
    roles = {
        "famille": {"DEM": "demandeur", "CJT": "conjoint", "ENF": "enfant"},
        "foyer_fiscal": {"DEM": "declarant_principal", "CJT": "conjoint", "ENF": "personne_a_charge"},
        "menage": {"DEM": "personne_de_reference", "CJT": "conjoint", "ENF": "enfant"},
    }
    for entity, names in roles.items():
        group = builder.declare_entity(entity, homes)
        builder.join_with_persons(group, home, [names[role] for role in people["role"]])
    return builder.build(system())


def _set_incomes(simulation: Any, people: pl.DataFrame, rows: pl.DataFrame, month: str) -> None:
    for nature in _NATURES:
        variable = VARIABLE_OF_NATRESS.get(nature)
        if variable:
            one = rows.filter(pl.col("natress") == nature)
            paid = people.join(one, on="personne_id", how="left", maintain_order="left")["montant"]
            simulation.set_input(variable, month, paid.fill_null(0.0).to_numpy())


def _measured(households: int, months: int, seed: int, work: Callable[[Any], object]) -> Run:
    """Wall and processor seconds of ``work`` on rows already made; memory above the system, rows included."""
    before = _resident("VmRSS")
    frames = invented(households, seed)
    Path("/proc/self/clear_refs").write_text("5")
    begun, used = time.monotonic(), _processor()
    work(frames)
    seconds, spent = time.monotonic() - begun, _processor() - used
    grown = (_resident("VmHWM") - before) / 1024**2
    return Run(households, months, round(seconds, 2), round(spent, 2), round(grown, 2))


def _alone(work: Callable[..., Run], *asked: int) -> Run:
    """In a process of its own, forked once the system is built: its memory is its own too."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(work, asked)


def _processor() -> float:
    return sum(getrusage(RUSAGE_SELF)[:2])


def _resident(field: str) -> int:
    """KiB resident now (VmRSS), or at most since the last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


def _write(arguments: argparse.Namespace, load: float, built: float, runs: dict[str, Run]) -> None:
    whole, few, natural = runs["droits"], runs["comparaison"], runs["openfisca_seul"]
    found = provenance("make bench-droits") | {
        "graine": arguments.graine,
        "charge": load,
        "secondes_systeme": built,
        **{name: vars(run) for name, run in runs.items()},
        "fois_plus_vite": round(natural.secondes_processeur / few.secondes_processeur, 1),
        "fois_moins_de_memoire": round(natural.memoire_gio / max(few.memoire_gio, 0.01), 1),
        "objectif_tenu": whole.secondes <= GOAL_SECONDS and whole.memoire_gio <= GOAL_GIO,
    }
    console.print(found)
    arguments.preuve.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
