"""Read a partner's file as strings: any separator, encoding and decimal mark of the contract, or Parquet.

A file is surveyed once, then read slice by slice: no more than a slice of it needs to be in memory.
"""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from pipelines.refusals import ContractRefusal

LINE = "ligne"
ANOMALY = "anomalie_de_lecture"
"""Present only when some line has another number of fields than the header: those rows are set aside."""

WRONG_FIELDS = "nombre_de_champs"
SEPARATORS = (";", "\t", "|", ",")
SLICE_BYTES = 4 << 20
SLICE_ROWS = 50_000
"""Rows of one slice of a Parquet file."""

_PARQUET_MAGIC = b"PAR1"
_MARK = b"\xef\xbb\xbf"
_UTF8_LETTERS = re.compile(rb"\xc3[\x80-\xbf]")
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_CHUNK_ROWS = 100_000


@dataclass(frozen=True)
class Layout:
    """How a file is written. ``by_records``: some quoted field holds a line break."""

    path: Path
    names: tuple[str, ...] = ()
    separator: str = ""
    encoding: str = "utf-8"
    by_records: bool = False

    @property
    def is_parquet(self) -> bool:
        """True when the file is no text: it needs no separator."""
        return not self.separator


@dataclass(frozen=True)
class Slice:
    """A part of a file that holds whole rows: bytes of a CSV, rows of a Parquet file."""

    layout: Layout
    start: int
    length: int
    line: int


def read_strings(path: Path, *, is_vouched_for: bool = False) -> pl.DataFrame:
    """Every row of a CSV or Parquet file, as strings, plus ``ligne`` (the header of a CSV is line 1).

    CSV: separator ``;`` ``,`` tab or ``|``; UTF-8, UTF-8 with mark or Windows-1252. A line with another
    number of fields keeps its number and is marked in ``anomalie_de_lecture``. Decimal commas are read later.
    A Parquet file is first read by a child process, unless its hash ``is_vouched_for`` by a manifest.
    Raises :class:`ContractRefusal` when the file is empty, truncated or unreadable; no value is ever quoted.
    """
    parts = [read_slice(part) for part in slices(path, is_vouched_for=is_vouched_for)]
    return pl.concat(parts, how="diagonal")


def slices(
    path: Path, size: int | None = None, rows: int | None = None, *, is_vouched_for: bool = False
) -> list[Slice]:
    """The parts of a file, in order, at least one: ``size`` bytes of a CSV, ``rows`` rows of a Parquet file.

    ``SLICE_BYTES`` and ``SLICE_ROWS`` by default. The rows read do not depend on how the file is cut. Raises
    :class:`ContractRefusal` as :func:`read_strings` does.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(4) == _PARQUET_MAGIC or path.suffix == ".parquet":
                return _parquet_slices(path, rows or SLICE_ROWS, is_vouched_for)
            return _csv_slices(stream, path, size or SLICE_BYTES)
    except OSError:
        raise _refusal("Le fichier ne peut pas être ouvert.", path, "Vérifier qu'il existe.") from None


def read_slice(part: Slice) -> pl.DataFrame:
    """The rows of one part, as :func:`read_strings` gives them."""
    layout = part.layout
    if layout.is_parquet:
        return _read_parquet(part)
    with layout.path.open("rb") as stream:
        stream.seek(part.start)
        text = _one_line_end(stream.read(part.length).decode(layout.encoding))
    if layout.by_records:
        return _parsed_by_records(text, part)
    return _parsed_by_lines(text, part)


def _refusal(quoi: str, path: Path, que_faire: str) -> ContractRefusal:
    return ContractRefusal(quoi, ou=f"fichier {path.name}", que_faire=que_faire)


def _parquet_slices(path: Path, rows: int, is_vouched_for: bool) -> list[Slice]:
    try:
        if path.stat().st_size == 0:
            raise _empty(path)
        if not _ends_well(path) or not (is_vouched_for or _survives_reading(path)):
            raise ValueError("damaged")
        height = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, ValueError, pl.exceptions.PanicException):
        raise _unreadable(path) from None
    starts = range(0, max(height, 1), rows)
    return [Slice(Layout(path), start, rows, start + 1) for start in starts]


def _unreadable(path: Path) -> ContractRefusal:
    return _refusal(
        "Le fichier Parquet est illisible ou tronqué.", path, "Le produire ou le copier de nouveau."
    )


def _empty(path: Path) -> ContractRefusal:
    return _refusal("Le fichier est vide : il n'a pas même d'en-tête.", path, "Le produire de nouveau.")


def _ends_well(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-min(4, path.stat().st_size), io.SEEK_END)
        return stream.read() == _PARQUET_MAGIC


_READ_IT_ALL = """
import sys, polars
file = polars.scan_parquet(sys.argv[1], glob=False)
for start in range(0, file.select(polars.len()).collect().item(), 50_000):
    file.slice(start, 50_000).collect()
"""


def _survives_reading(path: Path) -> bool:
    """A damaged Parquet file can abort the process that reads it, past any exception: a child tries first."""
    command = [sys.executable, "-c", _READ_IT_ALL, str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _read_parquet(part: Slice) -> pl.DataFrame:
    try:
        frame = pl.scan_parquet(part.layout.path, glob=False).slice(part.start, part.length).collect()
        strings = frame.select(_as_string(column) for column in frame.get_columns())
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException):
        raise _unreadable(part.layout.path) from None
    line = pl.int_range(part.line, pl.len() + part.line, dtype=pl.Int64).alias(LINE)
    return strings.with_columns(line)


def _as_string(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Object:
        raise ValueError("nested column")
    if values.dtype == pl.Binary:
        raise ValueError("binary column")
    return values.cast(pl.String)


@dataclass
class _Survey:
    """What one pass over the bytes of a CSV shows."""

    size: int
    is_blank: bool = True
    has_nul: bool = False
    is_utf8: bool = True
    is_windows: bool = True
    has_odd_quotes: bool = False
    lines: int = 1
    last: bytes = b""
    cuts: list[tuple[int, int, int]] = field(default_factory=list)

    def header(self, line: bytes) -> None:
        """The first line of the file; a mark of encoding is no part of it."""
        self._bytes(line)

    def block(self, start: int, content: bytes) -> None:
        """Whole lines that follow."""
        self.cuts.append((start, len(content), self.lines + 1))
        self._bytes(content)
        self.lines += content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
        if b'"' in content and not self.has_odd_quotes:
            self.has_odd_quotes = any(line.count(b'"') % 2 for line in re.split(rb"[\r\n]", content))

    def _bytes(self, content: bytes) -> None:
        self.last = content[-1:] or self.last
        self.is_blank = self.is_blank and not content.strip()
        self.has_nul = self.has_nul or b"\x00" in content
        if not content.isascii():
            self.is_utf8 = self.is_utf8 and _is_utf8(content)
            self.is_windows = self.is_windows and not (
                _NOT_WINDOWS.search(content) or _UTF8_LETTERS.search(content)
            )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _csv_slices(stream: BinaryIO, path: Path, size: int) -> list[Slice]:
    survey = _Survey(size)
    header, start = _header(stream)
    survey.header(header)
    for begun, content in _blocks(stream, start, size):
        survey.block(begun, content)
    _refuse_bytes(survey, path)
    layout = _layout(header.decode("utf-8" if survey.is_utf8 else "cp1252"), survey, path)
    _refuse_truncated(survey, path)
    cuts = _record_cuts(stream, layout, start, size) if layout.by_records else survey.cuts
    return [Slice(layout, *cut) for cut in cuts or [(start, 0, 2)]]


def _header(stream: BinaryIO) -> tuple[bytes, int]:
    """The first line, without mark nor line end, and where the next one starts."""
    stream.seek(0)
    first = stream.readline()
    line = re.split(rb"\r\n|\r|\n", first, maxsplit=1)
    rest = len(line[1]) if len(line) > 1 else 0
    return line[0].removeprefix(_MARK), len(first) - rest


def _blocks(stream: BinaryIO, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The bytes from ``start`` on, by whole lines; a block ends at a line feed."""
    stream.seek(start)
    while content := stream.read(size):
        whole = content + stream.readline()
        yield start, whole
        start += len(whole)


def _refuse_bytes(survey: _Survey, path: Path) -> None:
    if survey.is_blank:
        raise _empty(path)
    if survey.has_nul:
        raise _refusal(
            "Le fichier n'est pas du texte UTF-8 ou Windows-1252.",
            path,
            "L'enregistrer en CSV UTF-8, ou en Parquet.",
        )
    if not survey.is_utf8 and not survey.is_windows:
        raise _refusal(
            "L'encodage du fichier n'est ni UTF-8 ni Windows-1252, ou il mêle les deux.",
            path,
            "L'enregistrer en UTF-8.",
        )


def _layout(header: str, survey: _Survey, path: Path) -> Layout:
    separator = max(SEPARATORS, key=header.count)
    names = tuple(name.strip() for row in csv.reader([header], delimiter=separator) for name in row)
    _refuse_names(names, path)
    encoding = "utf-8" if survey.is_utf8 else "cp1252"
    return Layout(path, names, separator, encoding, survey.has_odd_quotes)


def _refuse_names(names: tuple[str, ...], path: Path) -> None:
    if any(not name for name in names):
        raise _refusal("Une colonne n'a pas de nom.", path, "Nommer chaque colonne de la première ligne.")
    if len(set(names)) < len(names):
        raise _refusal("Deux colonnes portent le même nom.", path, "Ne garder que la bonne.")


def _refuse_truncated(survey: _Survey, path: Path) -> None:
    if survey.cuts and survey.last not in (b"\n", b"\r"):
        raise _refusal(
            "La dernière ligne n'est pas finie : le fichier est sans doute tronqué.",
            path,
            "Le produire ou le copier de nouveau, avec un retour à la ligne final.",
        )


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Lines:
    """The lines of a CSV, and how many bytes were given out; ``is_between`` two lines of the file."""

    def __init__(self, stream: BinaryIO, encoding: str, start: int) -> None:
        stream.seek(start)
        self._stream, self._encoding, self.read = stream, encoding, start
        self._waiting: list[str] = []

    @property
    def is_between(self) -> bool:
        return not self._waiting

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            self.read += len(raw)
            text = _one_line_end(raw.decode(self._encoding)).removesuffix("\n")
            self._waiting = [line + "\n" for line in reversed(text.split("\n"))]
            while self._waiting:
                yield self._waiting.pop()


def _record_cuts(stream: BinaryIO, layout: Layout, start: int, size: int) -> list[tuple[int, int, int]]:
    """Where to cut a file whose records may hold line breaks: each record is read to find its end."""
    lines, cuts, first = _Lines(stream, layout.encoding, start), [], 2
    reader = csv.reader(iter(lines), delimiter=layout.separator)
    try:
        for _ in reader:
            if lines.is_between and lines.read - start >= size:
                cuts.append((start, lines.read - start, first))
                start, first = lines.read, reader.line_num + 2
    except csv.Error:
        raise _no_csv(layout.path) from None
    return [*cuts, (start, lines.read - start, first)]


def _no_csv(path: Path) -> ContractRefusal:
    return _refusal("Le fichier n'est pas du CSV lisible.", path, "Vérifier les guillemets.")


def _parsed_by_lines(text: str, part: Slice) -> pl.DataFrame:
    """One line is one record: counted and split without a Python loop."""
    names, separator = part.layout.names, part.layout.separator
    every = pl.DataFrame({"texte": text.removesuffix("\n").split("\n")}, schema={"texte": pl.String})
    numbered = every.with_columns(pl.int_range(part.line, pl.len() + part.line, dtype=pl.Int64).alias(LINE))
    lines = numbered.filter(pl.col("texte") != "")
    outside_quotes = pl.col("texte").str.replace_all(r'"[^"]*"', "") if '"' in text else pl.col("texte")
    fields = outside_quotes.str.count_matches(separator, literal=True) + 1
    right = lines.filter(fields == len(names))
    frame = _split(right, part.layout)
    if right.height == lines.height:
        return frame
    wrong = lines.filter(fields != len(names)).select(LINE, pl.lit(WRONG_FIELDS).alias(ANOMALY))
    return pl.concat([frame, wrong], how="diagonal").sort(LINE)


def _split(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    if lines.is_empty():
        return pl.DataFrame(schema={**dict.fromkeys(layout.names, pl.String), LINE: pl.Int64})
    body = "\n".join(lines["texte"].to_list()).encode()
    try:
        frame = pl.read_csv(
            body,
            separator=layout.separator,
            has_header=False,
            new_columns=list(layout.names),
            infer_schema=False,
        )
        return frame.with_columns(lines[LINE])
    except pl.exceptions.PolarsError:
        raise _no_csv(layout.path) from None


def _parsed_by_records(text: str, part: Slice) -> pl.DataFrame:
    """Some quoted field holds a line break: records are read one after the other, by chunks."""
    names = list(part.layout.names)
    reader = csv.reader(io.StringIO(text), delimiter=part.layout.separator)
    try:
        chunks = [_chunk_frame(rows, names) for rows in _chunks(reader, part.line)]
    except csv.Error:
        raise _no_csv(part.layout.path) from None
    frame = pl.concat([_chunk_frame([], names), *chunks])
    return frame if frame[ANOMALY].is_not_null().any() else frame.drop(ANOMALY)


def _chunks(reader: Iterator[list[str]], line: int) -> Iterator[list[tuple[int, list[str]]]]:
    numbered = ((line, row) for line, row in _numbered(reader, line) if row)
    while rows := list(islice(numbered, _CHUNK_ROWS)):
        yield rows


def _numbered(reader: Iterator[list[str]], line: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line; ``line`` is that of the first record."""
    first = line
    for row in reader:
        yield first, row
        first = reader.line_num + line  # type: ignore[attr-defined]


def _chunk_frame(rows: list[tuple[int, list[str]]], names: list[str]) -> pl.DataFrame:
    width = len(names)
    right = [row if len(row) == width else [None] * width for _, row in rows]
    frame = pl.DataFrame(right, schema=dict.fromkeys(names, pl.String), orient="row")
    anomalies = [None if len(row) == width else WRONG_FIELDS for _, row in rows]
    return frame.with_columns(
        pl.Series(LINE, [line for line, _ in rows], dtype=pl.Int64),
        pl.Series(ANOMALY, anomalies, dtype=pl.String),
    )
