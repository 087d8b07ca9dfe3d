"""Prefect flows: wiring, logging, retries. No rule of the domain lives here, nothing person-level returns."""

import hashlib
import importlib
import logging
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY", "false")

os.environ.setdefault("PREFECT_TASK_RUNNER_THREAD_POOL_MAX_WORKERS", "1")
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "nonrecours")

from prefect import flow, task

from pipelines import roles
from pipelines.calendar import check_month, shift
from pipelines.files import forget_partials_below
from pipelines.refusals import LegalRefusal, Refusal
from pipelines.settings import SETTINGS_FILE, Settings, load
from pipelines.warehouse import Warehouse, open_warehouse

Counts = dict[str, Any]
Stage = Callable[[Warehouse, Settings, str], Mapping[str, Any]]

log = logging.getLogger("nonrecours")

ANSWERS = "meta__echantillon_reponses"

STAGES = ("ingestion", "qualite", "appariement", "droits", "estimation", "diffusion", "rapport")


@flow(name="mensuel", persist_result=False)
def mensuel(mois: str | None = None, reglages: str = str(SETTINGS_FILE), depuis: str | None = None) -> Counts:
    """Ingest, check, link, compute rights, estimate and report one month; the previous one by default.

    ``depuis`` names the first stage to do again even though nothing changed.
    """
    settings = load(Path(reglages))
    mois = check_month(mois or shift(date.today().strftime("%Y-%m"), -1))
    roles.require("analyse", settings)
    check_convention(settings, date.today())
    marks = fingerprints(settings, mois)
    again = STAGES[STAGES.index(check_stage(depuis)) :] if depuis else ()
    counts = {name: run_stage(name, mois, marks[name], reglages, name in again) for name in STAGES}
    counts["appariement"] |= forget_identities(reglages)
    counts["passage"] = hand_over(reglages)
    return counts


@flow(name="remise", persist_result=False)
def remise(destinataire: str, reglages: str = str(SETTINGS_FILE)) -> Counts:
    """Seal the contact list of one recipient. Runs in the work pool ``cellule``: vault and hand-over only."""
    settings = load(Path(reglages))
    roles.require("cellule", settings)
    return deliver_list(destinataire, reglages)


@task(name="etape", task_run_name="{name}-{mois}", persist_result=False)
def run_stage(name: str, mois: str, mark: str, reglages: str, refaire: bool) -> Counts:
    """Run one stage in one transaction, unless the ledger says this very work is the last done."""
    settings = load(Path(reglages))
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        forget_partials_below(settings.dossiers.sorties, settings.dossiers.rejets, settings.dossiers.passage)
        mark = with_answers(warehouse, name, mark)
        known = None if refaire else warehouse.done(name, mois, mark)
        if known is not None:
            log.info("%s %s : déjà fait sur les mêmes entrées.", name, mois)
            return known | {"deja_fait": True}
        started = datetime.now(UTC).replace(tzinfo=None)
        with warehouse.transaction(), values_withheld(name):
            counts = dict(stage(name)(warehouse, settings, mois))
            warehouse.record(name, mois, mark, started, counts)
    log.info("%s %s : terminé en %.1f s.", name, mois, _seconds_since(started))
    return counts


def with_answers(warehouse: Warehouse, name: str, mark: str) -> str:
    """The mark of a stage, and the answers read so far when it depends on them: a new one is new work."""
    if name not in STAGES[STAGES.index("estimation") :] or not warehouse.exists(ANSWERS):
        return mark
    answers = warehouse.count(ANSWERS)
    return f"{mark}-{answers}" if answers else mark


class StageFailure(Exception):
    """A fault of the program, told by its type and place: the message of the cause may hold row values."""


@contextmanager
def values_withheld(name: str) -> Iterator[None]:
    """Let refusals through; replace any other exception by a :class:`StageFailure` without its message."""
    try:
        yield
    except Refusal:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        place = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        failure = StageFailure(f"Étape {name} : erreur {type(error).__name__} ({place}).")
    else:
        return
    raise failure from None


def _seconds_since(started: datetime) -> float:
    return (datetime.now(UTC).replace(tzinfo=None) - started).total_seconds()


@task(name="effacement-des-identites", persist_result=False)
def forget_identities(reglages: str) -> Counts:
    """Delete the identity files of the extracts whose persons are linked; leave a certificate."""
    from pipelines import linkage

    settings = load(Path(reglages))
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        return linkage.forget(warehouse, settings)


@task(name="passage-a-la-cellule", persist_result=False)
def hand_over(reglages: str) -> Counts:
    """Leave the cellule the one table it may read."""
    from pipelines import estimation

    settings = load(Path(reglages))
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        return estimation.hand_over(warehouse, settings)


@task(name="liste-scellee", persist_result=False)
def deliver_list(destinataire: str, reglages: str) -> Counts:
    """Write the sealed list and its journal lines."""
    from pipelines.outreach.delivery import deliver

    with values_withheld("remise"):
        return deliver(load(Path(reglages)), destinataire)


def stage(name: str) -> Stage:
    """The front door of a stage; its room is imported only when it runs."""
    if name in ("ingestion", "qualite"):
        from pipelines import ingest

        return ingest.run if name == "ingestion" else ingest.quality
    if name == "appariement":
        from pipelines import linkage

        return linkage.run
    if name == "droits":
        from pipelines import eligibility

        return eligibility.run
    if name == "estimation":
        from pipelines import estimation

        return estimation.run
    if name == "diffusion":
        from pipelines import disclosure

        return disclosure.run
    from pipelines import reporting

    return reporting.run


def warm_up() -> None:
    """Import the heavy libraries while Prefect's own server starts in its process."""
    from pipelines.eligibility import system

    for library in ("great_expectations", "splink", "altair"):
        importlib.import_module(library)
    system()


def fingerprints(settings: Settings, mois: str) -> dict[str, str]:
    """One mark per stage: the received manifests up to ``mois``, the settings it reads, the stage before."""
    mark = hashlib.sha256(f"{version('nonrecours')} {mois}".encode())
    for manifest in sorted(settings.dossiers.depot.glob("*/*/manifeste.json")):
        if manifest.parent.name <= mois:
            mark.update(manifest.read_bytes())
    marks = {}
    for name in STAGES:
        mark.update(_settings_read_by(name, settings).encode())
        marks[name] = mark.hexdigest()
    return marks


def _settings_read_by(name: str, settings: Settings) -> str:
    sections = {
        "ingestion": {"partenaires", "territoire"},
        "appariement": {"appariement"},
        "estimation": {"estimation", "aller_vers"},
        "diffusion": {"publication"},
        "rapport": {"demonstration", "cadre"},
    }
    return name + settings.model_dump_json(include=sections.get(name, set()))


def check_stage(name: str) -> str:
    """Return ``name`` unchanged; raise :class:`Refusal` when no stage has it."""
    if name not in STAGES:
        raise Refusal(
            "Cette étape n'existe pas.", ou="--depuis", que_faire=f"Choisir parmi : {', '.join(STAGES)}."
        )
    return name


def check_convention(settings: Settings, today: date) -> None:
    """Raise :class:`LegalRefusal` once the convention has ended (CRPA L.114-8: no basis, no processing)."""
    if today > settings.cadre.convention_fin:
        raise LegalRefusal(
            "La convention d'échange de données a pris fin : aucun traitement n'est possible.",
            ou="cadre.convention_fin",
            que_faire="Faire signer un avenant, puis mettre la nouvelle date dans les réglages.",
        )
