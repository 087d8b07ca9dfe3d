"""Find, for each partner, the extract to use for a month; say who is absent or late."""

from pathlib import Path

import polars as pl

from pipelines.calendar import is_month, month_number, shift
from pipelines.ingest.alerts import Alert
from pipelines.ingest.controls import is_ingested, refuse_bad_backlog
from pipelines.ingest.manifest import Delivery, read_delivery
from pipelines.refusals import MissingSourceRefusal, Refusal
from pipelines.settings import Settings
from schemas import PARTNERS

WITHOUT = {
    "caf": "Sans elle, ni les droits ni leur versement ne sont connus : aucun taux n'est calculable.",
    "cpam": "Sans elle, seuls les ménages connus de la CAF seraient comptés : le taux serait sous-estimé, "
    "de 9 à 13 points dans nos simulations.",
    "departement": "Sans lui, les ménages payés par la MSA et les droits suspendus par décision passeraient "
    "pour des non-recourants : le taux serait surestimé.",
    "cellule": "Sans elle, aucun consentement ni aucune opposition ne serait pris en compte.",
    "msa": "Sans elle, la mesure se limite aux ménages hors régime agricole.",
}
"""What an estimate without this partner would mean."""

NAMES = {
    "caf": "de la CAF",
    "cpam": "de la CPAM",
    "departement": "du Département",
    "cellule": "de la cellule",
    "msa": "de la MSA",
}


def deliveries(settings: Settings, mois: str) -> tuple[list[Delivery], list[Alert]]:
    """The newest delivery of each partner among M..M-``retard_admis``, and who is late or absent.

    Raises :class:`MissingSourceRefusal` when an expected partner has none,
    :class:`pipelines.refusals.ContractRefusal` when a folder has no readable manifest.
    """
    found, alerts = [], []
    for partner in PARTNERS:
        folder = _newest_folder(settings, partner, mois)
        if folder is None:
            alerts += _absent(settings, partner, mois)
            continue
        found.append(read_delivery(folder))
        alerts += _late(partner, folder.name, mois)
    return found, alerts


def backlog(
    settings: Settings, found: list[Delivery], known: pl.DataFrame, remplacer: bool
) -> tuple[list[Delivery], list[Alert]]:
    """The older deliveries of the partners of ``found`` that ``known`` (meta__extraits) lacks, oldest first.

    They give history and nothing else: one that is refused is left out and told, the month goes on.
    """
    accepted: list[Delivery] = []
    alerts = []
    for newest in found:
        for folder in _older_folders(settings, newest):
            try:
                delivery = read_delivery(folder)
                if is_ingested(delivery, known):
                    continue
                refuse_bad_backlog(delivery, [*accepted, *found], known, remplacer)
                accepted.append(delivery)
            except Refusal as refusal:
                alerts.append(left_out(newest.partenaire, folder.name, refusal))
    return accepted, alerts


def left_out(partner: str, mois: str, refusal: Refusal) -> Alert:
    """An older delivery that is refused, and why."""
    text = f"L'extrait {NAMES[partner]} de {mois} manque à l'historique : {refusal.quoi} {refusal.que_faire}"
    return Alert("avertissement", partner, text)


def _older_folders(settings: Settings, newest: Delivery) -> list[Path]:
    folders = (settings.dossiers.depot / newest.partenaire).iterdir()
    return sorted(f for f in folders if is_month(f.name) and f.name < newest.mois and f.is_dir())


def _newest_folder(settings: Settings, partner: str, mois: str) -> Path | None:
    for age in range(settings.partenaires.retard_admis + 1):
        folder = settings.dossiers.depot / partner / shift(mois, -age)
        if folder.is_dir():
            return folder
    return None


def _absent(settings: Settings, partner: str, mois: str) -> list[Alert]:
    if partner in settings.partenaires.attendus:
        raise MissingSourceRefusal(
            f"Aucun extrait {NAMES[partner]} pour {mois}{_nor_before(settings.partenaires.retard_admis)}. "
            f"{WITHOUT[partner]}",
            ou=f"dépôt, {partner}/{mois}",
            que_faire="Relancer le partenaire, ou calculer le dernier mois où tous ont livré.",
        )
    gravite = "avertissement" if partner == "cellule" else "information"
    return [Alert(gravite, partner, f"Pas d'extrait {NAMES[partner]} pour {mois}. {WITHOUT[partner]}")]


def _nor_before(months: int) -> str:
    if months == 0:
        return ""
    return ", ni pour le mois d'avant" if months == 1 else f", ni pour les {months} mois d'avant"


def _late(partner: str, delivered: str, mois: str) -> list[Alert]:
    age = month_number(mois) - month_number(delivered)
    if age == 0:
        return []
    text = f"L'extrait {NAMES[partner]} est celui de {delivered} : il a {age} mois de retard."
    return [Alert("avertissement", partner, text)]
