"""A list holds who consented, and nothing else; nothing leaves without a line in the journal."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from pyrage import decrypt, x25519

from pipelines.files import sha256
from pipelines.outreach import delivery, sealing, vault
from pipelines.outreach.journal import open_journal, read_key, verify
from pipelines.refusals import KeyRefusal, MissingSourceRefusal, Refusal, SettingsRefusal
from pipelines.settings import Settings
from tests.outreach.conftest import hand_over, put_in_vault

TODAY = date(2026, 7, 1)


def opened(path: str, identity: x25519.Identity) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(decrypt(Path(path).read_bytes(), [identity])))
    return {sheet.title: [tuple(c.value for c in row) for row in sheet.iter_rows()] for sheet in book}


def persons(path: str, identity: x25519.Identity, witness: str) -> list[tuple[object, ...]]:
    return [row for row in opened(path, identity)["À rappeler"][3:] if row[7] != witness]


def last_intention(settings: Settings) -> dict[str, object]:
    with open_journal(settings.dossiers.remises, read_key(settings.secrets.cle_journal)) as journal:
        return [line for line in journal.lines if line["acte"] == "intention"][-1]


def test_the_list_shows_name_channel_commune_right_and_consent_only(
    cellule: Settings, recipient_key: x25519.Identity
) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}])
    hand_over(cellule, [("c1", "rsa")])
    counts = delivery.deliver(cellule, "CELLULE", TODAY)
    sheet = opened(counts["fichier"], recipient_key)["À rappeler"]
    assert sheet[0][0].endswith("– Cellule d'aller-vers – expire le 31/07/2026")  # type: ignore[union-attr]
    assert sheet[2] == (
        "Nom", "Prénom", "Canal choisi", "Coordonnée", "Créneau", "Commune", "Droits à évoquer",
        "Consentements", "Valable jusqu'au",
    )  # fmt: skip
    assert persons(counts["fichier"], recipient_key, str(last_intention(cellule)["temoin"])) == [
        ("Testard", "Jeanne", "TELEPHONE", "06 39 98 00 01", "MATIN", "31483", "RSA", "c1", "04/05/2027")
    ]


def test_one_declared_canary_row_is_among_the_rows(cellule: Settings, recipient_key: x25519.Identity) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}])
    hand_over(cellule, [("c1", "rsa")])
    path = delivery.deliver(cellule, "CELLULE", TODAY)["fichier"]
    rows = opened(path, recipient_key)["À rappeler"][3:]
    assert [row[7] for row in rows].count(last_intention(cellule)["temoin"]) == 1
    assert len(rows) == 2


def test_two_rights_of_one_person_make_one_row(cellule: Settings, recipient_key: x25519.Identity) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}, {"consentement_id": "c2", "finalite": "RAPPEL_PPA"}])
    hand_over(cellule, [("c1", "rsa"), ("c2", "ppa")])
    counts = delivery.deliver(cellule, "CELLULE", TODAY)
    rows = persons(counts["fichier"], recipient_key, str(last_intention(cellule)["temoin"]))
    assert [(row[6], row[7]) for row in rows] == [("RSA, prime d'activité", "c1 c2")]


def test_every_consent_handed_over_is_listed_or_counted_aside(cellule: Settings) -> None:
    put_in_vault(
        cellule,
        [
            {"consentement_id": "kept"},
            {"consentement_id": "other", "destinataire": "FS-AURIGNAC"},
            {"consentement_id": "refused", "evenement": "REFUSE"},
            {"consentement_id": "purpose", "finalite": "RAPPEL_AUTRE"},
            {"consentement_id": "mute", "telephone": " "},
        ],
    )
    ids = ["kept", "other", "refused", "purpose", "mute", "unknown"]
    hand_over(cellule, [(identifier, "rsa") for identifier in ids])
    counts = delivery.deliver(cellule, "CELLULE", TODAY)
    assert counts["personnes"] == 1
    assert counts["consentements_ecartes"] == {
        "absent_du_coffre": 1,
        "autre_destinataire": 1,
        "canal_sans_coordonnee": 1,
        "finalite_differente": 1,
        "refuse": 1,
    }


def test_doubtful_matches_are_on_the_cellules_own_list_and_no_other(
    cellule: Settings, recipient_key: x25519.Identity
) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}, {"consentement_id": "c2", "prenoms": "Paul"}])
    hand_over(cellule, [], checks=[("c2", "ambigu")])
    own = opened(delivery.deliver(cellule, "CELLULE", TODAY)["fichier"], recipient_key)
    other = opened(delivery.deliver(cellule, "FS-AURIGNAC", TODAY)["fichier"], recipient_key)
    assert [row[1] for row in own["À vérifier"][3:]] == ["Paul"]
    assert "À vérifier" not in other


def test_hostile_values_stay_strings(cellule: Settings, recipient_key: x25519.Identity) -> None:
    hostile = ["=1+1", "+33", "-2", "@SUM(A1)", "http://exemple.invalid", "mailto:x@y.z", "=HYPERLINK()"]
    put_in_vault(
        cellule, [{"consentement_id": f"c{n}", "nom_naissance": value} for n, value in enumerate(hostile)]
    )
    hand_over(cellule, [(f"c{n}", "rsa") for n in range(len(hostile))])
    path = delivery.deliver(cellule, "CELLULE", TODAY)["fichier"]
    book = openpyxl.load_workbook(io.BytesIO(decrypt(Path(path).read_bytes(), [recipient_key])))
    cells = [cell for row in book["À rappeler"].iter_rows(min_row=4) for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    assert {cell.value for cell in cells if cell.column == 1} >= set(hostile)


def test_a_withdrawal_is_effective_at_once_and_told_to_who_had_the_list(cellule: Settings) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}])
    hand_over(cellule, [("c1", "rsa")])
    assert delivery.deliver(cellule, "CELLULE", TODAY)["personnes"] == 1
    assert delivery.withdraw(cellule, "c1")["destinataires_prevenus"] == ["CELLULE"]
    assert (cellule.dossiers.remises / "CELLULE" / "revocations.txt").read_text() == "c1\n"
    assert delivery.deliver(cellule, "CELLULE", TODAY)["personnes"] == 0


def test_the_recipient_opens_the_list_and_nobody_else(
    cellule: Settings, tmp_path: Path, recipient_key: x25519.Identity
) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}])
    hand_over(cellule, [("c1", "rsa")])
    sealed = Path(delivery.deliver(cellule, "CELLULE", TODAY)["fichier"])
    sender = cellule.secrets.cle_signature.with_suffix(".pub")
    identity = vault.read_identity(tmp_path / "destinataire.age")
    assert sealing.unseal(sealed, identity, sender, tmp_path / "ouvert").suffix == ".xlsx"
    with pytest.raises(KeyRefusal, match="autre destinataire"):
        sealing.unseal(sealed, x25519.Identity.generate(), sender, tmp_path / "autre")
    sealed.write_bytes(sealed.read_bytes()[:-7])
    with pytest.raises(Refusal, match="signature"):
        sealing.unseal(sealed, identity, sender, tmp_path / "autre")
    assert not (tmp_path / "autre").exists()


@pytest.mark.parametrize(
    ("recipient", "refusal"), [("INCONNU", SettingsRefusal), ("CELLULE", MissingSourceRefusal)]
)
def test_an_impossible_delivery_is_refused_and_leaves_nothing(
    cellule: Settings, recipient: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        delivery.deliver(cellule, recipient, TODAY)
    assert not cellule.dossiers.remises.exists()


def journal_file(settings: Settings) -> Path:
    return settings.dossiers.remises / "journal.jsonl"


@pytest.mark.parametrize("attack", ["edit", "swap", "remove"])
def test_an_edited_journal_is_found(cellule: Settings, attack: str) -> None:
    key = read_key(cellule.secrets.cle_journal)
    with open_journal(cellule.dossiers.remises, key) as journal:
        for number in range(4):
            journal.append("retrait", consentement_id=f"c{number}")
    lines = journal_file(cellule).read_text().splitlines()
    forged = {
        "edit": [lines[0].replace("c0", "c9"), *lines[1:]],
        "swap": [lines[1], lines[0], *lines[2:]],
        "remove": [lines[0], *lines[2:]],
    }[attack]
    journal_file(cellule).write_text("\n".join(forged) + "\n")
    with pytest.raises(Refusal, match="modifié"):
        verify(cellule.dossiers.remises, key)


def test_a_journal_cut_at_its_end_is_found_by_the_head_on_the_slip(cellule: Settings) -> None:
    key = read_key(cellule.secrets.cle_journal)
    with open_journal(cellule.dossiers.remises, key) as journal:
        for number in range(3):
            journal.append("retrait", consentement_id=f"c{number}")
        head = journal.head
    assert verify(cellule.dossiers.remises, key, head).lignes == 3
    lines = journal_file(cellule).read_text().splitlines()
    journal_file(cellule).write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(Refusal, match="coupée"):
        verify(cellule.dossiers.remises, key, head)


def test_two_deliveries_at_once_are_refused(cellule: Settings) -> None:
    key = read_key(cellule.secrets.cle_journal)
    with (
        open_journal(cellule.dossiers.remises, key),
        pytest.raises(Refusal, match="en cours"),
        open_journal(cellule.dossiers.remises, key),
    ):
        pass


ENDLESS_DELIVERIES = """
    import sys
    from datetime import date
    from pathlib import Path
    from pipelines.outreach import delivery
    from pipelines.settings import Settings
    settings = Settings.model_validate_json(Path(sys.argv[1]).read_text())
    print("pret", flush=True)
    while True:
        delivery.deliver(settings, "CELLULE", date(2026, 7, 1))
"""


def test_a_killed_delivery_leaves_no_list_without_its_journal_line(cellule: Settings, tmp_path: Path) -> None:
    put_in_vault(cellule, [{"consentement_id": "c1"}])
    hand_over(cellule, [("c1", "rsa")])
    (tmp_path / "settings.json").write_text(cellule.model_dump_json())
    for moment in (0.005, 0.02, 0.05, 0.08, 0.11, 0.17, 0.23, 0.31, 0.36, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ENDLESS_DELIVERIES), str(tmp_path / "settings.json")],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    delivery.deliver(cellule, "CELLULE", TODAY)
    with open_journal(cellule.dossiers.remises, read_key(cellule.secrets.cle_journal)) as journal:
        done = {line["liste"] for line in journal.lines if line["acte"] == "fait"}
        told = {
            ln["fichier"]: ln for ln in journal.lines if ln["acte"] == "intention" and ln["liste"] in done
        }
    delivered = list((cellule.dossiers.remises / "CELLULE").glob("liste-*.age"))
    assert {path.name for path in delivered} == set(told)
    assert all(sha256(path) == told[path.name]["sha256"] for path in delivered)
