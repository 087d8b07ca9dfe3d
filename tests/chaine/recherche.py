"""Search strings in everything a project leaves: its bytes, and what compression hides from them."""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl

_STREAM = re.compile(rb"stream\r?\n(.+?)endstream", re.DOTALL)


def found_in(folder: Path, wanted: Iterable[str], without: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """File → the wanted strings it holds, under ``folder`` except its subfolders ``without``."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    kept = [p for p in files if p.relative_to(folder).parts[0] not in without]
    patterns = list(dict.fromkeys(form for text in wanted for form in (text, _as_bytes(text))))
    texts = [(str(path.relative_to(folder)), text) for path in kept for text in (path.name, *_texts(path))]
    read = pl.DataFrame(texts, schema={"fichier": pl.String, "texte": pl.String}, orient="row")
    found = pl.col("texte").str.extract_many(patterns, overlapping=True)
    hits = read.select("fichier", trouve=found).explode("trouve").drop_nulls().unique()
    return {name: set(strings) for name, strings in hits.group_by("fichier").agg("trouve").iter_rows()}


def _as_bytes(text: str) -> str:
    """UTF-8 bytes, each read as one character: how an accented name looks in a file read as bytes."""
    return text.encode().decode("latin-1")


def _texts(path: Path) -> Iterator[str]:
    raw = path.read_bytes()
    yield raw.decode("latin-1")
    if path.suffix == ".parquet":
        yield from _cells(pl.read_parquet(path))
    elif path.suffix == ".duckdb":
        yield from _tables(path)
    elif raw[:4] == b"%PDF":
        yield from (zlib.decompressobj().decompress(s).decode("latin-1") for s in _streams(raw))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode("latin-1") for name in archive.namelist())


def _streams(raw: bytes) -> list[bytes]:
    return [s for s in _STREAM.findall(raw) if s[:1] == b"\x78"]


def _cells(frame: pl.DataFrame) -> Iterator[str]:
    for column in frame.select(pl.col(pl.String)).iter_columns():
        yield "\n".join(column.drop_nulls().unique())


def _tables(path: Path) -> Iterator[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            yield from _cells(connection.sql(f'SELECT COLUMNS(*)::VARCHAR FROM "{name}"').pl())
