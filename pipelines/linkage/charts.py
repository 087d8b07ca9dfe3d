"""Splink's own charts and the trained model, written for the analyst: parameters only, no value of anyone."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
from splink.internals.html_utils import chart_html

from pipelines.files import whole_file
from pipelines.linkage.engines import Engine
from pipelines.linkage.model import COMPARISONS
from pipelines.linkage.training import Model

_TITLES = {
    "poids": (
        "Poids de chaque accord ou désaccord",
        "En bits : +1 double les chances que ce soit la même personne.",
    ),
    "m_et_u": (
        "Part des paires à chaque niveau",
        "À gauche chez les paires d'une même personne (m), à droite chez les autres (u).",
    ),
    "cascade": (
        "Des exemples de schémas d'accord, du départ au poids final",
        "Les schémas les plus fréquents ; aucune valeur n'est montrée.",
    ),
}
_PATTERNS_SHOWN = 12


def write_charts(
    engine: Engine, model: Model, sources: list[str], pairs: pl.DataFrame, folder: Path
) -> list[Path]:
    """Write poids.html, m_et_u.html, cascade.html (self-contained) and modele.json; return their paths."""
    linker = engine.linker_of(sources, model.reglages | {"retain_matching_columns": True}, "graphiques")
    views = linker.visualisations
    charts: dict[str, Any] = {"poids": views.match_weights_chart(), "m_et_u": views.m_u_parameters_chart()}
    if examples := _frequent_patterns(pairs):
        charts["cascade"] = views.waterfall_chart(examples, remove_sensitive_data=True)
    paths = [_write_chart(folder / f"{name}.html", chart.chart_dict, name) for name, chart in charts.items()]
    return [*paths, _write_model(folder / "modele.json", model)]


def _frequent_patterns(pairs: pl.DataFrame) -> list[dict[str, Any]]:
    """The most frequent patterns of agreement as rows Splink can draw: levels and weight, no record."""
    frequent = (
        pairs.group_by("motif")
        .agg(pl.len(), pl.col("poids").first().round(6))
        .sort("len", "motif", descending=[True, False])
        .head(_PATTERNS_SHOWN)
    )
    return [_levels(motif) | {"match_weight": poids} for motif, _, poids in frequent.iter_rows()]


def _levels(motif: str) -> dict[str, Any]:
    parts = (part.split(":") for part in motif.split())
    return {f"gamma_{name}": -1 if level == "." else int(level) for name, level in parts}


def _write_chart(path: Path, spec: dict[str, Any], name: str) -> Path:
    title, subtitle = _TITLES[name]
    spec["title"] = {"text": title, "subtitle": subtitle, "anchor": "middle"}
    page: str = chart_html(spec, inline=True, fullhtml=True)  # type: ignore[no-untyped-call]
    with whole_file(path) as partial:
        partial.write_text(page.replace("<html>", '<html lang="fr">', 1), encoding="utf-8")
    return path


def _write_model(path: Path, model: Model) -> Path:
    content = {
        "splink": version("splink"),
        "duckdb": version("duckdb"),
        "comparaisons": [spec.nom for spec in COMPARISONS],
        "alertes": [alert.message for alert in model.alertes],
        "reglages": model.reglages,
    }
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=float), encoding="utf-8")
    return path
