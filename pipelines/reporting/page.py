"""The HTML report: one self-contained file, read on paper, on a telephone or by a screen reader."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipelines.reporting import charts, labels, nombres, phrases
from pipelines.reporting.figures import Figures, Place

_VOCABULARY: dict[str, Any] = {
    "nombre": nombres.number,
    "euros": nombres.euros,
    "pour_cent": nombres.percent,
    "mois": nombres.month,
    "mois_a_mois": nombres.months,
    "trimestre": nombres.quarter,
    "jour": nombres.day,
    "nom": labels.label,
    "situation": labels.situation,
    "national": labels.national_sentence,
    "phrases": phrases,
}
"""What the templates may call, by its French name."""


def html(figures: Figures) -> str:
    """The whole page. The same figures give the same bytes."""
    environment = _environment()
    text = environment.get_template("rapport.html.j2").render(
        f=figures,
        c=figures.couverture,
        feuille=Markup(_source(environment, "rapport.css")),
        dessin_taux=Markup(charts.rates(figures)),
        cartes=[_map(figures, droit) for droit in ("rsa",)],
        dessin_comparaison=Markup(charts.comparison(figures)),
        source_comparaison=labels.comparison_source(),
        profils=[_profile(figures, index) for index in range(len(figures.profil))],
    )
    return nombres.spaced(text)


def _map(figures: Figures, droit: str) -> dict[str, Any]:
    return {
        "droit": droit,
        "dessin": Markup(charts.territory_map(figures.communes, figures.lieux, droit)),
        "classes": charts.class_names(figures.lieux, droit),
        "a_voir": phrases.places_seen(figures.lieux, droit),
        "a_secret": any(place.taux[droit] is None for place in figures.lieux),
    }


def _profile(figures: Figures, index: int) -> dict[str, Any]:
    dimension, ensemble = figures.profil[index], figures.right("rsa").principal
    return {
        "dimension": dimension,
        "dessin": Markup(charts.profile(dimension, "rsa", ensemble)),
        "a_voir": phrases.profile_seen(dimension, "rsa", ensemble),
    }


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports", "modeles"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(_VOCABULARY, commune_names=_commune_names)
    return environment


def _commune_names(place: Place) -> str:
    return nombres.enumeration(sorted(place.communes))


def _source(environment: Environment, name: str) -> str:
    if environment.loader is None:
        raise ValueError("no loader")
    return environment.loader.get_source(environment, name)[0]
