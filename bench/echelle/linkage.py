"""One size through the real stage, then the same scoring against hand-written SQL."""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.echelle.chronometer import Chronometer, size_of
from bench.echelle.deliveries import MOIS, Deliveries
from bench.echelle.hand_sql import score_by_hand
from bench.echelle.population import SERVICES
from pipelines.linkage import Extract, run, stage
from pipelines.linkage.engines import DuckDbEngine
from pipelines.linkage.scoring import score
from pipelines.linkage.sources import load_records
from pipelines.linkage.training import Model
from pipelines.linkage.workspace import comparison_room, silent_splink
from pipelines.settings import Settings, anchored
from pipelines.warehouse import Warehouse, open_warehouse
from schemas import ENCODING_VERSION

PHASES = {
    "load_records": "lire les identités",
    "train": "apprendre",
    "score": "bloquer et noter",
    "write_charts": "graphiques",
    "gather": "meilleurs liens",
    "measure": "qualité",
}
"""The functions the stage calls, and what the phase is called."""

Figures = dict[str, Any]


def link(made: Deliveries, folder: Path) -> Figures:
    """Run the stage on the deliveries in ``folder``, emptied before and after; then the duel."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = _settings(made, folder)
    clock = Chronometer(settings.dossiers.travail)
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        _declare(warehouse)
        with clock.around(stage, PHASES) as returned, clock.phase("toute l'étape"):
            counts = run(warehouse, settings, MOIS)
        errors = _errors(warehouse.read("core__personnes_liees"), pl.read_parquet(made.truth))
    left = size_of(settings.dossiers.travail)
    figures = {
        "fiches": counts["fiches"],
        "paires": returned["bloquer et noter"].height,
        "phases": [asdict(phase) for phase in clock.phases],
        "octets_laisses_dans_travail": left,
        "erreurs": errors,
        "notation": _duel(settings, returned.pop("apprendre")),
    }
    shutil.rmtree(folder)
    return figures


def _settings(made: Deliveries, folder: Path) -> Settings:
    settings = anchored(Settings(), folder.resolve())
    depot = settings.dossiers.model_copy(update={"depot": made.depot.resolve()})
    return settings.model_copy(update={"dossiers": depot})


def _declare(warehouse: Warehouse) -> None:
    """The tables an ingest of one extract per service would have left."""
    extracts = [
        {
            "extrait_id": f"{service}-{MOIS}", "partenaire": service, "mois": MOIS,
            "millesime_cle": "2026", "controle_cle": "0" * 16, "version_encodage": ENCODING_VERSION,
            "est_utilise": True, "est_remplace": False,
        }
        for service in SERVICES
    ]  # fmt: skip
    warehouse.replace("meta__extraits", pl.DataFrame(extracts))
    nobody = dict.fromkeys(("consentement_id", "objet"), pl.String)
    warehouse.replace("core__cellule_oppositions", pl.DataFrame(schema=nobody))


def _errors(linked: pl.DataFrame, truth: pl.DataFrame) -> list[Figures]:
    """Links made, false and missed between each two services, as persons: a record delivered twice is one."""
    known = linked.join(truth, on=["source", "personne_id"]).select("source", "personne_uid", "personne")
    return [_errors_between(known.unique(), couple) for couple in combinations(SERVICES, 2)]


def _errors_between(known: pl.DataFrame, couple: tuple[str, str]) -> Figures:
    left, right = (known.filter(pl.col("source") == name).drop("source") for name in couple)
    made = left.join(right, on="personne_uid", suffix="_d")
    false = made.filter(pl.col("personne") != pl.col("personne_d")).height
    to_make = left.unique("personne").join(right.unique("personne"), on="personne").height
    found = made.filter(pl.col("personne") == pl.col("personne_d"))["personne"].n_unique()
    return {
        "sources": list(couple),
        "liens": made.height,
        "faux": false,
        "manques": to_make - found,
        "f1": round(2 * found / (2 * found + false + to_make - found), 5),
    }


def _duel(settings: Settings, model: Model) -> Figures:
    """Both ways twice, in the order A B B A; the better time of each."""
    clock, found = Chronometer(settings.dossiers.travail), dict[str, pl.DataFrame]()
    extracts = [Extract(f"{service}-{MOIS}", service, MOIS) for service in SERVICES]
    with silent_splink(), comparison_room(settings.dossiers.travail) as room:
        load_records(room, settings, extracts)
        ways: dict[str, Callable[[], pl.DataFrame]] = {
            "splink": lambda: score(DuckDbEngine(room), model),
            "sql": lambda: score_by_hand(room, model),
        }
        for nom in ("splink", "sql", "sql", "splink"):
            found.pop(nom, None)
            with clock.phase(nom):
                found[nom] = ways[nom]()
    best = {nom: min(p.secondes for p in clock.phases if p.nom == nom) for nom in ways}
    ends, weights = ["gauche", "droite"], [found[nom]["poids"] for nom in ways]
    return {
        "splink_secondes": best["splink"],
        "sql_secondes": best["sql"],
        "rapport": round(best["splink"] / best["sql"], 2),
        "memes_paires": found["splink"].select(ends).equals(found["sql"].select(ends)),
        "ecart_maximal_de_poids": float(np.abs(weights[0].to_numpy() - weights[1].to_numpy()).max()),
    }
