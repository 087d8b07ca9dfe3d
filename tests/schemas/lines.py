"""Tables drawn as lines of a CSV, the way a partner writes them."""

from pathlib import Path

import polars as pl

from schemas import TABLES
from schemas.check import Checked, check
from schemas.reading import read_strings

COMMUNES = {"31483": "31483", "31001": "31001", "31999": "31483"}


def read(folder: Path, text: str, encoding: str = "utf-8") -> pl.DataFrame:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return read_strings(path)


def table(name: str, *lines: str, variant: str = "nominative") -> pl.DataFrame:
    """Rows given as ``colonne=valeur`` pairs, the other columns of the table empty."""
    columns = TABLES[name].columns_of(variant)  # type: ignore[arg-type]
    rows = [dict(pair.split("=", 1) for pair in line.split()) for line in lines]
    cells = {c: [row.get(c) for row in rows] for c in columns}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String))
    return frame.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("ligne"))


def checked(name: str, *lines: str, variant: str = "nominative", mois: str = "2026-06") -> Checked:
    return check(table(name, *lines, variant=variant), TABLES[name], variant, mois, COMMUNES)  # type: ignore[arg-type]


def rejected(name: str, *lines: str, variant: str = "nominative") -> dict[int, str]:
    """Line number → rule, of the rows set aside."""
    return dict(checked(name, *lines, variant=variant).rejected.iter_rows())
