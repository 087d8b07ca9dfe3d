"""Splink's own charts and the trained model, written for the analyst: parameters only, no value of anyone."""

import json
import re
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
_COMPARED = {
    "nir": "NIR",
    "date": "Date de naissance",
    "noms": "Noms",
    "prenoms": "Prénoms",
    "lieu": "Lieu de naissance",
    "nom_prenom_annee": "Nom et prénom, même année",
    "nom_prenom_autre_annee": "Nom et prénom, autre année",
    "nom_prenom_sans_date": "Nom et prénom, date inconnue",
    "prenom_du_nir": "Prénom, NIR égaux",
    "commune": "Commune",
    "sexe": "Sexe",
    "probability_two_random_records_match": "Départ",
}
_FRENCH = _COMPARED | {
    "Prior": "Départ",
    "Starting match weight (prior)": "Poids de départ",
    "Prior (starting) match weight": "Poids de départ",
    "Final score": "Poids final",
    "Match weight": "Poids, en bits",
    "Match Weight": "Poids, en bits",
    "Comparison level match weight = log2(m/u)": "Poids de l'accord, en bits : log2(m/u)",
    "Match weight = log2(m/u)": "Poids, en bits : log2(m/u)",
    "Equivalent match weight": "Poids de départ, en bits",
    "Bayes factor = m/u": "Rapport m/u",
    "Comparison name": "Comparaison",
    "Comparison column": "Comparaison",
    "Comparison vector value": "Degré d'accord",
    "Column": "Comparaison",
    "Label": "Accord",
    "Probability": "Probabilité",
    "Probability two random records match": "Part des paires qui sont une même personne",
    "Cumulative match probability": "Probabilité à ce point",
    "M probability": "m : part chez une même personne",
    "U probability": "u : part chez deux personnes",
    "Proportion of record comparisons": "Part des paires",
    "Amongst matching record comparisons:": "Paires d'une même personne",
    "Amongst non-matching record comparisons:": "Paires de deux personnes",
}
"""What Splink writes in English, wherever a whole string of a chart says it."""
_UNREAD = re.compile(r"_description$|^sql_condition$|^value_[lr]$")
"""Fields without a French form, or that would hold a value."""
_QUOTED = re.compile(r"""(["'])(.*?)\1""")
_ENGLISH_HEAD = '<html lang="en"><head><meta charset="utf-8"><title>Splink chart</title>'
_RANDOM_MARK = re.compile(r"splink-chart-[0-9a-f]{32}")
_NUMBERS = {"decimal": ",", "thousands": "\u202f", "grouping": [3], "currency": ["", "\u00a0€"]}


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


def in_french(part: Any) -> Any:
    """A chart, or a part of one, whose titles, tooltips, levels and values are in French."""
    if isinstance(part, dict):
        return {key: in_french(value) for key, value in part.items() if not _UNREAD.search(key)}
    if isinstance(part, list):
        return [in_french(item) for item in part if not _is_unread(item)]
    if isinstance(part, str):
        return _FRENCH.get(part) or _in_an_expression(part)
    return part


def _is_unread(item: Any) -> bool:
    """A tooltip, or a layer of text, about a field that is not shown."""
    if not isinstance(item, dict):
        return False
    shown = item.get("encoding", {}).get("text", {}) if isinstance(item.get("encoding"), dict) else item
    return bool(_UNREAD.search(str(shown.get("field", ""))))


def _in_an_expression(text: str) -> str:
    """The names a Vega expression quotes: ``datum.value == 'Prior'``."""
    return _QUOTED.sub(lambda found: f"{found[1]}{_FRENCH.get(found[2], found[2])}{found[1]}", text)


def _write_chart(path: Path, spec: dict[str, Any], name: str) -> Path:
    title, subtitle = _TITLES[name]
    spec = in_french(spec)
    spec["config"] = spec.get("config", {}) | {"locale": {"number": _NUMBERS}}
    spec["title"] = {"text": title, "subtitle": subtitle, "anchor": "middle"}
    page: str = chart_html(spec, inline=True, fullhtml=True)  # type: ignore[no-untyped-call]
    page = _RANDOM_MARK.sub(f"splink-chart-{name}", page)
    page = page.replace(
        _ENGLISH_HEAD, f'<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>', 1
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
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
