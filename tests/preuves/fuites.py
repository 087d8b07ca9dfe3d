"""Two thousand smuggled identifiers and as many clean columns: docs/preuves/fuites.json.

Run by ``make preuves``. The columns of a whole invented territory are looked at too.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.files import whole_file
from pipelines.identifiers.leaks import scan
from schemas import TABLES, Table
from schemas.reading import read_strings
from tests.source.smuggling import CLEAN, clean_columns, is_found, smuggled

COUNT = 2000
SEED = int(os.environ.get("GRAINE", "1"))
HABITANTS = int(os.environ.get("HABITANTS_FUITES", "4000"))
RESULT = Path("docs/preuves/fuites.json")


def found() -> dict[str, Any]:
    """How many of the smuggled identifiers the scan finds, by kind and place."""
    held: Counter[tuple[str, str]] = Counter()
    seen: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(smuggled(COUNT, SEED)):
            held[case.nature, case.place] += 1
            seen[case.nature, case.place] += is_found(case, Path(folder), number)
    rows = [
        {"nature": nature, "place": place, "caches": n, "trouves": seen[nature, place]}
        for (nature, place), n in sorted(held.items())
    ]
    return {"caches": COUNT, "trouves": seen.total(), "part": seen.total() / COUNT, "detail": rows}


def clean_alarms() -> dict[str, Any]:
    """Alarms raised by columns that hold no identifier, most of them made to look like one."""
    alarms: Counter[str] = Counter()
    for number, column in enumerate(clean_columns(COUNT, SEED)):
        name, home = ("montant", "caf_ressources") if column.dtype.is_numeric() else ("reponse", "enquetes")
        leaks = scan(column.alias(name).to_frame(), TABLES[home]).leaks()
        alarms[list(CLEAN)[number % len(CLEAN)]] += bool(leaks)
    wrong = {kind: n for kind, n in alarms.items() if n}
    return {"colonnes": COUNT, "fausses_alertes": sum(wrong.values()), "par_sorte": wrong}


def territory_alarms() -> dict[str, Any]:
    """Alarms raised by the columns an invented territory delivers as they are."""
    columns = rows = 0
    alarms: list[str] = []
    for table, frame in _extracts():
        rows += frame.height
        columns += len([name for name in table.delivered_columns if name in frame.columns])
        alarms += [f"{table.name}.{leak.place}" for leak in scan(frame, table).leaks()]
    return {
        "habitants": HABITANTS,
        "colonnes": columns,
        "lignes": rows,
        "fausses_alertes": len(alarms),
        "ou": sorted(set(alarms)),
    }


def _extracts() -> Iterator[tuple[Table, pl.DataFrame]]:
    from pipelines.synthetic import simulate_territory

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "simulation"
        simulate_territory("comminges", SEED, root, "2026-06", "2026-06", HABITANTS)
        for path in sorted(root.glob("*/2026-06/*.csv")):
            if path.stem in TABLES:
                yield TABLES[path.stem], read_strings(path)


def main() -> None:
    """Measure and write the result."""
    figures = {
        "commande": "python -m tests.preuves.fuites",
        "le": datetime.now(UTC).date().isoformat(),
        "graine": SEED,
        "identifiants": found(),
        "colonnes_propres": clean_alarms(),
        "territoire": territory_alarms(),
    }
    with whole_file(RESULT, mode=0o644) as partial:
        partial.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{RESULT}\n")


if __name__ == "__main__":
    main()
