"""The drawings of the report: Altair, turned into SVG by vl-convert, inlined without script."""

import json
import math
import re
from itertools import pairwise
from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode

from pipelines.reporting import labels
from pipelines.reporting.figures import Circle, Dimension, Estimate, Figures, Place
from pipelines.reporting.nombres import number, percent

PAPER = "#fffdf8"
INK = "#1d2433"
QUIET = "#5b6270"
RULE = "#e6e1d5"
ACCENT = "#a63d1d"
REFERENCE = "#1f5673"
SECRET = "#ffffff"
HIDDEN = "secret statistique"
CLASS_COLOURS = ("#f6d9b8", "#e7a06a", "#c9602f", "#7f2a12")
FONT = "Seravek, 'Gill Sans Nova', Ubuntu, Calibri, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif"

_WIDTH = 250
_NAMES = 195
_ROW = 26
_MAP_WIDTH = 430
_LARGEST_CIRCLE = 2200

Row = dict[str, Any]
Chart = Any  # altair's own types change from one mark to the next


@debug_mode(False)  # altair checks every mark against its schema: half the time of a page
def rates(figures: Figures) -> str:
    """The three readings of each right, the corrected one with its interval, France 2018 beside the RSA."""
    rows = [row for droit in ("rsa", "ppa") for row in _right_rows(figures, droit)]
    return _svg(_intervals(rows, None), "Taux de non-recours selon la méthode")


@debug_mode(False)
def profile(dimension: Dimension, droit: str, ensemble: Estimate | None) -> str:
    """The groups of one dimension with their intervals, the territory as a line, France 2018 as a diamond."""
    rows = [
        _row(group.nom, group.taux[droit], group.france_2018, is_strong=True) for group in dimension.groupes
    ]
    return _svg(
        _intervals(rows, ensemble.taux if ensemble else None), f"Taux de non-recours, {dimension.nom}"
    )


@debug_mode(False)
def comparison(figures: Figures) -> str:
    """The groups France published in 2018: the territory with its interval, France as a diamond."""
    ensemble = figures.right("rsa").principal
    rows = [_row(g.nom, g.taux["rsa"], g.france_2018, is_strong=True) for g in figures.comparaison]
    if not rows:
        return ""
    return _svg(_intervals(rows, ensemble.taux if ensemble else None), "Non-recours au RSA, comparé à 2018")


def _right_rows(figures: Figures, droit: str) -> list[Row]:
    right, name = figures.right(droit), labels.label("droits_courts", droit)
    estimates = {"corrige": right.corrige, "observe": right.observe, "naif": right.naif}
    rows = [
        _row(f"{name}, {labels.label('methodes', key)}", value, None, is_strong=key == "corrige")
        for key, value in estimates.items()
        if key in right.lectures
    ]
    known = [r for r in figures.references if r.droit == droit and r.valeur is not None]
    return rows + [_row(f"{name}, France {r.annee}", None, r.valeur, is_strong=False) for r in known]


def _row(name: str, estimate: Estimate | None, france: int | None, *, is_strong: bool) -> Row:
    has_interval = estimate is not None and estimate.bas is not None
    return {
        "nom": name,
        "taux": estimate.taux if estimate else None,
        "bas": estimate.bas if estimate and has_interval else None,
        "haut": estimate.haut if estimate and has_interval else None,
        "france": france,
        "fort": is_strong,
        "texte": percent(estimate.taux) if estimate else HIDDEN if is_strong else "",
        "x_texte": (estimate.haut if has_interval else estimate.taux) if estimate else 0,
    }


def _intervals(rows: list[Row], ensemble: int | None) -> Chart:
    """Dots with intervals on a common scale starting at zero."""
    ends = [row[key] for row in rows for key in ("taux", "haut", "france") if row[key] is not None]
    top = max(20, math.ceil((max([*ends, ensemble or 0]) + 8) / 10) * 10)
    base = alt.Chart(alt.InlineData(values=rows))
    names = alt.Axis(labelLimit=_NAMES, minExtent=_NAMES, maxExtent=_NAMES)
    order = alt.Scale(domain=[row["nom"] for row in rows])
    y = alt.Y("nom:N", sort=None, scale=order, title=None, axis=names)
    x = _rate_axis(top)
    strength = alt.condition("datum.fort", alt.value(ACCENT), alt.value(QUIET))
    layers = [
        base.mark_rule(strokeWidth=5, strokeCap="round", opacity=0.32, color=ACCENT)
        .transform_filter("isValid(datum.bas)")
        .encode(x=alt.X("bas:Q"), x2="haut:Q", y=y),
        base.mark_point(filled=True, size=95, opacity=1)
        .transform_filter("isValid(datum.taux)")
        .encode(x=x, y=y, color=strength),
        base.mark_point(shape="diamond", size=80, strokeWidth=2, color=REFERENCE, fill="white", opacity=1)
        .transform_filter("isValid(datum.france)")
        .encode(x="france:Q", y=y),
        _written(base, y, stroke=PAPER, strokeWidth=4),
        _written(base, y, color=INK),
    ]
    return alt.layer(*_territory_line(ensemble), *layers).properties(width=_WIDTH, height=_ROW * len(rows))


def _written(base: Chart, y: alt.Y, **look: Any) -> Chart:
    return base.mark_text(align="left", dx=9, **look).encode(x="x_texte:Q", y=y, text="texte:N")


def _rate_axis(top: int) -> alt.X:
    axis = alt.Axis(tickCount=5, format="d", title="ménages sur 100", titleAlign="left", titleAnchor="start")
    return alt.X("taux:Q", scale=alt.Scale(domain=[0, top]), axis=axis)


def _territory_line(ensemble: int | None) -> list[Chart]:
    if ensemble is None:
        return []
    data = alt.InlineData(values=[{"taux": ensemble}])
    return [alt.Chart(data).mark_rule(color=INK, strokeDash=[3, 3], strokeWidth=1).encode(x="taux:Q")]


@debug_mode(False)
def territory_map(communes: tuple[Circle, ...], places: tuple[Place, ...], droit: str) -> str:
    """Every commune as a circle of its population, coloured by the rate of its grouping."""
    classes = classes_of(places, droit)
    rows = [_circle_row(circle, classes) for circle in communes]
    across, up = _extent(rows, "x"), _extent(rows, "y")
    x = alt.X("x:Q", scale=alt.Scale(domain=across, nice=False), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=up, nice=False), axis=None)
    circles = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    names = [layer.encode(x=x, y=y) for layer in _place_names(places, communes, droit)]
    height = round(_MAP_WIDTH * (up[1] - up[0]) / (across[1] - across[0]))
    drawn = alt.layer(_circles(circles), *names).properties(width=_MAP_WIDTH, height=height)
    return _svg(drawn, "Carte du territoire, un cercle par commune")


def _circles(base: Chart) -> Chart:
    """Areas in proportion to populations: the largest commune of the map gets the largest circle."""
    names = [*range(len(CLASS_COLOURS)), -1]
    area = alt.Scale(domainMin=0, range=[0, _LARGEST_CIRCLE])
    colour = alt.Scale(domain=names, range=[*CLASS_COLOURS, SECRET])
    return base.mark_circle(stroke=INK, strokeWidth=0.7, opacity=1).encode(
        size=alt.Size("population:Q", scale=area, legend=None),
        color=alt.Color("classe:O", scale=colour, legend=None),
    )


def _place_names(places: tuple[Place, ...], communes: tuple[Circle, ...], droit: str) -> list[Chart]:
    """Each grouping named above its largest commune, with its rate, a clear edge behind the letters."""
    largest = max(circle.population for circle in communes)
    layers = []
    for place in (place for place in places if place.communes):
        seat, rate = _seat(place, communes), place.taux[droit]
        radius = math.sqrt(seat.population / largest * _LARGEST_CIRCLE / math.pi)
        text = [place.nom, percent(rate.taux)] if rate else [place.nom]
        base = alt.Chart(alt.InlineData(values=[_xy(seat)]))
        look: Row = {
            "text": text,
            "dy": -radius + 7 - 13 * len(text),
            "fontSize": 12,
            "lineHeight": 13,
            "fontWeight": "bold",
        }
        layers += [base.mark_text(stroke=PAPER, strokeWidth=2.5, **look), base.mark_text(color=INK, **look)]
    return layers


def _seat(place: Place, communes: tuple[Circle, ...]) -> Circle:
    """The most populated commune of a grouping (communes come in that order)."""
    return next(circle for circle in communes if circle.regroupement == place.code)


def _circle_row(circle: Circle, classes: dict[str, int]) -> Row:
    place = {"population": circle.population, "classe": classes.get(circle.regroupement, -1)}
    return place | _xy(circle)


def _xy(circle: Circle) -> Row:
    """Kilometres on a plane tangent near 45° of latitude: enough for a few dozen kilometres."""
    kilometres = 111.32
    return {
        "x": circle.longitude * math.cos(math.radians(circle.latitude)) * kilometres,
        "y": circle.latitude * kilometres,
    }


def _extent(rows: list[Row], axis: str) -> list[float]:
    values = [row[axis] for row in rows]
    margin = 0.09 * (max(values) - min(values)) + 1
    return [min(values) - margin, max(values) + margin]


def classes_of(places: tuple[Place, ...], droit: str) -> dict[str, int]:
    """Class of each published grouping, 0 the lowest; hidden groupings have none."""
    bounds = class_bounds(places, droit)
    rates = {place.code: rate.taux for place in places if (rate := place.taux[droit])}
    return {code: sum(taux >= bound for bound in bounds[1:-1]) for code, taux in rates.items()}


def class_bounds(places: tuple[Place, ...], droit: str) -> list[int]:
    """Five bounds of the four classes, equal widths in whole points."""
    rates = [rate.taux for place in places if (rate := place.taux[droit])]
    if not rates:
        return [0, 25, 50, 75, 100]
    low = min(rates)
    step = max(1, math.ceil((max(rates) + 1 - low) / len(CLASS_COLOURS)))
    return [low + step * index for index in range(len(CLASS_COLOURS) + 1)]


def class_names(places: tuple[Place, ...], droit: str) -> list[tuple[str, str]]:
    """Colour and words of each class: ``de 24 à 27 %``."""
    bounds = class_bounds(places, droit)
    spans = pairwise(bounds)
    return [
        (colour, percent(low) if high - low == 1 else f"{number(low)} à {percent(high - 1)}")
        for colour, (low, high) in zip(CLASS_COLOURS, spans, strict=True)
    ]


def _svg(chart: Chart, name: str) -> str:
    """The chart as one SVG element: an image with a name, ids of its own, the same bytes always."""
    styled = chart.configure(**_STYLE).to_dict(validate=False)
    drawing = vl_convert.vegalite_to_svg(json.dumps(styled), format_locale="fr-FR")
    return _named(_own_ids(drawing, name), name)


def _own_ids(drawing: str, name: str) -> str:
    """Ids counted from one and prefixed: two drawings of one page never share an id."""
    prefix = "dessin-" + "".join(c for c in name.lower() if c.isascii() and c.isalnum())
    found = dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawing))
    for order, identifier in enumerate(found, start=1):
        for before, after in (('id="', '"'), ("url(#", ")")):
            drawing = drawing.replace(f"{before}{identifier}{after}", f"{before}{prefix}-{order}{after}")
    return drawing


def _named(drawing: str, name: str) -> str:
    """The root element as an accessible image that scales with the page."""
    opening = re.match(r"<svg[^>]*>", drawing)
    if opening is None:
        raise ValueError("not an SVG document")
    box = re.search(r'viewBox="[^"]+"', opening.group())
    size = box.group() if box else ""
    root = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{name}" focusable="false">'
    return root + drawing[opening.end() :]


_STYLE: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "font": FONT,
    "view": alt.ViewConfig(stroke=None),
    "text": alt.MarkConfig(fontSize=13, font=FONT),
    "axis": alt.AxisConfig(
        domain=False,
        ticks=False,
        gridColor=RULE,
        labelColor=INK,
        labelFontSize=13,
        titleColor=QUIET,
        titleFontSize=12,
        titleFontWeight="normal",
    ),
    "axisY": alt.AxisConfig(grid=False),
}
