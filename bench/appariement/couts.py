"""What a way costs: bytes of its identity file, nanoseconds of one comparison in DuckDB."""

import tempfile
import time
from pathlib import Path

import duckdb
import polars as pl

from bench.appariement.facons import Way
from bench.appariement.modele import dice

PAIRS, REPEATS = 2_000_000, 3


def bytes_per_record(encoded: pl.DataFrame) -> float:
    """Bytes of the Parquet file (zstd) of an encoded frame, per row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "identite.parquet"
        encoded.drop("fiche", "source").write_parquet(path)
        return round(path.stat().st_size / encoded.height, 1)


def nanoseconds(encoded: pl.DataFrame, plain: pl.DataFrame, way: Way) -> dict[str, float]:
    """One comparison of two filters, and of the two names in clear by Jaro–Winkler, one thread, same run."""
    words = [f"filtre_naissance_{w}" for w in (*range(way.hardening.mots), "bits")]
    frame = pl.concat([encoded.select(words), plain.select("mots_naissance")], how="horizontal").drop_nulls()
    with duckdb.connect(config={"threads": 1}) as room:
        room.register("_noms", frame.to_arrow())
        room.execute("CREATE TABLE noms AS SELECT *, row_number() OVER () - 1 AS n FROM _noms")
        _draw_pairs(room, frame.columns, frame.height)
        measures = {
            "filtre": dice("filtre_naissance", "filtre_naissance", way.hardening.mots),
            "jaro_winkler": "jaro_winkler_similarity(mots_naissance_l, mots_naissance_r)",
        }
        found = {name: _timed(room, sql) for name, sql in measures.items()}
    return found | {"rapport": round(found["filtre"] / found["jaro_winkler"], 2)}


def _draw_pairs(room: duckdb.DuckDBPyConnection, columns: list[str], rows: int) -> None:
    both = ", ".join(f"l.{c} AS {c}_l, r.{c} AS {c}_r" for c in columns)
    room.execute(
        f"CREATE TABLE paires AS SELECT {both} FROM range({PAIRS}) t(i) "  # noqa: S608
        f"JOIN noms l ON l.n = (i * 2654435761) % {rows} JOIN noms r ON r.n = (i * 40503 + 7) % {rows}"
    )


def _timed(room: duckdb.DuckDBPyConnection, measure: str) -> float:
    """Nanoseconds of one comparison, the best of a few runs."""
    query = f"SELECT sum({measure}) FROM paires"  # noqa: S608
    spent = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        room.execute(query).fetchall()
        spent.append(time.perf_counter() - started)
    return round(min(spent) / PAIRS * 1e9, 1)
