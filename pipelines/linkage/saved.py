"""The probabilities of each month's model, kept in the warehouse and held against the month before."""

from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from math import log2
from typing import Any

import polars as pl

from pipelines.linkage.alerts import Alert
from pipelines.linkage.model import COMPARISONS
from pipelines.linkage.training import Model
from pipelines.warehouse import Warehouse

TABLE = "meta__modeles"
SCHEMA = {
    "mois": pl.String,
    "comparaison": pl.String,
    "accord": pl.String,
    "degre": pl.Int64,
    "m": pl.Float64,
    "u": pl.Float64,
    "poids": pl.Float64,
    "est_appris": pl.Boolean,
    "paires": pl.Int64,
    "prior": pl.Float64,
    "version_splink": pl.String,
    "version_comparaisons": pl.String,
}
WEIGHT_JUMP = 2.0
"""Bits: a level whose weight moves by more from one month to the next changed meaning.

On an invented territory weights move by .7 from month to month, by 1.4 from one territory to another.
"""
PRIOR_JUMP = 1.3
"""The share of pairs that are one person, multiplied or divided by more: a source gained or lost people.

On an invented territory it moves by .1 % from month to month.
"""
ENOUGH_LINKS = 50
"""Links at a level below which its weight moves by chance."""


def comparisons_version() -> str:
    """Fingerprint of what is compared: another one, and the probabilities are those of other questions."""
    declared = [
        (spec.nom, spec.absente, [(lv.libelle, lv.condition) for lv in spec.niveaux]) for spec in COMPARISONS
    ]
    return sha256(repr(declared).encode()).hexdigest()[:16]


def versions() -> tuple[str, str]:
    """Version of Splink, fingerprint of the comparisons."""
    return version("splink"), comparisons_version()


def levels(model: Model, pairs: pl.DataFrame, threshold: float, mois: str) -> pl.DataFrame:
    """One row per level of the model (``SCHEMA``); ``paires``: links made at that level between sources."""
    links = pairs.filter(pl.col("probabilite") >= threshold, pl.col("source_g") != pl.col("source_d"))
    splink, comparisons = versions()
    rows = [
        row
        | {"mois": mois, "prior": model.prior, "version_splink": splink, "version_comparaisons": comparisons}
        for spec in model.reglages["comparisons"]
        for row in _levels_of(spec, links, model)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def _levels_of(spec: dict[str, Any], links: pl.DataFrame, model: Model) -> Iterator[dict[str, Any]]:
    name = spec["output_column_name"]
    stated = [level for level in spec["comparison_levels"] if not level.get("is_null_level")]
    met = dict(
        links.select(pl.col("motif").str.extract(rf"(?:^| ){name}:(\d)").cast(pl.Int64))
        .to_series()
        .value_counts()
        .iter_rows()
    )
    for place, level in enumerate(stated):
        rank = len(stated) - 1 - place
        m, u = level["m_probability"], level["u_probability"]
        yield {
            "comparaison": name,
            "accord": level["label_for_charts"],
            "degre": rank,
            "m": m,
            "u": u,
            "poids": round(log2(m / u), 9),
            "est_appris": model.est_appris and (name, level["label_for_charts"]) not in model.non_observes,
            "paires": met.get(rank, 0),
        }


def save(warehouse: Warehouse, rows: pl.DataFrame, mois: str) -> None:
    """Replace the model of ``mois``."""
    if warehouse.exists(TABLE):
        warehouse.connection.execute("DELETE FROM meta__modeles WHERE mois = $mois", {"mois": mois})
    warehouse.append(TABLE, rows)


def previous(warehouse: Warehouse, mois: str) -> tuple[pl.DataFrame | None, list[Alert]]:
    """The model of the last month before ``mois``, if it answers the same questions; else why not."""
    if not warehouse.exists(TABLE):
        return None, []
    rows = warehouse.query(
        "SELECT * FROM meta__modeles WHERE mois = (SELECT max(mois) FROM meta__modeles WHERE mois < $mois)",
        mois=mois,
    )
    if rows.is_empty():
        return None, []
    if set(rows.select("version_splink", "version_comparaisons").iter_rows()) != {versions()}:
        return None, [_of_another_version(rows["mois"][0])]
    return rows, []


def _of_another_version(month: str) -> Alert:
    return Alert(
        f"Le modèle d'appariement de {month} vient d'une autre version de Splink ou d'autres comparaisons : "
        "il n'est ni repris ni comparé. Un écart de taux avec ce mois peut venir du logiciel.",
        "information",
    )


def jumps(before: pl.DataFrame, after: pl.DataFrame) -> list[Alert]:
    """What moved too much between two months where both were learned from enough links."""
    both = before.join(after, on=["comparaison", "accord"], suffix="_apres").filter(
        pl.col("est_appris"),
        pl.col("est_appris_apres"),
        pl.min_horizontal("paires", "paires_apres") >= ENOUGH_LINKS,
        (pl.col("poids") - pl.col("poids_apres")).abs() > WEIGHT_JUMP,
    )
    moved = both.select("mois", "accord", "poids", "poids_apres").sort("accord").iter_rows()
    return [*_prior_jump(before, after), *(_jump(*row) for row in moved)]


def _jump(month: str, level: str, before: float, after: float) -> Alert:
    return Alert(
        f"L'accord « {level} » pèse {_french(after)} bits, contre {_french(before)} en {month} : un "
        "partenaire a sans doute changé sa saisie ou ses codes. Des liens se font ou se défont sans que les "
        "personnes aient changé : comparer la qualité des deux mois avant de lire l'évolution du taux."
    )


def _prior_jump(before: pl.DataFrame, after: pl.DataFrame) -> list[Alert]:
    if not (before["est_appris"].any() and after["est_appris"].any()):
        return []
    ratio = after["prior"][0] / before["prior"][0]
    if 1 / PRIOR_JUMP <= ratio <= PRIOR_JUMP:
        return []
    return [
        Alert(
            f"La part des paires qui sont une même personne a été multipliée par {_french(ratio)} depuis "
            f"{before['mois'][0]} : une source a gagné ou perdu beaucoup de personnes, ou ses identités ont "
            "changé. L'évolution du taux ne se lit pas avant d'avoir vérifié les extraits."
        )
    ]


def _french(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
