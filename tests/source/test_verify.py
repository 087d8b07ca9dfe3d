"""verifier: the partner's own errors, before sending, in a workbook that runs nothing."""

from pathlib import Path

import openpyxl
import polars as pl
import pytest

from pipelines.refusals import Refusal
from pipelines.source import verify, write_workbook
from tests.source.conftest import MOIS, caf_tables, table, write


def test_lines_in_are_lines_accepted_and_set_aside(caf: Path) -> None:
    frame = caf_tables()["caf_ressources"]
    write(
        caf,
        "caf_ressources",
        pl.concat([frame, frame.head(1), frame.tail(1).with_columns(montant=pl.lit("-3"))]),
    )
    found = {t.table: t for t in verify(caf, "caf", MOIS).tables}["caf_ressources"]
    assert (found.recues, found.acceptees) == (frame.height + 2, frame.height)
    assert sum(found.ecartees.values()) == 2


def test_verifying_writes_nothing(caf: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    verify(caf, "caf", MOIS)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_refused_file_does_not_hide_the_others(caf: Path) -> None:
    write(caf, "caf_foyers", caf_tables()["caf_foyers"].drop("sitfam"))
    verification = verify(caf, "caf", MOIS)
    refused = {t.table: t.refus for t in verification.tables if t.refus}
    assert list(refused) == ["caf_foyers"] and "sitfam" in str(refused["caf_foyers"])
    assert not verification.est_livrable
    assert {t.table for t in verification.tables} == set(caf_tables())


def test_oppositions_are_verified_with_the_partners_own_ids(caf: Path) -> None:
    opposition = table("oppositions", {"objet": "TRAITEMENT"}).with_columns(personne_id=pl.lit("ALLOC-petit"))
    write(caf, "oppositions", opposition)
    found = {t.table: t for t in verify(caf, "caf", MOIS).tables}["oppositions"]
    assert (found.recues, found.acceptees, found.refus) == (1, 1, None)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        verify(tmp_path, "caf", MOIS)


def test_the_workbook_holds_strings_only(caf: Path, tmp_path: Path) -> None:
    hostile = caf_tables()["caf_foyers"].with_columns(sitfam=pl.lit("=A1"), mois=pl.lit("2001-01"))
    unknown = caf_tables()["caf_personnes"].with_columns(act=pl.lit("=1+1"))
    write(caf, "caf_foyers", hostile)
    write(caf, "caf_personnes", unknown)
    path = tmp_path / "erreurs.xlsx"
    write_workbook(verify(caf, "caf", MOIS), path)
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    set_aside = list(book["Lignes écartées"].iter_rows(min_row=2, values_only=True))
    assert len(set_aside) == hostile.height
    assert all(row[0] == "caf_foyers" for row in set_aside)
