"""What the outreach team holds: actions, consents typed by hand in the field, oppositions, what followed."""

import hashlib
from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines import calendar
from pipelines.synthetic.defects import HABITS, typed
from pipelines.synthetic.extracts import Registry, Scene, numbered, registry
from schemas import TABLES

MET, MET_PRECARIOUS = 0.012, 0.035
"""Adults met at an action over the year, and those entitled to something (assumed: 1.5 to 2 % together)."""
ACTIONS_PER_MONTH = 4
GIVEN, WITHDRAWN, DOUBTFUL, REPRESENTED = 0.80, 0.04, 0.05, 0.04
VALID_DAYS = 365
OPPOSED = {"TRAITEMENT": 0.002, "CONTACT": 0.002}
FOLLOWED_UP = 0.5

PURPOSES = ("RAPPEL_RSA", "RAPPEL_PPA", "RAPPEL_RSA RAPPEL_PPA", "RAPPEL_AUTRE")
PURPOSE_SHARES = (0.30, 0.20, 0.42, 0.08)
RECIPIENTS = {"CELLULE": 0.85, "CAF31": 0.15}
PLACES = ("MARCHE", "MAIRIE", "FRANCE_SERVICES", "CCAS", "MDS", "DOMICILE")
ACTION_KINDS = ("PERMANENCE", "MARCHE", "PORTE_A_PORTE", "FORUM")
OUTCOMES = ("APPELE", "NON_JOINT", "REFUS", "RDV", "DEMANDE_DEPOSEE")
OUTCOME_SHARES = (0.25, 0.30, 0.10, 0.20, 0.15)
DOUBTS = ("formulaire", "destinataire", "date", "contradiction", "representant", "expire")
UNKNOWN_RECIPIENT = "ASSOCIATION_X"

_CONTRACT = TABLES["consentements"]
EVENTS = ("personne", *_CONTRACT.own, *_CONTRACT.vault, "est_date_fausse")


class Cellule:
    """What the outreach team holds of a scene, delivered again whole each month."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.registry: Registry = registry(scene, "cellule")
        self.adults = self._adults()
        self.actions = self._actions()
        self.events = self._events()
        self.oppositions = self._oppositions()
        self.outcomes = self._outcomes()

    def extract(self, delivery: int) -> dict[str, pl.DataFrame]:
        """The four nominative tables as known on the 10th of the month after."""
        mois = self.scene.deliveries[delivery]
        day = extraction_day(mois)
        homes = self.scene.last_homes[mois].select("personne", "commune_insee", "logement")
        events = self.events.filter((pl.col("evenement_le") <= day) | pl.col("est_date_fausse"))
        identity = self.registry.identity(delivery, homes).drop("personne_id", "nir")
        return {
            "consentements": events.join(identity, on="personne").sort(
                "consentement_id", "evenement_le", "evenement"
            ),
            "actions": self.actions.filter(pl.col("date") <= day).sort("action_id"),
            "oppositions": self.oppositions_known(day),
            "suites": self.outcomes.filter(pl.col("le") <= day).sort("consentement_id", "le", "suite"),
        }

    def oppositions_known(self, day: date) -> pl.DataFrame:
        """The oppositions received up to a day."""
        return self.oppositions.filter(pl.col("depuis_le") <= day)

    def _adults(self) -> pl.DataFrame:
        """personne, commune_insee, est_precaire of the adults of the territory at the last delivery."""
        mois = self.scene.deliveries[-1]
        limit = calendar.first_day(calendar.shift(mois, -12 * 18))
        born = pl.col("date_naissance") <= limit
        people = self.scene.identities.filter(born).select(
            "personne", pl.col("est_precaire").fill_null(False)
        )
        homes = self.scene.last_homes[mois].filter((pl.col("mois") == mois) & pl.col("est_territoire"))
        return people.join(homes.select("personne", "commune_insee"), on="personne").sort("personne")

    def _actions(self) -> pl.DataFrame:
        """The actions of the twelve months before the last delivery, where people live."""
        rng = self.scene.rng("cellule", "actions")
        months = calendar.window(self.scene.deliveries[-1], 12)
        size = ACTIONS_PER_MONTH * len(months)
        days = rng.integers(0, 28, size)
        first = [calendar.first_day(month) for month in months for _ in range(ACTIONS_PER_MONTH)]
        return pl.DataFrame(
            {
                "action_id": [f"A{number:04d}" for number in range(1, size + 1)],
                "date": [one + timedelta(int(day)) for one, day in zip(first, days, strict=True)],
                "commune_insee": rng.choice(self.adults["commune_insee"].to_numpy(), size),
                "lieu": rng.choice(PLACES, size),
                "type_action": rng.choice(ACTION_KINDS, size),
                "public": rng.choice(["TOUT", "PLUS_50", "AGRICULTEURS"], size, p=[0.7, 0.2, 0.1]),
                "personnes_rencontrees": rng.integers(8, 60, size).astype(np.int32),
                "orientations": rng.integers(0, 8, size).astype(np.int32),
            }
        )

    def _events(self) -> pl.DataFrame:
        rng = self.scene.rng("cellule", "consentements")
        consents = _filled(rng, self._consents(rng), self.scene)
        return pl.concat(
            [
                _with_doubts(rng, consents, extraction_day(self.scene.deliveries[-1])),
                _withdrawals(rng, consents),
            ]
        )

    def _consents(self, rng: np.random.Generator) -> pl.DataFrame:
        """personne, consentement_id, finalite, action_id, evenement_le: a row per person met and purpose."""
        rate = np.where(self.adults["est_precaire"].to_numpy(), MET_PRECARIOUS, MET)
        met = self.adults.filter(pl.Series(rng.random(self.adults.height) < rate)).select("personne")
        purpose = pl.Series(rng.choice(PURPOSES, met.height, p=PURPOSE_SHARES))
        action = pl.Series(rng.choice(self.actions["action_id"].to_numpy(), met.height), dtype=pl.String)
        given = pl.Series(rng.random(met.height) < GIVEN)
        rows = (
            met.with_columns(finalite=purpose.str.split(" "), action_id=action, donne=given)
            .explode("finalite")
            .join(
                self.actions.select("action_id", evenement_le="date"), on="action_id", maintain_order="left"
            )
        )
        return rows.with_columns(consentement_id=numbered(rng, rows.height, "consentement"))

    def _oppositions(self) -> pl.DataFrame:
        """objet, depuis_le and the identity, with its NIR, of those who refuse."""
        rng = self.scene.rng("cellule", "oppositions")
        opposed = pl.concat(
            [
                self.adults.filter(pl.Series(rng.random(self.adults.height) < share)).with_columns(
                    objet=pl.lit(name)
                )
                for name, share in OPPOSED.items()
            ]
        ).sort("personne", "objet")
        day = calendar.first_day(self.scene.deliveries[-1])
        since = [day - timedelta(int(days)) for days in rng.integers(0, 500, opposed.height)]
        truth = opposed.select("personne").join(self.scene.identities, on="personne", maintain_order="left")
        homes = self.scene.last_homes[self.scene.deliveries[-1]].select(
            "personne", "commune_insee", "logement"
        )
        address = self.registry.identity(0, homes).select("personne", "adresse")
        identity = typed(rng, truth, HABITS["departement"])
        return (
            pl.concat([opposed.drop("est_precaire"), identity], how="horizontal")
            .with_columns(depuis_le=pl.Series(since, dtype=pl.Date))
            .join(address, on="personne", how="left", maintain_order="left")
        )

    def _outcomes(self) -> pl.DataFrame:
        """consentement_id, suite, le: what half of the consents led to."""
        rng = self.scene.rng("cellule", "suites")
        given = self.events.filter((pl.col("evenement") == "DONNE") & ~pl.col("est_date_fausse")).unique(
            "consentement_id", maintain_order=True
        )
        called = given.filter(pl.Series(rng.random(given.height) < FOLLOWED_UP))
        delay = pl.duration(days=pl.lit(pl.Series(rng.integers(10, 60, called.height))))
        outcome = pl.Series(rng.choice(OUTCOMES, called.height, p=OUTCOME_SHARES))
        return called.select("consentement_id", suite=outcome, le=pl.col("evenement_le") + delay)


def extraction_day(mois: str) -> date:
    """The 10th of M+1: the day the extract of month M is drawn."""
    return calendar.first_day(calendar.shift(mois, 1)).replace(day=10)


def _filled(rng: np.random.Generator, consents: pl.DataFrame, scene: Scene) -> pl.DataFrame:
    """Every column of an event, for a well-kept consent or refusal."""
    size = consents.height
    version = (
        pl.when(pl.col("evenement_le") >= date(2026, 1, 1)).then(pl.lit("2026-1")).otherwise(pl.lit("2025-1"))
    )
    represented = pl.Series(rng.random(size) < REPRESENTED)
    recipient = pl.Series(rng.choice(list(RECIPIENTS), size, p=list(RECIPIENTS.values())))
    rows = consents.with_columns(
        evenement=pl.when("donne").then(pl.lit("DONNE")).otherwise(pl.lit("REFUSE")),
        formulaire_version=version,
        recueilli_par=pl.Series([f"AGENT{n}" for n in rng.integers(1, 9, size)], dtype=pl.String),
        canal_recueil=pl.Series(rng.choice(["PAPIER", "ORAL", "EN_LIGNE"], size, p=[0.7, 0.2, 0.1])),
        expire_le=pl.when("donne").then(pl.col("evenement_le") + pl.duration(days=VALID_DAYS)),
        capacite=pl.when(represented).then(pl.lit("REPRESENTANT")).otherwise(pl.lit("SOI")),
        representant_ref=pl.when(represented).then(pl.format("MANDAT-{}", "consentement_id")),
        est_date_fausse=pl.lit(False),
    ).with_columns(
        formulaire_sha256=pl.col("formulaire_version").map_elements(form_digest, return_dtype=pl.String),
        destinataire=pl.when(pl.col("formulaire_version") == "2026-1")
        .then(recipient)
        .otherwise(pl.lit("CELLULE")),
    )
    return _with_contacts(rng, rows, scene).select(EVENTS)


def form_digest(version: str) -> str:
    """SHA-256 of the form of a version (here, of its name: the invented territory has no paper)."""
    return hashlib.sha256(f"formulaire {version}".encode()).hexdigest()


def _with_contacts(rng: np.random.Generator, rows: pl.DataFrame, scene: Scene) -> pl.DataFrame:
    """Telephone, e-mail, contact address, preferred channel and slot: the vault's columns."""
    size = rows.height
    spaced = pl.col("telephone").str.replace(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", "$1 $2 $3 $4 $5")
    joined = rows.join(
        scene.identities.select("personne", "telephone", "courriel"), on="personne", maintain_order="left"
    )
    return joined.with_columns(
        telephone=pl.when(pl.Series(rng.random(size) < 0.5)).then(spaced).otherwise(pl.col("telephone")),
        courriel=pl.when(pl.Series(rng.random(size) < 0.5)).then("courriel"),
        adresse_contact=pl.lit(None, pl.String),
        canal_prefere=pl.Series(rng.choice(["TELEPHONE", "COURRIEL", "COURRIER"], size, p=[0.85, 0.1, 0.05])),
        creneau=pl.Series(rng.choice(["MATIN", "APRES_MIDI", "SOIR"], size)),
    )


def _withdrawals(rng: np.random.Generator, consents: pl.DataFrame) -> pl.DataFrame:
    given = consents.filter(pl.col("evenement") == "DONNE")
    taken_back = given.filter(pl.Series(rng.random(given.height) < WITHDRAWN))
    delay = pl.duration(days=pl.lit(pl.Series(rng.integers(5, 90, taken_back.height))))
    return taken_back.with_columns(
        evenement=pl.lit("RETIRE"),
        evenement_le=pl.col("evenement_le") + delay,
        expire_le=pl.lit(None, pl.Date),
    )


def _with_doubts(rng: np.random.Generator, consents: pl.DataFrame, last_day: date) -> pl.DataFrame:
    """Some consents nobody should rely on: form, recipient, date, contradiction, mandate, expiry."""
    drawn = rng.choice(
        [*DOUBTS, "aucun"], consents.height, p=[DOUBTFUL / len(DOUBTS)] * len(DOUBTS) + [1 - DOUBTFUL]
    )
    doubt = pl.when(pl.col("evenement") == "DONNE").then(pl.Series(drawn)).otherwise(pl.lit("aucun"))
    rows = consents.with_columns(doute=doubt)
    contradicting = rows.filter(pl.col("doute") == "contradiction").with_columns(
        evenement=pl.lit("REFUSE"), expire_le=pl.lit(None, pl.Date)
    )
    return pl.concat([rows.with_columns(_doubtful(last_day)), contradicting]).drop("doute")


def _doubtful(last_day: date) -> list[pl.Expr]:
    """Each column as the doubt of its row changes it."""
    changes: dict[str, tuple[str, pl.Expr]] = {
        "formulaire_version": ("formulaire", pl.lit(None, pl.String)),
        "destinataire": ("destinataire", pl.lit(UNKNOWN_RECIPIENT)),
        "evenement_le": ("date", pl.lit(last_day + timedelta(400))),
        "est_date_fausse": ("date", pl.lit(True)),
        "capacite": ("representant", pl.lit("REPRESENTANT")),
        "representant_ref": ("representant", pl.lit(None, pl.String)),
        "expire_le": ("expire", pl.col("evenement_le") + pl.duration(days=1)),
    }
    return [
        pl.when(pl.col("doute") == doubt).then(value).otherwise(pl.col(column)).alias(column)
        for column, (doubt, value) in changes.items()
    ]
