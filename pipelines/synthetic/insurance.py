"""The health insurer's side: who has the complémentaire santé solidaire, and who is in no file."""

import numpy as np
import polars as pl

from pipelines.calendar import month_number
from pipelines.synthetic.files import Window
from pipelines.synthetic.frames import KEY
from pipelines.synthetic.margins import Array, Rng, dated, section
from pipelines.synthetic.population import NOBODY
from pipelines.synthetic.story import Story, months_as_text, shaped
from pipelines.synthetic.takeup import PAYABLE, Files

BEGAN_WITHIN = 12
"""C2S is granted for twelve months and renewed."""


def c2s(
    rng: Rng, story: Story, window: Window, rsa: list[Files], prone: Array, months: list[str]
) -> pl.DataFrame:
    """The frame ``c2s`` for the delivered months, every living person of a household.

    ``prone``: one uniform per household, below the take-up rate those who ask.
    """
    began = rng.integers(0, BEGAN_WITHIN, window.households)
    frames = []
    for month in months:
        paid_rsa = rsa[window.months.index(month)].state == PAYABLE
        level = _level(story, month, paid_rsa, prone)
        frames.append(_month(story, month, level, began))
    return shaped("c2s", pl.concat(frames))


def _level(story: Story, month: str, paid_rsa: Array, prone: Array) -> Array:
    """0 without, 1 free, 2 with participation, per household."""
    facts, number = section("assurance"), month_number(month)
    home, _ = story.whereabouts[number - story.first]
    persons = np.bincount(home[home >= 0], minlength=len(prone)).clip(1, 5) - 1
    ceiling = dated(facts["plafond_seul"], number) * np.array(facts["plafond_par_personne"])[persons]
    resources = story.population.homes["average"] + _other_benefits(
        story, number - story.first, home, len(prone)
    )
    free = (resources <= ceiling) & (prone < facts["recours_gratuite"])
    near = (resources > ceiling) & (resources <= ceiling * facts["participation"])
    level = np.where(free, 1, np.where(near & (prone < facts["recours_participation"]), 2, 0))
    return np.where(paid_rsa & (prone < facts["recours_si_rsa"]), 1, level)


def _other_benefits(story: Story, t: int, home: Array, size: int) -> Array:
    """AAH, ASS and ASI of each household in month ``t`` of the story, euros: they count for the C2S."""
    paid = story.benefits[t]
    euros = paid.select(pl.sum_horizontal("aah", "ass", "asi")).to_series().to_numpy()
    return np.bincount(home[paid["personne"].to_numpy()], weights=euros, minlength=size)


def _month(story: Story, month: str, level: Array, began: Array) -> pl.DataFrame:
    number = month_number(month)
    home, _ = story.whereabouts[number - story.first]
    person = np.flatnonzero(home >= 0)
    household = home[person]
    covered = level[household] > 0
    columns = {
        "personne": person,
        "mois": pl.repeat(month, len(person), eager=True),
        "c2s": level[household],
        "c2s_debut": np.where(covered, month_number(month) - began[household], NOBODY),
        "c2s_fin": np.full(len(person), NOBODY),
        "foyer_c2s": household,
    }
    frame = pl.DataFrame(columns).with_columns(months_as_text("c2s_debut"), months_as_text("c2s_fin"))
    return frame.with_columns(foyer_c2s=pl.when(pl.col("c2s") > 0).then("foyer_c2s"))


def unseen(rng: Rng, story: Story, hidden: Array) -> pl.DataFrame:
    """The frame ``sans_assurance``: persons no insurer knows, oftener where CAF knows nobody (``hidden``)."""
    facts = section("assurance")
    chance = np.where(hidden, facts["part_absents_hors_caf_eligibles"], facts["part_absents"])
    absent = rng.random(len(hidden)) < chance
    home, _ = story.whereabouts[-1]
    person = np.flatnonzero((home >= 0) & absent[home])
    return pl.DataFrame({"personne": person}, schema={"personne": KEY})
