"""The front door of reporting: the tables of a month in, one report out."""

from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines import territory
from pipelines.calendar import period, period_code, shift
from pipelines.files import whole_file
from pipelines.reporting import editions, labels, reading
from pipelines.reporting.figures import Cover, Figures, Right
from pipelines.reporting.page import html
from pipelines.settings import Settings
from pipelines.territory import Territory
from pipelines.warehouse import Warehouse

_SOFTWARE = ("nonrecours", "openfisca-france", "splink", "duckdb", "polars")


def run(
    warehouse: Warehouse, settings: Settings, mois: str, emis_le: date | None = None
) -> dict[str, int | float | str]:
    """Write ``<sorties>/<territoire>/<période>/rapport.html``.

    ``emis_le`` is printed as the date of issue; by default the recorded date of this edition, or today for
    a new one. An edition that replaces another keeps it beside, as ``rapport-edition-<n>.html``. Raises
    :class:`pipelines.refusals.Refusal` when disclosure control has not seen the period.
    """
    figures = editions.numbered(warehouse, published(warehouse, settings, mois), emis_le)
    page = html(figures)
    path = settings.dossiers.sorties / settings.territoire.code / period_code(mois) / "rapport.html"
    _keep_earlier(path, figures.couverture.edition)
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return {
        "edition": figures.couverture.edition,
        "octets": len(page.encode()),
        "regroupements": len(figures.lieux),
        "regroupements_caches": sum(place.taux["rsa"] is None for place in figures.lieux),
    }


def published(warehouse: Warehouse, settings: Settings, mois: str) -> Figures:
    """Everything the report publishes for one month, before it is numbered as an edition."""
    place = territory.load(settings.territoire)
    found = reading.rates(warehouse, mois)
    rights = reading.rights(found, mois)
    return Figures(
        couverture=_cover(settings, place, rights, mois),
        droits=rights,
        lieux=reading.places(found, place, mois),
        communes=reading.circles(place),
        parties=reading.parts(found, place, settings.territoire.reference, mois),
        profil=reading.profile(found, mois),
        comparaison=reading.comparison(found, mois),
        parcours=reading.path(found, mois),
        agriculteurs=reading.farmers(warehouse),
        extraits=reading.extracts(warehouse, mois),
        corrections=reading.corrections(warehouse),
        alertes=reading.alerts(warehouse, mois),
        qualite=reading.quality(warehouse),
        qualite_classes=reading.quality_by_class(warehouse),
        effectifs=reading.counts(warehouse),
        parametres=reading.parameters(warehouse),
        verifications=reading.more_answers(warehouse),
        references=labels.references(),
    )


def _cover(settings: Settings, place: Territory, rights: tuple[Right, ...], mois: str) -> Cover:
    headline = [right for right in rights if right.droit in reading.HEADLINES]
    return Cover(
        territoire=place.nom,
        code=settings.territoire.code,
        periode=period_code(mois),
        mois=(period(mois)[0], mois),
        periode_suivante=period_code(shift(mois, 3)),
        emis_le=date.min,
        edition=0,
        precedentes=(),
        contact=settings.publication.contact,
        base_legale=settings.cadre.base_legale,
        est_demonstration=settings.demonstration,
        est_verifie=all(right.est_verifie for right in headline),
        seuil=settings.publication.seuil,
        seuil_eligibles=settings.publication.seuil_eligibles,
        niveau_intervalle=round(100 * settings.estimation.niveau),
        versions={name: _version(name) for name in _SOFTWARE},
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "non installé"


def _keep_earlier(path: Path, edition: int) -> None:
    """Before a new edition replaces the report, keep the one it replaces, once."""
    kept = path.with_name(f"rapport-edition-{edition - 1}.html")
    if edition > 1 and path.exists() and not kept.exists():
        with whole_file(kept) as partial:
            partial.write_bytes(path.read_bytes())
