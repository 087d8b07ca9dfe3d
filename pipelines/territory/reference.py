"""Communes, groupings and access points of a territory; the list of every French commune."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import polars as pl

from pipelines import settings as configuration
from pipelines.refusals import SettingsRefusal

URBAN_INHABITANTS = 2_000
"""A commune is rural under 2 000 inhabitants (INSEE, threshold of the unités urbaines)."""

_COLUMNS = {
    "commune_insee": pl.String,
    "nom": pl.String,
    "population": pl.Int64,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
}


@dataclass(frozen=True)
class Territory:
    """A territory a rate is about.

    ``communes``: commune_insee, nom, population (inhabitants), latitude, longitude (degrees, WGS 84),
    regroupement (code, null in the crown), est_couronne. ``groupings``: regroupement, nom.
    ``access_points``: code, nom, type, commune_insee, latitude, longitude.
    """

    code: str
    nom: str
    communes: pl.DataFrame
    groupings: pl.DataFrame
    access_points: pl.DataFrame

    @property
    def inside(self) -> pl.DataFrame:
        """The communes of the territory, without its crown."""
        return self.communes.filter(~pl.col("est_couronne"))


def load(territoire: configuration.Territory | str) -> Territory:
    """The territory the settings describe, or a reference shipped with the software by its name.

    Raises :class:`SettingsRefusal` when the reference is unknown or a grouping names a foreign commune.
    """
    section = configuration.Territory(reference=territoire) if isinstance(territoire, str) else territoire
    inside = _read_communes(section.reference)
    groupings, membership = _groupings(section, inside)
    communes = pl.concat(
        [
            inside.join(membership, on="commune_insee", how="left").with_columns(est_couronne=pl.lit(False)),
            _crown(section.reference).with_columns(
                regroupement=pl.lit(None, pl.String), est_couronne=pl.lit(True)
            ),
        ]
    )
    return Territory(section.code, section.nom, communes, groupings, _access_points(section.reference))


def rural_communes(territoire: configuration.Territory | str) -> pl.DataFrame:
    """commune_insee, est_rurale (null when the population is unknown): the territory and its crown."""
    communes = load(territoire).communes.unique("commune_insee", maintain_order=True)
    return communes.select("commune_insee", est_rurale=pl.col("population") < URBAN_INHABITANTS)


@cache
def delivered_communes(reference: str) -> dict[str, str]:
    """Commune under which a delivery names each small one: the most populated of them in its grouping.

    Under 2 000 inhabitants, a commune singles out whoever lives there; all are rural alike, so that the
    grouping and the class of the estimate are kept. The small communes of the crown go under one of them. A
    commune of no known grouping keeps its name.
    """
    small = load(reference).communes.filter(pl.col("population") < URBAN_INHABITANTS)
    place = pl.when("est_couronne").then(pl.lit("couronne")).otherwise("regroupement")
    named = small.with_columns(place=place).drop_nulls("place").sort("population", "commune_insee")
    chosen = named.with_columns(livree=pl.col("commune_insee").last().over("place"))
    return dict(chosen.select("commune_insee", "livree").iter_rows())


@cache
def known_communes() -> pl.DataFrame:
    """Every code of the Code officiel géographique: commune_insee, commune_actuelle (merged ones mapped)."""
    cog = _read_csv("cog.csv")
    return cog.with_columns(commune_actuelle=pl.coalesce("commune_actuelle", "commune_insee"))


def _read_csv(name: str) -> pl.DataFrame:
    text = resources.files("pipelines.territory.data").joinpath(name).read_bytes()
    return pl.read_csv(text, infer_schema=False)


def _shipped(name: str) -> bool:
    return resources.files("pipelines.territory.data").joinpath(name).is_file()


def _read_communes(reference: str) -> pl.DataFrame:
    name = f"{reference}_communes.csv"
    if _shipped(name):
        frame = _read_csv(name)
    elif Path(reference).is_file():
        frame = pl.read_csv(reference, infer_schema=False)
    else:
        raise SettingsRefusal(
            "La référence du territoire est introuvable.",
            ou="territoire.reference",
            que_faire="Donner « comminges » ou le chemin d'un CSV commune_insee, nom, population, "
            "latitude, longitude.",
        )
    return _typed(frame, reference)


def _typed(frame: pl.DataFrame, reference: str) -> pl.DataFrame:
    missing = sorted(set(_COLUMNS) - set(frame.columns))
    if missing:
        raise SettingsRefusal(
            f"Colonne absente de la référence du territoire : {', '.join(missing)}.",
            ou=reference,
            que_faire="Ajouter ces colonnes au fichier.",
        )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in _COLUMNS.items())


def _crown(reference: str) -> pl.DataFrame:
    name = f"{reference}_couronne.csv"
    return _typed(_read_csv(name), name) if _shipped(name) else pl.DataFrame(schema=_COLUMNS)


def _access_points(reference: str) -> pl.DataFrame:
    name = f"{reference}_acces.csv"
    places = {"code": pl.String, "nom": pl.String, "type": pl.String, "commune_insee": pl.String}
    schema = places | {"latitude": pl.Float64, "longitude": pl.Float64}
    return _read_csv(name).cast(schema) if _shipped(name) else pl.DataFrame(schema=schema)  # type: ignore[arg-type]


def _groupings(section: configuration.Territory, communes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    if section.regroupements:
        return _declared_groupings(section, communes)
    name = f"{section.reference}_zonages.csv"
    if not _shipped(name):
        return _groupings_of_the_file(section.reference)
    zones = _read_csv(name)
    groupings = zones.select(regroupement="bassin_vie", nom="bassin_vie_nom").unique().sort("regroupement")
    return groupings, zones.select("commune_insee", regroupement="bassin_vie")


def _groupings_of_the_file(reference: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The groupings an own reference gives in a column ``regroupement``; without it, none."""
    columns = {"commune_insee": pl.String, "regroupement": pl.String}
    frame = pl.read_csv(reference, infer_schema=False)
    if "regroupement" not in frame.columns:
        return pl.DataFrame(schema={"regroupement": pl.String, "nom": pl.String}), pl.DataFrame(
            schema=columns
        )
    membership = frame.select(*columns).drop_nulls()
    codes = membership.select(pl.col("regroupement").unique().sort())
    return codes.with_columns(nom="regroupement"), membership


def _declared_groupings(
    section: configuration.Territory, communes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    groupings = pl.DataFrame({"regroupement": [g.code for g in section.regroupements]}).with_columns(
        nom=pl.Series([g.nom for g in section.regroupements])
    )
    pairs = [(commune, g.code) for g in section.regroupements for commune in g.communes]
    membership = pl.DataFrame(pairs, schema=["commune_insee", "regroupement"], orient="row")
    strangers = set(membership["commune_insee"]) - set(communes["commune_insee"])
    if strangers or membership["commune_insee"].is_duplicated().any():
        raise SettingsRefusal(
            "Un regroupement nomme une commune hors du territoire, ou deux regroupements la même commune.",
            ou="territoire.regroupements",
            que_faire="Corriger la liste des communes de chaque regroupement.",
        )
    return groupings, membership
