"""The dossiers of every household, from its surroundings and the rights the law gives it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.calendar import month_number
from pipelines.synthetic import takeup
from pipelines.synthetic.margins import Array, Rng, section
from pipelines.synthetic.population import DEM, LONE_PARENT
from pipelines.synthetic.story import Story, months_as_text, shaped, texts
from pipelines.synthetic.takeup import MOVED_AWAY, NO_FILE, PAYABLE, Files, Surroundings

CAF_OF_DEPARTEMENT = {"31": "311", "09": "091", "32": "321", "65": "651"}
HOME_CAF = "311"
FAMILY_BENEFITS = ("af", "cf", "asf", "paje_base", "paje_prepare")


@dataclass(frozen=True)
class Window:
    """Households × months of the delivered window, as arrays (0 or False where a household is not there)."""

    months: list[str]
    farm: Array
    social: Array
    alive: Array
    place: Array
    known: Array
    owner: Array
    disabled: Array
    housing: Array
    family: Array

    @property
    def households(self) -> int:
        """Number of households."""
        return len(self.alive)


def look(story: Story, months: list[str]) -> Window:
    """The window seen as arrays."""
    homes, size = story.population.homes, len(story.population.homes)
    start = month_number(months[0]) - story.first
    table = {name: np.zeros((size, len(months)), kind) for name, kind in MONTHLY.items()}
    for column, month in enumerate(story.homes[start : start + len(months)]):
        rows = month["menage"].to_numpy()
        for name, values in story.seen[start + column].items():
            table[name][rows, column] = values[rows]
        table["alive"][rows, column] = True
        table["housing"][rows, column] = month["aide_logement"].to_numpy()
        table["family"][rows, column] = (
            month.select(pl.sum_horizontal(FAMILY_BENEFITS)).to_series().to_numpy()
        )
    return Window(months, farm=homes["farm"], social=homes["social"], **table)


MONTHLY = {
    "alive": "?",
    "place": "i4",
    "known": "?",
    "owner": "?",
    "disabled": "?",
    "housing": "f4",
    "family": "f4",
}
"""What the window keeps of each household and month, and its type."""


def surroundings(story: Story, window: Window, distance: Array, c2s_prone: Array) -> Surroundings:
    """What weighs on asking, per household and month."""
    facts, population = section("recours"), story.population
    lone_mother, couple, age = _composition(story, window)
    odds = facts["proprietaire"] * window.owner + facts["aide_logement"] * (window.housing > 0)
    odds = odds + facts["prestations_familiales"] * (window.family > 0)
    odds = odds + facts["distance_km"] * distance[window.place].clip(0, 40)
    fixed = facts["social"] * window.social + facts["mere_seule"] * lone_mother
    fixed = fixed + facts["couple_sans_enfant"] * couple + facts["agricole"] * window.farm
    fixed = fixed + facts["moins_de_30"] * (age < 30) + facts["plus_de_50"] * (age >= 50)
    fixed = fixed + facts["c2s"] * (c2s_prone - 0.5)
    served = np.array([_caf(code) == HOME_CAF for code in population.places]) | population.crown
    return Surroundings(odds + fixed[:, None], window.known, window.alive, served[window.place])


def _caf(commune: str) -> str:
    return CAF_OF_DEPARTEMENT.get(str(commune)[:2], HOME_CAF)


def _composition(story: Story, window: Window) -> tuple[Array, Array, Array]:
    """Lone mother, couple without child, age in years of the applicant, as the story leaves them."""
    people, homes, size = story.population.people, story.population.homes, window.households
    home, role = _last_place(story)
    chief = np.flatnonzero((home >= 0) & (role == DEM))
    age, woman = np.full(size, 45), np.zeros(size, bool)
    age[home[chief]] = (month_number(window.months[-1]) - people["birth"][chief]) // 12
    woman[home[chief]] = people["sexe"][chief] == 2
    lone = np.asarray(homes["kind"] == LONE_PARENT)
    paired = np.isin(homes["sitfam"], ["MAR", "PAC", "VIM"])
    children = np.bincount(home[(home >= 0) & (role >= 2)], minlength=size)
    return lone & woman & (children > 0), paired & (children == 0), age


def _last_place(story: Story) -> tuple[Array, Array]:
    """The last household of every person and the role there."""
    size = len(story.population.people)
    home, role = np.full(size, -1, np.int64), np.zeros(size, np.int8)
    for where, what in story.whereabouts:
        there = np.flatnonzero(where >= 0)
        home[there], role[there] = where[there], what[there]
    return home, role


def matrices(window: Window, rights: pl.DataFrame, droit: str) -> tuple[Array, Array]:
    """Entitled, and euros per month: households × months, from the frame of rights."""
    shape = window.alive.shape
    entitled, amount = np.zeros(shape, bool), np.zeros(shape)
    column = {month: index for index, month in enumerate(window.months)}
    rows = rights.filter(
        (pl.col("droit") == droit) & (pl.col("eligible") == "oui") & pl.col("mois").is_in(window.months)
    )
    at = rows["menage"].to_numpy(), rows["mois"].replace_strict(column, return_dtype=pl.Int32).to_numpy()
    entitled[at], amount[at] = True, rows["montant_eur_mois"].to_numpy()
    return entitled, amount


def phases(rsa: list[Files], ppa: list[Files]) -> Array:
    """Month of the household's own quarter (1..3) while something is open, else 0; households × months."""
    open_ = np.column_stack([a.is_open() | b.is_open() for a, b in zip(rsa, ppa, strict=True)])
    size, months = open_.shape
    phase, age = np.zeros((size, months), np.int8), np.zeros(size, np.int64)
    drawn = np.arange(size) * 7919 % 3
    for column in range(months):
        age = np.where(open_[:, column], age + 1, 0)
        if column == 0:
            age = np.where(open_[:, 0], 1 + drawn, 0)
        phase[:, column] = np.where(open_[:, column], (age - 1) % 3 + 1, 0)
    return phase


def pay(files: list[Files], entitled: Array, amounts: Array) -> Array:
    """Euros due per household and month once the household's own quarter is known; states follow the law."""
    due = np.zeros(amounts.shape)
    for column, month in enumerate(files):
        nil = np.isin(month.motif, (takeup.RESOURCES, takeup.BELOW_THRESHOLD)) & (
            month.state == takeup.SUSPENDED
        )
        regained = nil & entitled[:, column]
        month.state[regained], month.motif[regained] = PAYABLE, ""
        lost = (month.state == PAYABLE) & ~entitled[:, column]
        month.state[lost], month.motif[lost] = takeup.SUSPENDED, takeup.RESOURCES
        due[:, column] = np.where(month.state == PAYABLE, amounts[:, column], 0.0)
    return due


def dossiers(
    rng: Rng, story: Story, window: Window, rsa: list[Files], ppa: list[Files], due: dict[str, Array]
) -> pl.DataFrame:
    """The frame ``dossiers``: one row per household and month of the window."""
    phase, draw = phases(rsa, ppa), rng.random(window.households)
    majorated = rng.random(window.households) < 0.5
    months = [
        _dossiers_of_month(
            story, window, column, rsa[column], ppa[column], phase, draw, majorated
        ).with_columns(
            pl.Series("rsa_du", due["rsa"][window.alive[:, column], column]),
            pl.Series("ppa_due", due["ppa"][window.alive[:, column], column]),
        )
        for column in range(len(window.months))
    ]
    return shaped("dossiers", pl.concat(months))


def _dossiers_of_month(
    story: Story,
    window: Window,
    column: int,
    rsa: Files,
    ppa: Files,
    phase: Array,
    draw: Array,
    majorated: Array,
) -> pl.DataFrame:
    rows = np.flatnonzero(window.alive[:, column])
    place = window.place[rows, column]
    served = np.array([_caf(code) == HOME_CAF for code in story.population.places]) | story.population.crown
    leaving = (rsa.closing == MOVED_AWAY) | (ppa.closing == MOVED_AWAY)
    asked = (rsa.state != NO_FILE) | (ppa.state != NO_FILE)
    at_caf = (served[place] & (window.known[rows, column] | asked[rows]) | leaving[rows]) & ~window.farm[rows]
    lone = story.population.homes["kind"][rows] == LONE_PARENT
    codes = np.array([_caf(code) for code in story.population.places])
    natpf = np.where(rsa.state[rows] < PAYABLE, "", np.where(lone & majorated[rows], "RSI", "RSD"))
    columns = {
        "menage": rows,
        "mois": pl.repeat(window.months[column], len(rows), eager=True),
        "est_au_caf": at_caf,
        "caf_num": texts(np.where(served[place], HOME_CAF, codes[place])),
        "ressources_source": texts(
            np.where(at_caf | window.farm[rows], _source(window, column, rsa, ppa, draw)[rows], "")
        ),
        "dtr_phase": phase[rows, column],
        "fonorg": texts(np.where(window.farm[rows], "MSA", "CAF")),
        "rsa_etat": rsa.state[rows],
        "rsa_natpf": texts(natpf),
        "rsa_demande_le": np.where(rsa.state[rows] == NO_FILE, -1, rsa.requested[rows]),
        "rsa_motif": texts(np.where(_shows_motif(rsa), rsa.motif, "")[rows]),
        "rsa_motif_refus": texts(rsa.refusal[rows]),
        "rsa_motif_cloture": texts(rsa.closing[rows]),
        "ppa_etat": ppa.state[rows],
        "ppa_motif": texts(np.where(_shows_motif(ppa), ppa.motif, "")[rows]),
    }
    return _without_blanks(pl.DataFrame(columns))


def _shows_motif(files: Files) -> Array:
    return np.asarray(np.isin(files.state, (0, 3, 4)))


def _without_blanks(frame: pl.DataFrame) -> pl.DataFrame:
    states = [
        pl.when(pl.col(name) >= 0).then(pl.col(name).cast(pl.String)).alias(name)
        for name in ("rsa_etat", "ppa_etat")
    ]
    phase = pl.when(pl.col("dtr_phase") > 0).then("dtr_phase").alias("dtr_phase")
    return frame.with_columns(*states, phase, months_as_text("rsa_demande_le"))


def _source(window: Window, column: int, rsa: Files, ppa: Files, draw: Array) -> Array:
    """Where CAF has the incomes from (DTR, DRM, ANNUELLES, INCONNUES)."""
    facts = section("caf")
    housing, family = window.housing[:, column] > 0, window.family[:, column] > 0
    yearly = np.where(draw < facts["part_al_annuelle"], "ANNUELLES", "DRM")
    source = np.where(family & (draw >= facts["part_pf_mensuelle"]), "ANNUELLES", "DRM")
    source = np.where(housing, yearly, source)
    other = np.where(window.disabled[:, column], "DRM", "ANNUELLES")
    source = np.where(~housing & ~family, other, source)
    silent = (rsa.motif == takeup.DECLARATION_MISSING) & np.isin(rsa.state, takeup.OPEN)
    opened = rsa.is_open() | ppa.is_open() | (rsa.state == 0) | (ppa.state == 0)
    source = np.where(opened, np.where(silent & (draw < 0.7), "DRM", "DTR"), source)
    return np.asarray(np.where(draw > 1 - facts["part_dtr_inconnue"], "INCONNUES", source))
