"""Read a partner's file as strings: any separator, encoding and decimal mark of the contract, or Parquet."""

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from pipelines.refusals import ContractRefusal

LINE = "ligne"
ANOMALY = "anomalie_de_lecture"
"""Present only when some line has another number of fields than the header: those rows are set aside."""

WRONG_FIELDS = "nombre_de_champs"
SEPARATORS = (";", "\t", "|", ",")

_PARQUET_MAGIC = b"PAR1"
_UTF8_LETTERS = re.compile(rb"\xc3[\x80-\xbf]")
_CHUNK_ROWS = 100_000


def read_strings(path: Path, *, is_vouched_for: bool = False) -> pl.DataFrame:
    """Every row of a CSV or Parquet file, as strings, plus ``ligne`` (the header of a CSV is line 1).

    CSV: separator ``;`` ``,`` tab or ``|``; UTF-8, UTF-8 with mark or Windows-1252. A line with another
    number of fields keeps its number and is marked in ``anomalie_de_lecture``. Decimal commas are read later.
    A Parquet file is first read by a child process, unless its hash ``is_vouched_for`` by a manifest.
    Raises :class:`ContractRefusal` when the file is empty, truncated or unreadable; no value is ever quoted.
    """
    content = _content(path)
    if content[:4] == _PARQUET_MAGIC or path.suffix == ".parquet":
        return _read_parquet(content, path, is_vouched_for)
    return _read_csv(_text(content, path), path)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise _refusal("Le fichier ne peut pas être ouvert.", path, "Vérifier qu'il existe.") from None
    if not content.strip():
        raise _refusal("Le fichier est vide : il n'a pas même d'en-tête.", path, "Le produire de nouveau.")
    return content


def _refusal(quoi: str, path: Path, que_faire: str) -> ContractRefusal:
    return ContractRefusal(quoi, ou=f"fichier {path.name}", que_faire=que_faire)


def _read_parquet(content: bytes, path: Path, is_vouched_for: bool) -> pl.DataFrame:
    try:
        if not content.endswith(_PARQUET_MAGIC) or not (is_vouched_for or _survives_reading(path)):
            raise ValueError("damaged")
        frame = pl.read_parquet(io.BytesIO(content))
        strings = frame.select(_as_string(column) for column in frame.get_columns())
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException):
        raise _refusal(
            "Le fichier Parquet est illisible ou tronqué.", path, "Le produire ou le copier de nouveau."
        ) from None
    return strings.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE))


def _survives_reading(path: Path) -> bool:
    """A damaged Parquet file can abort the process that reads it, past any exception: a child tries first."""
    command = [sys.executable, "-c", "import sys, polars; polars.read_parquet(sys.argv[1])", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _as_string(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Object:
        raise ValueError("nested column")
    if values.dtype == pl.Binary:
        raise ValueError("binary column")
    return values.cast(pl.String)


def _text(content: bytes, path: Path) -> str:
    if b"\x00" in content:
        raise _refusal(
            "Le fichier n'est pas du texte UTF-8 ou Windows-1252.",
            path,
            "L'enregistrer en CSV UTF-8, ou en Parquet.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _windows_text(content, path)


def _windows_text(content: bytes, path: Path) -> str:
    try:
        if _UTF8_LETTERS.search(content):
            raise ValueError("two encodings")
        return content.decode("cp1252")
    except ValueError:
        raise _refusal(
            "L'encodage du fichier n'est ni UTF-8 ni Windows-1252, ou il mêle les deux.",
            path,
            "L'enregistrer en UTF-8.",
        ) from None


def _read_csv(text: str, path: Path) -> pl.DataFrame:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    header = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=separator))]
    _refuse_names(names, path)
    _refuse_truncated(text, path)
    lines = pl.DataFrame({"texte": text.removesuffix("\n").split("\n")[1:]}, schema={"texte": pl.String})
    lines = lines.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(LINE))
    if _has_quoted_line_break(lines):
        return _parsed_by_records(text, names, separator, path)
    return _parsed_by_lines(lines, names, separator, path)


def _refuse_names(names: list[str], path: Path) -> None:
    if any(not name for name in names):
        raise _refusal("Une colonne n'a pas de nom.", path, "Nommer chaque colonne de la première ligne.")
    if len(set(names)) < len(names):
        raise _refusal("Deux colonnes portent le même nom.", path, "Ne garder que la bonne.")


def _refuse_truncated(text: str, path: Path) -> None:
    if "\n" in text.strip("\n") and not text.endswith("\n"):
        raise _refusal(
            "La dernière ligne n'est pas finie : le fichier est sans doute tronqué.",
            path,
            "Le produire ou le copier de nouveau, avec un retour à la ligne final.",
        )


def _has_quoted_line_break(lines: pl.DataFrame) -> bool:
    odd = lines.select((pl.col("texte").str.count_matches('"', literal=True) % 2 == 1).any()).item()
    return bool(odd)


def _parsed_by_lines(lines: pl.DataFrame, names: list[str], separator: str, path: Path) -> pl.DataFrame:
    """One line is one record: counted and split without a Python loop."""
    lines = lines.filter(pl.col("texte") != "")
    outside_quotes = pl.col("texte").str.replace_all(r'"[^"]*"', "")
    fields = outside_quotes.str.count_matches(separator, literal=True) + 1
    right = lines.filter(fields == len(names))
    wrong = lines.filter(fields != len(names)).select(LINE, pl.lit(WRONG_FIELDS).alias(ANOMALY))
    frame = _split(right, names, separator, path)
    if wrong.is_empty():
        return frame
    return pl.concat([frame, wrong], how="diagonal").sort(LINE)


def _split(lines: pl.DataFrame, names: list[str], separator: str, path: Path) -> pl.DataFrame:
    if lines.is_empty():
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), LINE: pl.Int64})
    body = "\n".join(lines["texte"].to_list()).encode()
    try:
        frame = pl.read_csv(
            body,
            separator=separator,
            has_header=False,
            new_columns=names,
            infer_schema=False,
        )
        return frame.with_columns(lines[LINE])
    except pl.exceptions.PolarsError:
        raise _refusal("Le fichier n'est pas du CSV lisible.", path, "Vérifier les guillemets.") from None


def _parsed_by_records(text: str, names: list[str], separator: str, path: Path) -> pl.DataFrame:
    """Some quoted field holds a line break: records are read one after the other, by chunks."""
    try:
        chunks = [
            _chunk_frame(rows, names) for rows in _chunks(csv.reader(io.StringIO(text), delimiter=separator))
        ]
    except csv.Error:
        raise _refusal("Le fichier n'est pas du CSV lisible.", path, "Vérifier les guillemets.") from None
    frame = pl.concat(chunks)
    return frame if frame[ANOMALY].is_not_null().any() else frame.drop(ANOMALY)


def _chunks(reader: Iterator[list[str]]) -> Iterator[list[tuple[int, list[str]]]]:
    next(reader)
    numbered = ((line, row) for line, row in _numbered(reader) if row)
    while rows := list(islice(numbered, _CHUNK_ROWS)):
        yield rows


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line."""
    first = 2
    for row in reader:
        yield first, row
        first = reader.line_num + 1  # type: ignore[attr-defined]


def _chunk_frame(rows: list[tuple[int, list[str]]], names: list[str]) -> pl.DataFrame:
    width = len(names)
    right = [row if len(row) == width else [None] * width for _, row in rows]
    frame = pl.DataFrame(right, schema=dict.fromkeys(names, pl.String), orient="row")
    anomalies = [None if len(row) == width else WRONG_FIELDS for _, row in rows]
    return frame.with_columns(
        pl.Series(LINE, [line for line, _ in rows], dtype=pl.Int64),
        pl.Series(ANOMALY, anomalies, dtype=pl.String),
    )
