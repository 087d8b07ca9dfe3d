"""Who is on a contact list, and the workbook its recipient reads: strings only, what was consented only."""

import hashlib
import hmac
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import xlsxwriter

from pipelines.outreach.consents import ConsentState
from pipelines.settings import Organisation, Outreach

HEADINGS = {
    "nom": "Nom",
    "prenom": "Prénom",
    "canal": "Canal choisi",
    "coordonnee": "Coordonnée",
    "creneau": "Créneau",
    "commune": "Commune",
    "droits": "Droits à évoquer",
    "consentements": "Consentements",
    "valable": "Valable jusqu'au",
}

CONTACT_OF_CHANNEL = {"TELEPHONE": "telephone", "COURRIEL": "courriel", "COURRIER": "adresse_contact"}
RIGHT_NAMES = {"rsa": "RSA", "ppa": "prime d'activité"}
DOUBT_NAMES = {
    "sans_enregistrement": "aucun dossier retrouvé",
    "ambigu": "plusieurs dossiers possibles",
    "droit_inconnu": "droit impossible à calculer",
}

_CANARY_SURNAMES = ("LABORIE", "CASTERAN", "SABATHE", "DUPRAT", "LAFFORGUE", "BORDERES", "CAZAUX", "PUJOLE")
_CANARY_GIVEN = ("Josette", "Bernard", "Mireille", "Gilbert", "Odile", "Serge", "Nadine", "Roland")


@dataclass(frozen=True)
class ContactList:
    """The rows of one list, and what was set aside: ``ecartes`` counts consents by reason."""

    rows: pl.DataFrame
    to_check: pl.DataFrame
    consents: list[str]
    ecartes: dict[str, int]


def select(
    contacts: pl.DataFrame,
    handed_over: pl.DataFrame,
    to_check: pl.DataFrame,
    states: Mapping[str, ConsentState],
    recipient: Organisation,
    rules: Outreach,
) -> ContactList:
    """The consenting, probably entitled, non-taking-up persons this recipient may call.

    ``contacts``: consentement_id and contact columns. ``handed_over``: consentement_id, droit, echeance.
    ``to_check``: consentement_id, raison. Every consent handed over is on the list or counted in ``ecartes``.
    """
    verdicts = [
        (
            row["consentement_id"],
            row["droit"],
            _verdict(row["consentement_id"], row["droit"], states, recipient),
        )
        for row in handed_over.iter_rows(named=True)
    ]
    judged = pl.DataFrame(
        verdicts,
        schema={"consentement_id": pl.String, "droit": pl.String, "verdict": pl.String},
        orient="row",
    ).join(contacts, on="consentement_id", how="left")
    judged = _with_channel(judged, rules)
    kept = judged.filter(pl.col("verdict") == "retenu")
    aside = judged.filter(pl.col("verdict") != "retenu").group_by("verdict").len().sort("verdict")
    rows = _one_row_per_person(_with_expiry(kept, states))
    checks = _rows_to_check(to_check, contacts, states, recipient)
    return ContactList(rows, checks, sorted(kept["consentement_id"].unique()), dict(aside.iter_rows()))


def workbook(
    selection: ContactList, recipient: Organisation, liste: str, expires: date, canary: Mapping[str, str]
) -> bytes:
    """The XLSX a recipient opens: header, one row per person, the canary among them, strings only."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        header = f"Exemplaire {liste[:8]} – {recipient.nom} – expire le {expires:%d/%m/%Y}"
        rows = [dict(canary), *selection.rows.iter_rows(named=True)]
        _write_sheet(book, "À rappeler", header, _permuted(rows, f"{recipient.code}{liste}"), HEADINGS)
        if not selection.to_check.is_empty():
            columns = {name: HEADINGS[name] for name in ("nom", "prenom", "canal", "coordonnee", "creneau")}
            checks = list(selection.to_check.iter_rows(named=True))
            _write_sheet(book, "À vérifier", header, checks, columns | {"raison": "Pourquoi"})
    return stream.getvalue()


def canary(recipient: Organisation, liste: str, key: bytes, expires: date) -> dict[str, str]:
    """The declared witness row of a list: an invented person whose number is reserved for fiction (ARCEP)."""
    draw = hmac.new(key, f"temoin {recipient.code} {liste}".encode(), hashlib.sha256).digest()
    return {
        "nom": _CANARY_SURNAMES[draw[0] % len(_CANARY_SURNAMES)],
        "prenom": _CANARY_GIVEN[draw[1] % len(_CANARY_GIVEN)],
        "canal": "TELEPHONE",
        "coordonnee": f"06 39 98 {draw[2] % 100:02d} {draw[3] % 100:02d}",
        "creneau": "MATIN",
        "commune": "31483",
        "droits": RIGHT_NAMES["rsa"],
        "consentements": draw[4:20].hex(),
        "valable": f"{expires:%d/%m/%Y}",
    }


def _verdict(identifier: str, droit: str, states: Mapping[str, ConsentState], recipient: Organisation) -> str:
    state = states.get(identifier)
    if state is None:
        return "absent_du_coffre"
    if not state.est_valide:
        return state.raison
    if state.droit != droit:
        return "finalite_differente"
    return "retenu" if state.destinataire == recipient.code else "autre_destinataire"


def _with_channel(judged: pl.DataFrame, rules: Outreach) -> pl.DataFrame:
    channel = pl.col("canal_prefere").fill_null("TELEPHONE")
    contact = pl.coalesce(
        pl.when(channel == name).then(pl.col(column)) for name, column in CONTACT_OF_CHANNEL.items()
    )
    unusable = ~channel.is_in(rules.canaux) | contact.is_null() | (contact.str.strip_chars() == "")
    return judged.with_columns(canal=channel, coordonnee=contact).with_columns(
        verdict=pl.when((pl.col("verdict") == "retenu") & unusable)
        .then(pl.lit("canal_sans_coordonnee"))
        .otherwise("verdict")
    )


def _with_expiry(kept: pl.DataFrame, states: Mapping[str, ConsentState]) -> pl.DataFrame:
    expiries = [states[identifier].expire_le for identifier in kept["consentement_id"]]
    return kept.with_columns(expire_le=pl.Series(expiries, dtype=pl.Date))


def _one_row_per_person(kept: pl.DataFrame) -> pl.DataFrame:
    person = [*_person_columns(), pl.col("commune_insee").alias("commune")]
    rows = kept.select(*person, "droit", "consentement_id", "expire_le").sort("consentement_id")
    keys = ["nom", "prenom", "canal", "coordonnee", "creneau", "commune"]
    return rows.group_by(keys, maintain_order=True).agg(
        droits=pl.col("droit").replace(RIGHT_NAMES).unique().sort().str.join(", "),
        consentements=pl.col("consentement_id").str.join(" "),
        valable=pl.col("expire_le").min().dt.strftime("%d/%m/%Y"),
    )


def _person_columns() -> list[pl.Expr]:
    return [
        pl.coalesce("nom_usage", "nom_naissance").fill_null("").alias("nom"),
        pl.col("prenoms").fill_null("").alias("prenom"),
        pl.col("canal"),
        pl.col("coordonnee"),
        pl.col("creneau").fill_null(""),
    ]


def _rows_to_check(
    to_check: pl.DataFrame,
    contacts: pl.DataFrame,
    states: Mapping[str, ConsentState],
    recipient: Organisation,
) -> pl.DataFrame:
    valid = [
        identifier
        for identifier, state in states.items()
        if state.est_valide and recipient.code == "CELLULE" and state.droit is not None
    ]
    rows = to_check.filter(pl.col("consentement_id").is_in(valid)).join(contacts, on="consentement_id")
    rows = rows.with_columns(canal=pl.col("canal_prefere"), coordonnee=pl.coalesce("telephone", "courriel"))
    return rows.select(*_person_columns(), pl.col("raison").replace(DOUBT_NAMES)).unique(maintain_order=True)


def _permuted(rows: list[dict[str, str]], seed: str) -> list[dict[str, str]]:
    words = np.frombuffer(hashlib.sha256(seed.encode()).digest(), dtype=np.uint32)
    order = np.random.default_rng(words).permutation(len(rows))
    return [rows[index] for index in order]


def _write_sheet(
    book: xlsxwriter.Workbook,
    name: str,
    header: str,
    rows: list[dict[str, str]],
    columns: Mapping[str, str],
) -> None:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.write_string(0, 0, header, book.add_format({"italic": True}))
    for position, heading in enumerate(columns.values()):
        sheet.write_string(2, position, heading, bold)
        sheet.set_column(position, position, 20)
    for line, row in enumerate(rows, start=3):
        for position, column in enumerate(columns):
            sheet.write_string(line, position, str(row[column] or ""))
    sheet.freeze_panes(3, 0)
    sheet.set_landscape()
    sheet.set_footer("&L" + header.replace("&", "&&"))
