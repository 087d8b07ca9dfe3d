"""A whole invented territory: its people, their incomes, their rights by the law, their files."""

from typing import Any

import numpy as np
import polars as pl

from pipelines.calendar import WINDOW_MONTHS, month_number, months_between, shift
from pipelines.synthetic import insurance
from pipelines.synthetic.files import Window, dossiers, look, matrices, pay, phases, surroundings
from pipelines.synthetic.frames import World
from pipelines.synthetic.margins import Rng
from pipelines.synthetic.rates import true_rates
from pipelines.synthetic.rights import Law
from pipelines.synthetic.story import Story, access_distance, membership, persons, shaped, tell, unions
from pipelines.synthetic.takeup import Files, take_up
from pipelines.territory import Territory

__all__ = ["World", "build_world", "true_rates"]

MONTHS_OF_INCOMES_BEFORE = 9
"""Incomes known before the first month of right (the law looks at M-4..M, daily allowances further)."""

RIGHTS = ("rsa", "ppa")

MONTHS_OF_OWN_QUARTERS = 12
"""Last months whose rights follow each household's own quarter, enough for three quarters of any phase; the
calendar quarter stands for it before."""


def build_world(rng: Rng, territoire: Territory, habitants: int, mois_debut: str, mois_fin: str) -> World:
    """Invent the territory and everything that is true of it.

    ``mois_debut``..``mois_fin`` (AAAA-MM) are the delivered months; the files go back to ``mois_debut`` - 23
    and the incomes nine months further. ``habitants`` scales the territory (500 to 100 000) in proportion to
    the population of its communes; its crown follows. Same generator state, same frames.
    """
    first = shift(mois_debut, 1 - WINDOW_MONTHS)
    story = tell(rng, territoire, habitants, shift(first, -MONTHS_OF_INCOMES_BEFORE), mois_fin)
    window = look(story, months_between(first, mois_fin))
    prone = rng.random(window.households)
    law = Law(story)
    rights = law.calendar_rights(window.months)
    files = _take_up(rng, story, window, access_distance(story, territoire), prone, rights)
    rights = _with_held_quarters(law, window, files, rights)
    due = {droit: pay(files[droit], *matrices(window, rights, droit)) for droit in RIGHTS}
    return World(
        personnes=persons(story),
        unions=unions(story),
        membres=membership(story),
        menages_mois=pl.concat(story.homes),
        etats=pl.concat(story.states),
        prestations=pl.concat(story.benefits),
        ressources=pl.concat(story.resources).sort("personne", "mois", "natress"),
        droits=shaped("droits", rights.sort("menage", "mois", "droit")),
        dossiers=dossiers(rng, story, window, files["rsa"], files["ppa"], due),
        c2s=insurance.c2s(rng, story, window, files["rsa"], prone, months_between(mois_debut, mois_fin)),
        sans_assurance=insurance.unseen(rng, story, _hidden(window, files)),
    )


def _take_up(
    rng: Rng, story: Story, window: Window, distance: Any, prone: Any, rights: pl.DataFrame
) -> dict[str, list[Files]]:
    """Files of both rights; who asks for one more often asks for the other."""
    around = surroundings(story, window, distance, prone < 0.5)
    first, draw = month_number(window.months[0]), rng.random(window.households)
    same = rng.random(window.households) < 0.45
    draws = {"rsa": draw, "ppa": np.where(same, draw, rng.random(window.households))}
    return {
        droit: take_up(rng, around, *matrices(window, rights, droit), droit, draws[droit], first)
        for droit in RIGHTS
    }


def _with_held_quarters(
    law: Law, window: Window, files: dict[str, list[Files]], rights: pl.DataFrame
) -> pl.DataFrame:
    """Replace the calendar quarter by the household's own where a file is open in another phase."""
    phase = phases(files["rsa"], files["ppa"])
    calendar = np.array([month_number(month) % 3 + 1 for month in window.months])
    recent = np.arange(len(window.months)) >= len(window.months) - MONTHS_OF_OWN_QUARTERS
    household, column = np.nonzero((phase > 0) & (phase != calendar) & window.alive & recent)
    if not len(household):
        return rights
    own = pl.DataFrame(
        {
            "menage": household,
            "mois": np.array(window.months)[column],
            "dtr_phase": phase[household, column],
        },
        schema={"menage": pl.Int64, "mois": pl.String, "dtr_phase": pl.Int8},
    )
    held = law.held_rights(own)
    kept = rights.join(held, on=["menage", "mois", "droit"], how="anti")
    return pl.concat([kept, held.select(kept.columns)])


def _hidden(window: Window, files: dict[str, list[Files]]) -> Any:
    """Households of the last month that no file of CAF knows."""
    asked = (files["rsa"][-1].state >= 0) | (files["ppa"][-1].state >= 0)
    return ~window.known[:, -1] & ~asked
