"""verifier: the same reading as pseudonymiser, writing nothing; a workbook of one's own errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import xlsxwriter

from pipelines.files import whole_file
from pipelines.refusals import Refusal
from pipelines.source.entry import OPPOSITIONS, Entry, open_entry
from schemas import TABLES, Table
from schemas.rules import sentence

_MAX_ROWS = 1_048_000
"""Below the number of rows a worksheet can hold."""


@dataclass(frozen=True)
class TableVerification:
    """What one table would give. ``ecartees``: lines set aside by rule; ``lignes_ecartees``: ligne, regle."""

    table: str
    recues: int
    acceptees: int
    ecartees: dict[str, int]
    codes_inconnus: dict[str, dict[str, int]]
    invraisemblables: dict[str, int]
    refus: str | None = None
    lignes_ecartees: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"ligne": pl.Int64, "regle": pl.String}), repr=False
    )


@dataclass(frozen=True)
class Verification:
    """Verification of a folder: one entry per table present, in the order read."""

    partenaire: str
    mois: str
    tables: tuple[TableVerification, ...]

    @property
    def est_livrable(self) -> bool:
        """True when no file would be refused whole."""
        return all(table.refus is None for table in self.tables)


def verify(dossier: Path, partenaire: str, mois: str) -> Verification:
    """Hold every table of the folder against the contract and write nothing.

    A file that breaks the contract is reported in ``refus`` and the others are still read. Raises
    :class:`Refusal` when the folder, partner or month is wrong or a table is missing.
    """
    entry = open_entry(dossier, partenaire, mois)
    tables = list(entry.tables())
    if entry.has_oppositions and partenaire not in TABLES[OPPOSITIONS].partners:
        tables.append(TABLES[OPPOSITIONS])
    return Verification(partenaire, mois, tuple(_verified(entry, table) for table in tables))


def write_workbook(verification: Verification, path: Path) -> None:
    """Write the XLSX the partner corrects from: summary, lines set aside, unknown codes. Strings only."""
    with whole_file(path, mode=0o600) as partial, xlsxwriter.Workbook(str(partial), _WORKBOOK) as book:
        _sheet(book, "Bilan", ("Table", "Reçues", "Acceptées", "Écartées", "Refus"), _summary(verification))
        _sheet(book, "Lignes écartées", ("Table", "Ligne", "Règle", "Explication"), _lines(verification))
        _sheet(book, "Par règle", ("Table", "Règle", "Lignes", "Explication"), _rules(verification))
        _sheet(book, "Codes inconnus", ("Table", "Colonne", "Code", "Lignes"), _codes(verification))
        _sheet(book, "Identités incomplètes", ("Table", "Colonne", "Lignes"), _implausible(verification))


_WORKBOOK = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def _verified(entry: Entry, table: Table) -> TableVerification:
    try:
        checked = entry.read(table)
    except Refusal as refusal:
        return TableVerification(table.name, 0, 0, {}, {}, {}, refus=f"{refusal.quoi} {refusal.que_faire}")
    return TableVerification(
        table.name,
        checked.received,
        checked.accepted.height,
        checked.rejected_by_rule(),
        checked.unknown_codes,
        checked.implausible,
        lignes_ecartees=checked.rejected,
    )


def _sheet(
    book: "xlsxwriter.Workbook", title: str, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> None:
    sheet = book.add_worksheet(title)
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 24)
    for column, name in enumerate(header):
        sheet.write_string(0, column, name, bold)
    for row, values in enumerate(rows, 1):
        if row > _MAX_ROWS:
            sheet.write_string(row, 0, "… la suite ne tient pas dans une feuille.")
            return
        for column, value in enumerate(values):
            sheet.write_string(row, column, str(value))


def _summary(verification: Verification) -> Iterable[tuple[object, ...]]:
    for t in verification.tables:
        yield t.table, t.recues, t.acceptees, sum(t.ecartees.values()), t.refus or ""


def _lines(verification: Verification) -> Iterable[tuple[object, ...]]:
    for t in verification.tables:
        for line, rule in t.lignes_ecartees.iter_rows():
            yield t.table, line, rule, sentence(rule)


def _rules(verification: Verification) -> Iterable[tuple[object, ...]]:
    for t in verification.tables:
        for rule, lines in t.ecartees.items():
            yield t.table, rule, lines, sentence(rule)


def _codes(verification: Verification) -> Iterable[tuple[object, ...]]:
    for t in verification.tables:
        for column, counts in t.codes_inconnus.items():
            for code, lines in counts.items():
                yield t.table, column, code, lines


def _implausible(verification: Verification) -> Iterable[tuple[object, ...]]:
    for t in verification.tables:
        for column, lines in t.invraisemblables.items():
            yield t.table, column, lines
