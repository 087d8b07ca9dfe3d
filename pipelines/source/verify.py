"""verifier: the same reading as pseudonymiser, writing nothing; a workbook of one's own errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import xlsxwriter

from pipelines.files import whole_file
from pipelines.identifiers.leaks import Findings, scan
from pipelines.refusals import Refusal
from pipelines.source.amounts import amounts, refuse_amounts
from pipelines.source.entry import OPPOSITIONS, Entry, communes, open_entry
from pipelines.source.workers import Progress, Workers, in_silence
from schemas import TABLES, Table
from schemas.check import Checked, check_slice, doubles, merged_counts
from schemas.reading import LINE, Slice, read_slice
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


def verify(
    dossier: Path,
    partenaire: str,
    mois: str,
    *,
    processus: int | None = None,
    progress: Progress = in_silence,
) -> Verification:
    """Hold every table of the folder against the contract and write nothing.

    A file that breaks the contract is reported in ``refus`` and the others are still read. ``processus``:
    processes; the cores, four at most, by default. Raises
    :class:`Refusal` when the folder, partner or month is wrong or a table is missing.
    """
    entry = open_entry(dossier, partenaire, mois)
    tables = list(entry.tables())
    if entry.has_oppositions and partenaire not in TABLES[OPPOSITIONS].partners:
        tables.append(TABLES[OPPOSITIONS])
    with Workers(processus) as workers:
        verified = tuple(_verified(entry, table, workers, progress) for table in tables)
    return Verification(partenaire, mois, verified)


def write_workbook(verification: Verification, path: Path) -> None:
    """Write the XLSX the partner corrects from: summary, lines set aside, unknown codes. Strings only."""
    with whole_file(path, mode=0o600) as partial, xlsxwriter.Workbook(str(partial), _WORKBOOK) as book:
        _sheet(book, "Bilan", ("Table", "Reçues", "Acceptées", "Écartées", "Refus"), _summary(verification))
        _sheet(book, "Lignes écartées", ("Table", "Ligne", "Règle", "Explication"), _lines(verification))
        _sheet(book, "Par règle", ("Table", "Règle", "Lignes", "Explication"), _rules(verification))
        _sheet(book, "Codes inconnus", ("Table", "Colonne", "Code", "Lignes"), _codes(verification))
        _sheet(book, "Identités incomplètes", ("Table", "Colonne", "Lignes"), _implausible(verification))


_WORKBOOK = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class _Marked:
    """One slice held against the contract: what doubles are known by stays, its rows do not."""

    checked: Checked
    marks: pl.DataFrame = field(repr=False)
    smuggled: Findings
    amounts: pl.DataFrame = field(repr=False)


def _verified(entry: Entry, table: Table, workers: Workers, progress: Progress) -> TableVerification:
    try:
        checked, sound = _checked(entry, table, workers, progress)
    except Refusal as refusal:
        return TableVerification(table.name, 0, 0, {}, {}, {}, refus=_said(refusal, table))
    return TableVerification(
        table.name,
        sound + checked.rejected.height,
        sound,
        checked.rejected_by_rule(),
        checked.unknown_codes,
        checked.implausible,
        lignes_ecartees=checked.rejected,
    )


def _said(refusal: Refusal, table: Table) -> str:
    """A refusal in one line of the table; its place is told when it is finer than the table."""
    place = refusal.ou if refusal.ou and refusal.ou.startswith(f"{table.name}, ") else ""
    return " ".join(part for part in (refusal.quoi, f"({place})" if place else "", refusal.que_faire) if part)


def _checked(entry: Entry, table: Table, workers: Workers, progress: Progress) -> tuple[Checked, int]:
    """What a table gives, without its rows, and how many it accepts."""
    if entry.is_read_at_once(table):
        checked = entry.read(table)
        entry.refuse_smuggled(table, [scan(checked.accepted, table)])
        return checked, checked.accepted.height
    slices, parts = entry.slices(table), []
    for part in workers.map(_marked, [(table.name, entry.mois, one) for one in slices]):
        parts.append(part)
        progress(table.name, len(parts), len(slices))
    entry.refuse_smuggled(table, [part.smuggled for part in parts])
    refuse_amounts((part.amounts for part in parts), table)
    marks = pl.concat([part.marks for part in parts])
    repeated = doubles(marks, ["cle"], ["contenu"])
    rejected = pl.concat([*(part.checked.rejected for part in parts), repeated]).sort(LINE)
    codes = merged_counts([part.checked.unknown_codes for part in parts])
    implausible = merged_counts([{table.name: part.checked.implausible} for part in parts])[table.name]
    return Checked(pl.DataFrame(), rejected, codes, implausible), marks.height - repeated.height


def _marked(asked: tuple[str, str, Slice]) -> _Marked:
    name, mois, part = asked
    table = TABLES[name]
    checked = check_slice(read_slice(part), table, "nominative", mois, communes())
    rows = checked.accepted
    marks = rows.select(LINE).with_columns(
        cle=rows.select(table.key_of("nominative")).hash_rows(), contenu=rows.drop(LINE).hash_rows()
    )
    light = replace(checked, accepted=rows.clear())
    return _Marked(light, marks, scan(rows, table), amounts(rows, table))


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
