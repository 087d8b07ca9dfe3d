"""The CAF's extract: households, their persons, personal benefits, monthly incomes."""

import polars as pl

from pipelines import calendar
from pipelines.synthetic.extracts import (
    Registry,
    Scene,
    household_ids,
    in_window,
    registry,
    with_late_incomes,
)

COMMUNE_LATE = {0: 0.92, 1: 0.05, 2: 0.03}
"""Months a CAF household's new commune takes to be recorded, and their shares (assumed)."""

MONTHLY_SOURCES = ("DTR", "DRM")
ADULTS = ("DEM", "CJT")


class Caf:
    """What the CAF holds of a scene, delivered month by month."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.registry: Registry = registry(scene, "caf")
        self.households = household_ids(scene, "caf", "foyer_id")
        self.foyers_mois = self._all_foyers()
        self.present = self._all_present()
        self.incomes = self._all_incomes()

    def extract(self, delivery: int) -> dict[str, pl.DataFrame]:
        """The four nominative tables of a delivery, plus ``personne`` columns the truth is kept from."""
        mois = self.scene.deliveries[delivery]
        foyers = self._foyers(mois)
        persons = self._persons(delivery, mois, foyers)
        return {
            "caf_foyers": foyers.sort("foyer_id", "mois"),
            "caf_personnes": persons,
            "caf_prestations_personnes": self._benefits(mois, foyers),
            "caf_ressources": self._declared(delivery, mois, foyers),
        }

    def _all_foyers(self) -> pl.DataFrame:
        world = self.scene.world
        households = world.menages_mois.join(
            world.dossiers.filter("est_au_caf").drop("est_au_caf"), on=["menage", "mois"]
        )
        return self._with_late_communes(households).join(self.households, on="menage").sort("menage", "mois")

    def _with_late_communes(self, households: pl.DataFrame) -> pl.DataFrame:
        """The commune the CAF knows: a new one is recorded at once, or one or two months late."""
        rng = self.scene.rng("caf", "communes")
        drawn = rng.choice(list(COMMUNE_LATE), self.households.height, p=list(COMMUNE_LATE.values()))
        known = pl.col("commune_insee")
        late = self.households.select("menage", retard=pl.Series(drawn))
        return (
            households.sort("menage", "mois")
            .join(late, on="menage", maintain_order="left")
            .with_columns(
                commune_insee=pl.when(pl.col("retard") == 0)
                .then(known)
                .when(pl.col("retard") == 1)
                .then(known.shift(1).over("menage"))
                .otherwise(known.shift(2).over("menage"))
                .fill_null(pl.col("commune_insee"))
            )
            .drop("retard")
        )

    def _foyers(self, mois: str) -> pl.DataFrame:
        """Every month of the window of the households seen in the perimeter in one of them."""
        rows = in_window(self.foyers_mois, mois)
        near = rows.filter(pl.col("commune_insee").is_in(list(self.scene.perimetre)))["menage"].unique()
        return rows.filter(pl.col("menage").is_in(near.implode()))

    def _persons(self, delivery: int, mois: str, foyers: pl.DataFrame) -> pl.DataFrame:
        first = calendar.window(mois)[0]
        members = (
            self.scene.world.membres.join(self.households, on="menage")
            .filter(pl.col("menage").is_in(foyers["menage"].unique().implode()))
            .filter(pl.col("present_au").fill_null("9999-99") >= first)
            .filter(pl.col("present_du").fill_null("0000-00") <= mois)
            .with_columns(present_au=_until(mois))
        )
        homes = self.scene.last_homes[mois].select("personne", "commune_insee", "logement")
        identity = self.registry.identity(delivery, homes)
        return (
            members.join(identity, on="personne")
            .join(_state(self.scene, mois), on="personne", how="left")
            .join(self.scene.world.personnes.select("personne", "nati"), on="personne")
            .sort("personne_id", "foyer_id", "present_du")
        )

    def _all_present(self) -> pl.DataFrame:
        """personne, mois, menage, role, ressources_source of everyone of a CAF household, each month."""
        columns = ("menage", "mois", "ressources_source")
        members = self.scene.residences.select("personne", "mois", "menage", "role")
        present = members.join(self.foyers_mois.select(columns), on=["menage", "mois"])
        return present.unique(["personne", "mois"], keep="first", maintain_order=True)

    def _benefits(self, mois: str, foyers: pl.DataFrame) -> pl.DataFrame:
        """One row per adult and month, zeros included, and one per other person who has a benefit."""
        amounts = [pl.col(name).fill_null(0.0) for name in ("aah", "caah", "ass", "asi")]
        received = self.scene.world.prestations
        return (
            in_window(self.present, mois)
            .filter(pl.col("menage").is_in(foyers["menage"].unique().implode()))
            .join(received, on=["personne", "mois"], how="left")
            .filter(pl.col("role").is_in(ADULTS) | pl.col("aah").is_not_null())
            .with_columns(amounts)
            .join(self.registry.ids, on="personne")
            .sort("personne_id", "mois")
        )

    def _all_incomes(self) -> pl.DataFrame:
        """Every income row the CAF will ever know, a row 000 for an adult without income in a month."""
        present = self.present.filter(pl.col("ressources_source").is_in(MONTHLY_SOURCES))
        rows = present.join(self.scene.world.ressources, on=["personne", "mois"], how="left").filter(
            pl.col("role").is_in(ADULTS) | pl.col("natress").is_not_null()
        )
        return (
            rows.with_columns(
                natress=pl.col("natress").fill_null("000"), montant=pl.col("montant").fill_null(0.0)
            )
            .join(self.registry.ids, on="personne")
            .sort("personne_id", "mois", "natress")
        )

    def _declared(self, delivery: int, mois: str, foyers: pl.DataFrame) -> pl.DataFrame:
        """Income rows declared by the day the extract is drawn: the months not yet declared are absent."""
        rows = with_late_incomes(self.scene.rng("caf", "rectificatifs"), self.incomes, self.scene, delivery)
        current = foyers.filter(pl.col("mois") == mois).select("menage", declare_au=_last_declared(mois))
        return (
            in_window(rows, mois)
            .filter(pl.col("menage").is_in(foyers["menage"].unique().implode()))
            .join(current, on="menage", how="left", maintain_order="left")
            .filter(pl.col("mois") <= pl.col("declare_au").fill_null(calendar.shift(mois, -2)))
        )


def _until(mois: str) -> pl.Expr:
    """Last month of presence; empty for whoever is still there at ``mois``."""
    gone = pl.col("present_au") <= mois
    return pl.when(gone).then(pl.col("present_au"))


def _last_declared(mois: str) -> pl.Expr:
    """Last month of income known at extraction: M-1 by the monthly file, else by quarterly declaration.

    The quarter opened in month Q rests on Q-4..Q-2 (since March 2025).
    """
    phase = pl.col("dtr_phase").fill_null(1)
    quarterly = phase.replace_strict(
        {p: calendar.shift(mois, -p - 1) for p in (1, 2, 3)}, return_dtype=pl.String
    )
    monthly = pl.lit(calendar.shift(mois, -1))
    return pl.when(pl.col("ressources_source") == "DTR").then(quarterly).otherwise(monthly)


def _state(scene: Scene, mois: str) -> pl.DataFrame:
    """act, etudiant, enceinte at M, or at the last month known before it."""
    known = scene.world.etats.filter(pl.col("mois") <= mois).sort("personne", "mois")
    return known.unique("personne", keep="last", maintain_order=True).select(
        "personne", "act", pl.col("etudiant", "enceinte").cast(pl.Int8)
    )
