"""verifier: the partner's own errors, before sending, in a workbook that runs nothing."""

from pathlib import Path

import openpyxl
import polars as pl
import pytest

from pipelines.refusals import ContractRefusal, Refusal
from pipelines.source import pseudonymise, verify, write_workbook
from pipelines.source.amounts import amounts, refuse_amounts
from schemas import TABLES
from schemas.magnitudes import NATURES
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


PEOPLE = 60


def test_amounts_of_a_year_are_told_before_they_leave(caf: Path, cle: Path) -> None:
    usual = [(f"ALLOC-{n}", "001", 1400 + n) for n in range(PEOPLE)]
    write(caf, "caf_ressources", incomes([(who, nature, 12 * amount) for who, nature, amount in usual]))
    refused = {t.table: str(t.refus) for t in verify(caf, "caf", MOIS).tables if t.refus}
    assert list(refused) == ["caf_ressources"]
    assert all(
        said in refused["caf_ressources"] for said in ("euros par mois", "annuels", "caf_ressources, 001")
    )
    with pytest.raises(ContractRefusal, match="euros par mois") as caught:
        pseudonymise(
            caf, caf.parent / "depot", cle=cle, partenaire="caf", mois=MOIS, correspondance=caf.parent / "c"
        )
    assert "rien n'a été livré" in str(caught.value.que_faire)
    assert not list((caf.parent / "depot").rglob("*.parquet"))
    write(caf, "caf_ressources", incomes(usual))
    assert verify(caf, "caf", MOIS).est_livrable


def test_the_median_is_of_the_whole_table_whatever_its_slices() -> None:
    """Most of the first slice is out of bounds, most of the table is not."""
    home, high = TABLES["caf_ressources"], NATURES["001"][1]
    outside, inside = incomes_of([high + 1.0] * 60), incomes_of([high - 1.0] * 70)
    first = amounts(pl.concat([outside, inside.head(30)]), home)
    refuse_amounts([first, amounts(inside.tail(40), home)], home)
    with pytest.raises(ContractRefusal):
        refuse_amounts([first], home)


def test_benefits_are_held_to_their_own_bounds(caf: Path) -> None:
    rows = pl.concat(
        caf_tables()["caf_foyers"].with_columns(foyer_id=pl.lit(f"M-{n}"), rsa_du=pl.lit("51240"))[:1]
        for n in range(PEOPLE)
    )
    write(caf, "caf_foyers", rows)
    refused = {t.table: str(t.refus) for t in verify(caf, "caf", MOIS).tables if t.refus}
    assert list(refused) == ["caf_foyers"] and "caf_foyers, rsa_du" in refused["caf_foyers"]


def incomes(rows: list[tuple[str, str, float]]) -> pl.DataFrame:
    """caf_ressources of one month."""
    written = [{"personne_id": who, "mois": MOIS, "natress": n, "montant": str(m)} for who, n, m in rows]
    return table("caf_ressources", *written)


def incomes_of(values: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"natress": ["001"] * len(values), "montant": values})


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
