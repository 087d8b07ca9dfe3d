"""The CPAM's extract: insured persons, children attached to them, daily allowances and known incomes."""

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.synthetic.defects import HABITS, IDENTITY, typed
from pipelines.synthetic.extracts import (
    Registry,
    Scene,
    home_at,
    household_ids,
    in_window,
    numbered,
    registry,
    with_late_incomes,
)

NOT_COVERED, NOT_COVERED_FOREIGN_BORN = 0.015, 0.03
"""Residents of the general scheme whom this CPAM does not know (assumed: 98 % are known)."""
OTHER_REGIME, FARMER_STILL_SEEN = 0.015, 0.03
"""Special schemes (AU); farmers whose former CPAM rights are still open (assumed)."""
TWICE = 0.003
"""Persons the CPAM holds twice (assumed)."""
ADDRESS_AT_ONCE, ADDRESS_LATE_MONTHS, ADDRESS_LATE_MAX = 0.55, 6.0, 18
"""Share of insured persons whose moves are known at once, mean delay of the others in months (assumed)."""
INCOMES_KNOWN, APPLICANTS = 0.35, 0.05
"""Households outside C2S whose monthly incomes the insurer holds; refused applicants (assumed)."""

ALLOWANCES = ("011", "012", "013", "014", "021", "070")
C2S_INCOMES = ("001", "010", "022")
RETIREMENT = "028"
SELF_EMPLOYED = ("030", "031", "032", "033", "034")
WORK_STOPS = ("011", "012")


class Cpam:
    """What the CPAM holds of a scene, delivered month by month."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.registry: Registry = registry(scene, "cpam")
        self.foyers_c2s = household_ids(scene, "cpam", "foyer_c2s_id")
        self.persons = self._drawn()
        self.twice = self._second_records()
        self.incomes = self._all_incomes()

    def extract(self, delivery: int) -> dict[str, pl.DataFrame]:
        """The three nominative tables of a delivery, plus the ``personne`` columns the truth is kept from."""
        mois = self.scene.deliveries[delivery]
        insured = self._insured(delivery, mois)
        return {
            "cpam_assures": insured,
            "cpam_rattachements": self._attachments(mois, insured),
            "cpam_ressources": self._incomes(delivery, mois, insured),
        }

    def _drawn(self) -> pl.DataFrame:
        """Per person: whether covered, whether of another scheme, months of delay of the address."""
        rng = self.scene.rng("cpam", "couverture")
        people = self.scene.identities
        foreign = people["est_ne_etranger"].fill_null(False).to_numpy()
        missing = rng.random(people.height) < np.where(foreign, NOT_COVERED_FOREIGN_BORN, NOT_COVERED)
        delay = 1 + rng.geometric(1 / ADDRESS_LATE_MONTHS, people.height)
        at_once = rng.random(people.height) < ADDRESS_AT_ONCE
        uninsured = people["personne"].is_in(self.scene.world.sans_assurance["personne"].implode())
        return people.select("personne").with_columns(
            est_couvert=pl.Series(~missing) & ~uninsured,
            est_autre_regime=pl.Series(rng.random(people.height) < OTHER_REGIME),
            est_encore_vu=pl.Series(rng.random(people.height) < FARMER_STILL_SEEN),
            retard=pl.Series(np.where(at_once, 0, np.minimum(delay, ADDRESS_LATE_MAX))),
        )

    def _second_records(self) -> pl.DataFrame:
        """personne, personne_id and typing of the persons held twice."""
        rng = self.scene.rng("cpam", "doubles")
        chosen = self.scene.identities.filter(pl.Series(rng.random(self.scene.identities.height) < TWICE))
        ids = numbered(rng, chosen.height, "x")
        return (
            typed(rng, chosen, HABITS["cpam"])
            .insert_column(0, ids.alias("personne_id"))
            .insert_column(0, chosen["personne"])
        )

    def _homes(self, mois: str) -> pl.DataFrame:
        """The home the CPAM knows: the one of some months ago when the person is late to tell."""
        asked = calendar.month_number(mois) - pl.col("retard")
        first = self.scene.residences["mois"].min()
        month = asked.map_elements(calendar.month_of_number, return_dtype=pl.String)
        late = self.persons.filter(pl.col("retard") > 0).with_columns(
            mois=pl.max_horizontal(month, pl.lit(first))
        )
        old = late.join(self.scene.residences, on=["personne", "mois"]).unique(
            "personne", keep="first", maintain_order=True
        )
        now = home_at(self.scene, mois)
        columns = now.columns
        return pl.concat(
            [old.select(columns), now.filter(~pl.col("personne").is_in(old["personne"].implode()))]
        )

    def _insured(self, delivery: int, mois: str) -> pl.DataFrame:
        homes = self._homes(mois).filter("est_territoire").join(self.persons, on="personne")
        regime = self.scene.world.etats.filter(pl.col("mois") == mois).select("personne", "regime")
        alive = self.scene.world.personnes.filter(
            pl.col("deces").is_null() | (pl.col("deces") >= calendar.first_day(mois))
        ).select("personne")
        covered = (
            homes.join(regime, on="personne", how="left")
            .join(alive, on="personne")
            .with_columns(pl.col("regime").fill_null("GE"))
            .filter("est_couvert", (pl.col("regime") != "AG") | pl.col("est_encore_vu"))
            .with_columns(regime=pl.when("est_autre_regime").then(pl.lit("AU")).otherwise("regime"))
        )
        identity = self.registry.identity(delivery, covered.select("personne", "commune_insee", "logement"))
        rights = covered.select("personne", "menage", "regime").join(
            self._c2s(mois), on="personne", how="left", maintain_order="left"
        )
        known = self._known_incomes(mois, rights)
        rows = identity.join(rights, on="personne").with_columns(
            pl.col("c2s").fill_null(0),
            ressources_connues=pl.col("personne").is_in(known.implode()).cast(pl.Int8),
        )
        return pl.concat([rows, self._again(rows)]).sort("personne_id")

    def _c2s(self, mois: str) -> pl.DataFrame:
        held = self.scene.world.c2s.filter((pl.col("mois") == mois) & (pl.col("c2s") > 0))
        return held.join(self.foyers_c2s, left_on="foyer_c2s", right_on="menage", how="left").select(
            "personne", "c2s", "c2s_debut", _still_running(mois), "foyer_c2s_id"
        )

    def _known_incomes(self, mois: str, rights: pl.DataFrame) -> pl.Series:
        """C2S holders, refused applicants, and a share of the other households; never the self-employed."""
        rng = self.scene.rng("cpam", "ressources_connues")
        drawn = self.foyers_c2s.select("menage").with_columns(
            tirage=pl.Series(rng.random(self.foyers_c2s.height) < INCOMES_KNOWN + APPLICANTS)
        )
        holders = rights.filter(pl.col("c2s") > 0)["menage"].unique()
        independent = self.scene.world.ressources.filter(
            pl.col("natress").is_in(SELF_EMPLOYED) & (pl.col("mois") <= mois)
        )["personne"].unique()
        return rights.join(drawn, on="menage").filter(
            (pl.col("tirage") | pl.col("menage").is_in(holders.implode()))
            & ~pl.col("personne").is_in(independent.implode())
            & (pl.col("regime") != "AU")
        )["personne"]

    def _again(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The second record of the persons held twice: typed apart, without C2S nor incomes."""
        nothing = {name: pl.lit(None, pl.String) for name in ("c2s_debut", "c2s_fin", "foyer_c2s_id")}
        return (
            rows.drop("personne_id", *IDENTITY)
            .join(self.twice, on="personne")
            .with_columns(c2s=pl.lit(0, rows["c2s"].dtype), ressources_connues=pl.lit(0, pl.Int8), **nothing)
            .select(rows.columns)
        )

    def _attachments(self, mois: str, insured: pl.DataFrame) -> pl.DataFrame:
        """Minor children and the parents they are attached to: nearly every mother, half the fathers."""
        adult_from = calendar.first_day(calendar.shift(mois, -12 * 18))
        record = insured.unique("personne", keep="first", maintain_order=True).select(
            "personne", "personne_id"
        )
        children = self.scene.world.personnes.filter(pl.col("naissance") > adult_from).join(
            record, on="personne"
        )
        rng = self.scene.rng("cpam", "rattachements")
        draws = self.scene.identities.select("personne").with_columns(
            mere_tirage=pl.Series(rng.random(self.scene.identities.height) < 0.93),
            pere_tirage=pl.Series(rng.random(self.scene.identities.height) < 0.50),
        )
        parents = [
            children.join(draws, on="personne")
            .filter(f"{parent}_tirage")
            .select("personne_id", holder=parent)
            for parent in ("mere", "pere")
        ]
        holders = record.rename({"personne": "holder", "personne_id": "ouvrant_droit_id"})
        return (
            pl.concat(parents)
            .join(holders, on="holder")
            .select(enfant_id="personne_id", ouvrant_droit_id="ouvrant_droit_id")
            .unique()
            .sort("enfant_id", "ouvrant_droit_id")
        )

    def _all_incomes(self) -> pl.DataFrame:
        """Allowances and incomes the insurer could hold, with the first month of each unbroken work stop."""
        kept = pl.when(pl.col("natress") == RETIREMENT).then(pl.lit("022")).otherwise("natress")
        rows = (
            self.scene.world.ressources.with_columns(natress=kept)
            .filter(pl.col("natress").is_in([*ALLOWANCES, *C2S_INCOMES]))
            .group_by("personne", "mois", "natress")
            .agg(pl.col("montant").sum().round(2))
            .sort("personne", "natress", "mois")
        )
        return _with_stop_starts(rows).join(self.registry.ids, on="personne", maintain_order="left")

    def _incomes(self, delivery: int, mois: str, insured: pl.DataFrame) -> pl.DataFrame:
        """Allowances of everyone to M; incomes of the known ones to M-1, a row 000 when a month has none."""
        rows = in_window(
            with_late_incomes(self.scene.rng("cpam", "rectificatifs"), self.incomes, self.scene, delivery),
            mois,
        )
        own = insured.unique("personne", keep="first", maintain_order=True)
        known = own.filter(pl.col("ressources_connues") == 1)
        adults = known.join(self._adults(mois), on="personne").select("personne", "personne_id")
        months = pl.DataFrame({"mois": calendar.window(mois)[:-1]})
        incomes = (
            rows.filter(pl.col("natress").is_in(C2S_INCOMES))
            .join(months, on="mois")
            .join(known.select("personne"), on="personne")
        )
        allowances = rows.filter(pl.col("natress").is_in(ALLOWANCES)).join(
            own.select("personne"), on="personne"
        )
        nil = adults.join(months, how="cross").join(incomes, on=["personne", "mois"], how="anti")
        empty = nil.with_columns(
            natress=pl.lit("000"), montant=pl.lit(0.0), arret_debut=pl.lit(None, pl.String)
        )
        return pl.concat([incomes, allowances, empty.select(rows.columns)]).sort(
            "personne_id", "mois", "natress"
        )

    def _adults(self, mois: str) -> pl.DataFrame:
        limit = calendar.first_day(calendar.shift(mois, -12 * 18))
        return self.scene.world.personnes.filter(pl.col("naissance") <= limit).select("personne")


def _still_running(mois: str) -> pl.Expr:
    """End of the right as known at M: kept when announced, C2S being opened for a year."""
    return pl.when(pl.col("c2s_fin") >= pl.lit(mois)).then("c2s_fin").alias("c2s_fin")


def _with_stop_starts(rows: pl.DataFrame) -> pl.DataFrame:
    """``arret_debut``: first month of a work stop's unbroken run, unknown when before the first month."""
    number = pl.col("mois").str.slice(0, 4).cast(pl.Int32) * 12 + pl.col("mois").str.slice(5, 2).cast(
        pl.Int32
    )
    keys = ["personne", "natress"]
    run = (number - pl.int_range(pl.len()).over(keys)).alias("suite")
    start = pl.col("mois").first().over([*keys, "suite"])
    known = pl.col("natress").is_in(WORK_STOPS) & (start > pl.col("mois").min())
    return (
        rows.with_columns(run)
        .with_columns(arret_debut=pl.when(known).then(start).otherwise(pl.lit(None, pl.String)))
        .drop("suite")
    )
