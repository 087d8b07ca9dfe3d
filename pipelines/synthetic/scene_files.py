"""The files of a scene: each partner's deliveries, and the truth."""

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import polars as pl

from pipelines import calendar
from pipelines.synthetic.consents import Cellule, extraction_day
from pipelines.synthetic.extracts import Scene
from pipelines.synthetic.extracts_caf import Caf
from pipelines.synthetic.extracts_cpam import Cpam
from pipelines.synthetic.extracts_departement import Departement
from pipelines.synthetic.truth import marks, records, write_truth
from schemas import TABLES

Progress = Callable[[str], None]
Tables = dict[str, pl.DataFrame]


class Partner(Protocol):
    """Whoever delivers tables month after month."""

    def extract(self, delivery: int) -> Tables:
        """The nominative tables of one delivery."""
        ...


def write_scene(folder: Path, scene: Scene, rates: pl.DataFrame, tell: Progress) -> dict[str, int]:
    """Write every delivery of a scene and its truth; return the rows per table."""
    written: Counter[str] = Counter()
    kept: list[pl.DataFrame] = []
    last: dict[str, Tables] = {}
    for name, partner in _partners(scene).items():
        for delivery, mois in enumerate(scene.deliveries):
            tell(f"Extrait {name} {mois}")
            last[name] = partner.extract(delivery)
            kept.append(records(name, last[name]))
            written += _write_tables(folder / name / mois, name, last[name])
    written += _write_opposition_lists(folder, scene)
    tell("Vérité")
    known = pl.concat(kept).unique().sort("partenaire", "table", "id")
    write_truth(folder / "verite", scene, known, marks(scene.rng("marques"), _identified(last)), rates)
    return dict(written)


def _write_opposition_lists(folder: Path, scene: Scene) -> Counter[str]:
    """The list the garant gave each partner the month before: what is newer is applied after linkage only."""
    cellule, written = Cellule(scene), Counter[str]()
    for mois in scene.deliveries:
        known = cellule.oppositions_known(extraction_day(calendar.shift(mois, -1)))
        for partner in ("caf", "cpam", "departement"):
            written += _write_tables(folder / partner / mois, partner, {"oppositions": known})
    return written


def write_table(path: Path, partner: str, table: str, frame: pl.DataFrame) -> None:
    """Write one nominative CSV, in the columns of the contract and the dialect of the partner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = frame.select(TABLES[table].columns)
    if partner != "departement":
        columns.write_csv(path, separator=";" if partner == "caf" else ",")
        return
    text = io.BytesIO()
    columns.write_csv(text, separator=";", decimal_comma=True)
    path.write_bytes(text.getvalue().decode("utf-8").encode("cp1252"))


def _partners(scene: Scene) -> dict[str, Partner]:
    return {
        "caf": Caf(scene),
        "cpam": Cpam(scene),
        "departement": Departement(scene),
        "cellule": Cellule(scene),
    }


def _write_tables(folder: Path, partner: str, tables: Tables) -> Counter[str]:
    for table, frame in tables.items():
        write_table(folder / f"{table}.csv", partner, table, frame)
    return Counter({table: frame.height for table, frame in tables.items()})


def _identified(last: dict[str, Tables]) -> list[tuple[str, str, pl.DataFrame]]:
    """partner, table, frame of every nominative table of the last delivery."""
    return [
        (partner, table, frame)
        for partner, tables in last.items()
        for table, frame in tables.items()
        if TABLES[table].est_identite
    ]
