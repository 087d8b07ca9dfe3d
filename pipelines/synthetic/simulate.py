"""The front door of the invented territory: a world, what each partner holds of it, and its truth."""

from pathlib import Path

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.files import whole_folder
from pipelines.refusals import Refusal
from pipelines.synthetic.extracts import set_scene
from pipelines.synthetic.frames import World
from pipelines.synthetic.rates import true_rates
from pipelines.synthetic.scene_files import Progress, write_scene
from pipelines.synthetic.world import build_world
from pipelines.territory import load


def simulate_territory(
    territoire: str,
    graine: int,
    sortie: Path,
    mois_debut: str,
    mois_fin: str,
    habitants: int | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Invent a territory and write what its partners would deliver from ``mois_debut`` to ``mois_fin``.

    ``territoire`` is a reference name (« comminges ») or the path of a CSV of communes; ``habitants``
    defaults to its published population. Writes ``sortie/<partenaire>/<AAAA-MM>/<table>.csv`` and
    ``sortie/verite/``, whole or not at all; the same seed gives the same bytes. Returns the rows written
    per table, all deliveries together. Raises :class:`Refusal` when ``sortie`` is not empty.
    """
    _refuse_occupied(sortie)
    tell = progress or _silent
    place = load(territoire)
    deliveries = calendar.months_between(mois_debut, mois_fin)
    tell("Invention du territoire")
    rng = np.random.default_rng(graine)
    inhabitants = habitants or int(place.inside["population"].sum())
    world = build_world(rng, place, inhabitants, mois_debut, mois_fin)
    tell("Identités et adresses")
    scene = set_scene(world, place.communes["commune_insee"].to_list(), deliveries, graine)
    rates = pl.concat([_rates(world, mois) for mois in deliveries])
    with whole_folder(sortie) as folder:
        return write_scene(folder, scene, rates, tell)


def _rates(world: World, mois: str) -> pl.DataFrame:
    """The true rates of both fields: with the households the MSA serves, and without them."""
    return pl.concat(
        [
            true_rates(world, mois, avec_agricole=included).with_columns(
                est_hors_agricole=pl.lit(not included)
            )
            for included in (True, False)
        ]
    )


def _refuse_occupied(sortie: Path) -> None:
    if sortie.exists() and (not sortie.is_dir() or any(sortie.iterdir())):
        raise Refusal(
            "Le dossier de sortie existe déjà et n'est pas vide.",
            ou=str(sortie),
            que_faire="Donner un dossier neuf, ou vider celui-ci.",
        )


def _silent(_message: str) -> None:
    pass
