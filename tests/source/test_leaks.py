"""Smuggled identifiers: found wherever they hide, told by place and never quoted; nothing else is."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.identifiers.leaks import Findings, Leak, scan, scan_texts
from pipelines.refusals import ContractRefusal
from pipelines.source import pseudonymise, verify
from schemas import TABLES
from schemas.reading import LINE
from tests.source.conftest import CONTACT, MARKED, MOIS, caf_tables, table, write
from tests.source.smuggling import clean_columns, is_found, smuggled, thirteen

HUNDRED = 100
"""A twentieth of the proof (``make preuves``, docs/preuves/fuites.json)."""


def test_smuggled_identifiers_are_found_where_they_are(tmp_path: Path) -> None:
    missed = [case for i, case in enumerate(smuggled(HUNDRED, 1)) if not is_found(case, tmp_path, i)]
    assert missed == []


def test_columns_without_identifier_raise_no_alarm() -> None:
    alarms = [leaks for column in clean_columns(HUNDRED, 1) if (leaks := found_in(column))]
    assert alarms == []


def found_in(column: pl.Series) -> list[Leak]:
    """Leaks of a column put in a table of the contract."""
    name, home = ("montant", "caf_ressources") if column.dtype.is_numeric() else ("reponse", "enquetes")
    return scan(column.alias(name).to_frame(), TABLES[home]).leaks()


def kinds(*values: str) -> set[str]:
    return {leak.nature for leak in found_in(pl.Series("reponse", values))}


@pytest.mark.parametrize(
    ("text", "nature"),
    [
        ("1 80 05 31 555 001 59", "NIR"),
        ("180053155500159", "NIR"),
        ("1800531555001 59", "NIR"),
        ("1.80.05.2a.555.001", "NIR"),
        ("180052A555001", "NIR"),
        ("NIR180053155500159", "NIR"),
        ("DUPONT180053155500159", "NIR"),
        ("1/80/05/31/555/001", "NIR"),
        ("1,80,05,31,555,001,59", "NIR"),
        ("tel:0698765432", "téléphone"),
        ("TEL0698765432", "téléphone"),
        ("0698765432/0561234567", "téléphone"),
        ("06 9876 5432", "téléphone"),
        ("06 98 765 432", "téléphone"),
        ("(+33) 698765432", "téléphone"),
        ("00 33 6 98 76 54 32", "téléphone"),
        ("06\u200b98765432", "téléphone"),
        ("radegonde @ exemple.fr", "courriel"),
        ("radegonde arobase exemple point fr", "courriel"),
        ("FR76  3000 6000 0112 3456 7890 189", "IBAN"),
        ("FR 76 3000 6000 0112 3456 7890 189", "IBAN"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("AD1200012030200359100100", "IBAN"),
        ("06 98 76 54 32", "téléphone"),
        ("0698765432", "téléphone"),
        ("+33 (0)6 98 76 54 32", "téléphone"),
        ("0033698765432", "téléphone"),
        ("06/98/76/54/32", "téléphone"),
        ("０６ ９８ ７６ ５４ ３２", "téléphone"),
        ("+34 612 345 678", "téléphone"),
        ("radegonde@exemple.fr", "courriel"),
        ("radegonde (at) exemple.fr", "courriel"),
        ("FR76 3000 6000 0112 3456 7890 189", "IBAN"),
        ("fr7630006000011234567890189", "IBAN"),
        ("iban : FR7630006000011234567890189 merci", "IBAN"),
    ],
)
def test_each_way_of_writing_is_known(text: str, nature: str) -> None:
    assert kinds(text) == {nature}
    assert kinds("MDS-31", f"à voir {text}.") == {nature}


@pytest.mark.parametrize(
    "text",
    [
        "180053155500158",  # wrong key
        "FR76 3000 6000 0112 3456 7890 188",  # wrong key
        "2026-05-12 2026-06-11",
        "31483 31555 31001",
        "20007264300012",
        "200072643",
        "12 345 678,90",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_what_only_looks_like_an_identifier_passes(text: str) -> None:
    assert kinds(text) == set()


def test_thirteen_digits_are_judged_by_their_column() -> None:
    rng = np.random.default_rng(3)
    numbers = [str(n) for n in rng.integers(10**12, 10**13, 400)]
    people = [thirteen(rng, corsican=False) for _ in range(400)]
    assert kinds(*numbers) == set()
    assert kinds(*people) == kinds(*people, *numbers[:300]) == {"NIR"}
    assert kinds("MDS-31", people[0]) == {"NIR"}


def test_a_name_in_the_place_of_a_listed_code_is_seen_before_it_leaves(caf: Path) -> None:
    named = caf_tables()["caf_personnes"].with_columns(role=pl.lit("Zébulonde"), act=pl.lit("NEUF"))
    write(caf, "caf_personnes", named)
    refused = {t.table: str(t.refus) for t in verify(caf, "caf", MOIS).tables if t.refus}
    assert "role (texte au lieu d'un code, 4 ligne(s), la première ligne 2)" in refused["caf_personnes"]
    assert "act (" not in refused["caf_personnes"] and "Zébulonde" not in refused["caf_personnes"]


def test_slices_add_up_to_the_whole_column() -> None:
    """Neither half of the numbers decides alone: their column does."""
    rng = np.random.default_rng(4)
    values = [thirteen(rng, corsican=False) for _ in range(30)] + [str(5 * 10**12 + i) for i in range(170)]
    frame = pl.DataFrame({LINE: range(2, 202), "reponse": values})
    whole = scan(frame, TABLES["enquetes"])
    parts = sum((scan(part, TABLES["enquetes"]) for part in frame.iter_slices(7)), Findings())
    assert parts == whole
    assert [str(leak) for leak in whole.leaks()] == ["reponse (NIR, 30 ligne(s), la première ligne 2)"]


def test_numbers_of_file_are_rekeyed_hence_not_looked_at() -> None:
    rows = pl.DataFrame({"personne_id": ["1800531555001"], "dossier_id": ["180053155500159"]})
    assert scan(rows, TABLES["dep_personnes"]).leaks() == []


def test_a_numeric_column_may_hide_numbers() -> None:
    amounts = pl.Series([512.4, 0.0, None, 180053155500159.0])
    assert {leak.nature for leak in found_in(amounts)} == {"NIR"}
    assert {leak.nature for leak in found_in(pl.Series([512.4, 698765432.0]))} == {"téléphone"}


def test_an_empty_column_holds_nothing() -> None:
    assert found_in(pl.Series([], dtype=pl.String)) == found_in(pl.Series([None], dtype=pl.String)) == []
    assert scan_texts([]) == set()


SPREAD = {"act": "voir 1 80 05 31 555 001 59", "nati": "06 98 76 54 32"}


def test_the_delivery_is_refused_and_says_table_column_kind_and_line(caf: Path, cle: Path) -> None:
    frame = caf_tables()["caf_personnes"].with_row_index("n")
    third = pl.col("n") == 2
    hidden = frame.with_columns(
        pl.when(third).then(pl.lit(v)).otherwise(c).alias(c) for c, v in SPREAD.items()
    )
    write(caf, "caf_personnes", hidden.drop("n"))
    with pytest.raises(ContractRefusal) as caught:
        pseudonymise(
            caf, caf.parent / "depot", cle=cle, partenaire="caf", mois=MOIS, correspondance=caf.parent / "c"
        )
    said = str(caught.value)
    assert "act (NIR, 1 ligne(s), la première ligne 4)" in said
    assert "nati (téléphone, 1 ligne(s), la première ligne 4)" in said
    assert "caf_personnes.csv" in said and not any(value in said for value in SPREAD.values())
    assert not list((caf.parent / "depot").rglob("*.parquet"))
    refused = {t.table: t.refus for t in verify(caf, "caf", MOIS).tables if t.refus}
    assert set(refused) == {"caf_personnes"} and "la première ligne 4" in str(refused["caf_personnes"])


def test_a_small_table_of_the_cellule_is_told_by_its_lines_too(cellule: Path) -> None:
    consent = MARKED["walpurge"] | CONTACT | {"consentement_id": "C1", "finalite": "RAPPEL_RSA"}
    rows = [consent, consent | {"consentement_id": "C2", "formulaire_version": "a@exemple.fr"}]
    write(cellule, "consentements", table("consentements", *rows))
    refused = {t.table: str(t.refus) for t in verify(cellule, "cellule", MOIS).tables if t.refus}
    assert "formulaire_version (courriel, 1 ligne(s), la première ligne 3)" in refused["consentements"]


def test_parquet_metadata_is_read_too(caf: Path) -> None:
    (caf / "caf_personnes.csv").unlink()
    path = caf / "caf_personnes.parquet"
    caf_tables()["caf_personnes"].write_parquet(path, metadata={"auteur": "radegonde@exemple.fr"})
    refused = {t.table: str(t.refus) for t in verify(caf, "caf", MOIS).tables if t.refus}
    assert "métadonnées du fichier (courriel)" in refused["caf_personnes"]
    assert "radegonde" not in refused["caf_personnes"]


@pytest.mark.parametrize("name", ["180053155500159.csv", "06 98 76 54 32.csv", "a@exemple.fr.parquet"])
def test_a_file_named_after_somebody_is_refused_without_quoting_it(caf: Path, name: str) -> None:
    (caf / name).write_text("mois\n")
    with pytest.raises(ContractRefusal) as caught:
        verify(caf, "caf", MOIS)
    assert Path(name).stem not in str(caught.value)
