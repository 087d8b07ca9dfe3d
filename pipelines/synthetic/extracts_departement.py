"""The Département's extract: the persons of RSA files, the files month by month, social follow-ups."""

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.synthetic.extracts import Registry, Scene, household_ids, in_window, registry

FOLLOWED = {"RSA": 0.75, "SECOURS": 0.06, "FSL": 0.08, "ACCOMPAGNEMENT": 0.10}
"""Share of the RSA adults with each follow-up (assumed)."""
HOUSES = ("MDS-SAINT-GAUDENS", "MDS-BOULOGNE", "MDS-SALIES")


class Departement:
    """What the Département holds of a scene, delivered month by month."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.registry: Registry = registry(scene, "departement")
        self.files = household_ids(scene, "departement", "dossier_id")

    def extract(self, delivery: int) -> dict[str, pl.DataFrame]:
        """The three nominative tables of a delivery, plus the ``personne`` columns the truth is kept from."""
        mois = self.scene.deliveries[delivery]
        rsa = self._rsa(mois)
        persons = self._persons(delivery, mois, rsa)
        return {"dep_personnes": persons, "dep_rsa": rsa, "dep_suivis": self._follow_ups(mois, persons)}

    def _rsa(self, mois: str) -> pl.DataFrame:
        world = self.scene.world
        homes = world.menages_mois.select("menage", "mois", "commune_insee")
        rows = in_window(world.dossiers.filter(pl.col("rsa_etat").is_not_null()), mois).join(
            homes, on=["menage", "mois"]
        )
        near = rows.filter(pl.col("commune_insee").is_in(list(self.scene.perimetre)))["menage"].unique()
        return (
            rows.filter(pl.col("menage").is_in(near.implode()))
            .join(self.files, on="menage")
            .sort("dossier_id", "mois")
        )

    def _persons(self, delivery: int, mois: str, rsa: pl.DataFrame) -> pl.DataFrame:
        first = calendar.window(mois)[0]
        gone = pl.col("present_au") <= mois
        members = (
            self.scene.world.membres.join(self.files, on="menage")
            .filter(pl.col("menage").is_in(rsa["menage"].unique().implode()))
            .filter(pl.col("present_au").fill_null("9999-99") >= first)
            .filter(pl.col("present_du").fill_null("0000-00") <= mois)
            .with_columns(present_au=pl.when(gone).then(pl.col("present_au")))
        )
        homes = self.scene.last_homes[mois].select("personne", "commune_insee", "logement")
        return members.join(self.registry.identity(delivery, homes), on="personne").sort(
            "personne_id", "dossier_id", "present_du"
        )

    def _follow_ups(self, mois: str, persons: pl.DataFrame) -> pl.DataFrame:
        """personne_id, dispositif, mois_debut, mois_fin, mds: drawn once, known from their start."""
        rng = self.scene.rng("departement", "suivis")
        everyone = self.registry.ids.sort("personne")
        start = rng.integers(0, 48, everyone.height)
        length = rng.geometric(1 / 14, everyone.height)
        house = rng.choice(HOUSES, everyone.height)
        last = calendar.month_number(self.scene.deliveries[-1])
        drawn = [
            everyone.with_columns(
                dispositif=pl.lit(name),
                debut=pl.Series(last - start),
                fin=pl.Series(last - start + length),
                mds=pl.Series(house),
            ).filter(pl.Series(rng.random(everyone.height) < share))
            for name, share in FOLLOWED.items()
        ]
        return (
            _known_at(pl.concat(drawn), mois)
            .join(persons.filter(pl.col("role") != "ENF").select("personne_id").unique(), on="personne_id")
            .sort("personne_id", "dispositif")
        )


def _known_at(follow_ups: pl.DataFrame, mois: str) -> pl.DataFrame:
    now = calendar.month_number(mois)
    names = {number: calendar.month_of_number(number) for number in np.arange(now - 60, now + 1).tolist()}
    month = pl.col("debut").replace_strict(names, default=None, return_dtype=pl.String)
    end = pl.col("fin").replace_strict(names, default=None, return_dtype=pl.String)
    return follow_ups.filter(pl.col("debut") <= now).with_columns(mois_debut=month, mois_fin=end)
