"""The figure of the proof: bias and spread of each method in each world, in SVG."""

from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode

from pipelines.proof.scores import METHODS

COLOURS = ("#5b6270", "#b9b2a3", "#e7a06a", "#a63d1d", "#9cc3d5", "#1f5673")
FONT = "Ubuntu, 'Liberation Sans', 'DejaVu Sans', sans-serif"

Row = dict[str, Any]


@debug_mode(False)
def draw(worlds: list[Row]) -> str:
    """An SVG document: a panel per world, a line per method, its bias and the spread around it."""
    rows = [_row(world, method) for world in worlds for method in world["methodes"]]
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("methode:N", sort=list(METHODS.values()), title=None)
    x = alt.X("biais:Q", title="points d'écart au vrai taux : biais ± écart-type")
    colour = alt.Color(
        "methode:N", scale=alt.Scale(domain=list(METHODS.values()), range=list(COLOURS)), legend=None
    )
    spread = base.mark_rule(strokeWidth=4, opacity=0.35).encode(x="bas:Q", x2="haut:Q", y=y, color=colour)
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour)
    written = base.mark_text(align="left", dx=8, fontSize=10).encode(x="haut:Q", y=y, text="texte:N")
    zero = base.mark_rule(color="#1d2433", strokeDash=[3, 3]).encode(x=alt.datum(0))
    panel = alt.layer(zero, spread, dots, written).properties(width=330, height=130)
    order = [world["nom"] for world in worlds]
    chart = panel.facet(
        facet=alt.Facet("monde:N", sort=order, title=None, header=alt.Header(labelFontSize=12)), columns=2
    )
    return vl_convert.vegalite_to_svg(
        chart.configure(font=FONT).configure_view(stroke="#e6e1d5").to_json(validate=False)
    )


def _row(world: Row, method: Row) -> Row:
    covered, bias = method["couverture"], method["biais"]
    spread = max(method["reqm"] ** 2 - bias**2, 0.0) ** 0.5
    return {
        "monde": world["nom"],
        "methode": METHODS[method["methode"], method["verifie"]],
        "biais": bias,
        "bas": bias - spread,
        "haut": bias + spread,
        "texte": "" if covered is None else f"couvre {100 * covered:.0f} %".replace(".", ","),
    }
