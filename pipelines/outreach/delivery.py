"""Deliver a sealed list, withdraw a consent: under one lock, journalled before and after."""

import hashlib
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import whole_file
from pipelines.outreach import lists, sealing, vault
from pipelines.outreach.consents import DEFAULT_RECIPIENT, states
from pipelines.outreach.journal import Journal, create_key, open_journal, read_key
from pipelines.outreach.lists import ContactList
from pipelines.refusals import MissingSourceRefusal, SettingsRefusal
from pipelines.settings import Organisation, Settings


def create_secrets(settings: Settings) -> str:
    """Draw the cellule's three secrets: vault, journal, signature. Return the vault's public key."""
    secrets = settings.secrets
    public = vault.create_identity(secrets.cle_coffre, secrets.cle_coffre_publique)
    create_key(secrets.cle_journal)
    sealing.create_signing_key(secrets.cle_signature)
    return public


def deliver(settings: Settings, destinataire: str, today: date | None = None) -> dict[str, Any]:
    """Write the sealed list of one recipient, its signature and its slip; journal intention and completion.

    Consents are re-checked on ``today`` inside the lock, withdrawals included. Returns counts and the path.
    Raises :class:`Refusal` naming what is missing; nothing is written then.
    """
    today = today or date.today()
    recipient = _recipient(settings, destinataire)
    handed_over = _handed_over(settings, "a_rappeler.parquet")
    to_check = _handed_over(settings, "a_verifier.parquet")
    persons = vault.read_vault(settings.dossiers.coffre, vault.read_identity(settings.secrets.cle_coffre))
    key = read_key(settings.secrets.cle_journal)
    with open_journal(settings.dossiers.remises, key) as journal:
        resumed = journal.reconcile(settings.dossiers.remises / recipient.code)
        current = states(vault.events_of(persons), settings.aller_vers, today, journal.withdrawn())
        chosen = lists.select(
            vault.contacts_of(persons), handed_over, to_check, current, recipient, settings.aller_vers
        )
        path = _write(settings, recipient, chosen, journal, today, key)
        return {
            "fichier": str(path),
            "personnes": chosen.rows.height,
            "a_verifier": chosen.to_check.height,
            "consentements_ecartes": chosen.ecartes,
            "remises_reprises": resumed,
            "tete_du_journal": journal.head,
        }


def withdraw(settings: Settings, consentement_id: str) -> dict[str, Any]:
    """Record a withdrawal, effective at once; write the revocation list of every recipient that had it."""
    with open_journal(settings.dossiers.remises, read_key(settings.secrets.cle_journal)) as journal:
        if consentement_id in journal.withdrawn():
            return {"deja_retire": True, "destinataires_prevenus": []}
        journal.append("retrait", consentement_id=consentement_id)
        codes = sorted({line["destinataire"] for line in journal.delivered(consentement_id)})
        for code in codes:
            _write_revocations(settings, code, journal)
        return {"deja_retire": False, "destinataires_prevenus": codes}


def _recipient(settings: Settings, code: str) -> Organisation:
    known = {organisation.code: organisation for organisation in settings.aller_vers.destinataires}
    if code not in known:
        raise SettingsRefusal(
            f"Le destinataire {code[:40]} n'est pas déclaré.",
            ou="aller_vers.destinataires",
            que_faire=f"Choisir parmi : {', '.join(known)}.",
        )
    if known[code].cle_publique:
        return known[code]
    return known[code].model_copy(update={"cle_publique": _own_public_key(settings, code)})


def _own_public_key(settings: Settings, code: str) -> str:
    path = settings.secrets.cle_coffre_publique
    if code == DEFAULT_RECIPIENT and path.is_file():
        return path.read_text(encoding="ascii").strip()
    raise SettingsRefusal(
        f"Le destinataire {code} n'a pas de clé publique.",
        ou="aller_vers.destinataires",
        que_faire="Lui demander la clé que « nonrecours cle recevoir » lui affiche (age1…).",
    )


def _handed_over(settings: Settings, name: str) -> pl.DataFrame:
    path = settings.dossiers.passage / name
    if not path.is_file():
        raise MissingSourceRefusal(
            "La chaîne n'a encore rien transmis à la cellule.",
            ou=name,
            que_faire="Lancer « nonrecours executer --mois AAAA-MM » sous le compte d'analyse.",
        )
    return pl.read_parquet(path)


def _write(
    settings: Settings,
    recipient: Organisation,
    chosen: ContactList,
    journal: Journal,
    today: date,
    key: bytes,
) -> Path:
    liste = uuid.uuid4().hex
    expires = today + timedelta(days=settings.aller_vers.validite_liste_jours)
    witness = lists.canary(recipient, liste, key, expires)
    sealed = sealing.seal(
        lists.workbook(chosen, recipient, liste, expires, witness), recipient.cle_publique or ""
    )
    target = settings.dossiers.remises / recipient.code / f"liste-{today:%Y%m%d}-{liste[:8]}.xlsx.age"
    signature = sealing.sign(sealed, settings.secrets.cle_signature)
    with whole_file(target.with_name(target.name + sealing.SIGNATURE_SUFFIX)) as partial:
        partial.write_bytes(signature)
    journal.append(
        "intention",
        liste=liste,
        destinataire=recipient.code,
        fichier=target.name,
        sha256=hashlib.sha256(sealed).hexdigest(),
        personnes=chosen.rows.height,
        consentements=chosen.consents,
        temoin=witness["consentements"],
        expire_le=expires.isoformat(),
    )
    with whole_file(target) as partial:
        partial.write_bytes(sealed)
    journal.append("fait", liste=liste, reprise=False)
    _write_slip(target, recipient, chosen, expires, journal.head)
    return target


def _write_slip(target: Path, recipient: Organisation, chosen: ContactList, expires: date, head: str) -> None:
    text = f"""BORDEREAU DE REMISE

Fichier       : {target.name}
Destinataire  : {recipient.nom} ({recipient.code})
Finalité      : rappeler des personnes qui l'ont accepté, au sujet du RSA ou de la prime d'activité
Personnes     : {chosen.rows.height}
À vérifier    : {chosen.to_check.height}
Valable       : jusqu'au {expires:%d/%m/%Y} ; à détruire ensuite
Ligne témoin  : une ligne de la liste est inventée et déclarée au journal
Tête du journal : {head}

Pour ouvrir : nonrecours ouvrir {target.name} --cle VOTRE_CLE --emetteur signature.pub
"""
    with whole_file(target.with_name(target.name.removesuffix(".xlsx.age") + ".bordereau.txt")) as partial:
        partial.write_text(text, encoding="utf-8")


def _write_revocations(settings: Settings, code: str, journal: Journal) -> None:
    withdrawn = journal.withdrawn()
    listed = {
        identifier
        for identifier in withdrawn
        if any(line["destinataire"] == code for line in journal.delivered(identifier))
    }
    content = ("\n".join(sorted(listed)) + "\n").encode("ascii")
    target = settings.dossiers.remises / code / "revocations.txt"
    for path, body in (
        (target, content),
        (target.with_name("revocations.txt.sig"), sealing.sign(content, settings.secrets.cle_signature)),
    ):
        with whole_file(path) as partial:
            partial.write_bytes(body)
