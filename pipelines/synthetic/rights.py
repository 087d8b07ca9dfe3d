"""What the law grants each household, asked of ``pipelines.eligibility``: the truth is the real law."""

import polars as pl

from pipelines.eligibility import simulate
from pipelines.synthetic.frames import KEY
from pipelines.synthetic.story import Story, membership

IDS = {"menage": "menage_id", "personne": "personne_id"}


def rights(story: Story, months: list[str], held: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rights of the households for ``months``: menage, mois, droit, eligible, motif, montant_eur_mois.

    ``held`` gives menage, mois, dtr_phase (null: the calendar quarter) of the households to compute. Without it
    every household is computed, each month as if a quarter began there.
    """
    homes = pl.concat(story.homes)
    if held is None:
        homes = homes.with_columns(dtr_phase=pl.lit(1, pl.Int8))
    else:
        homes = homes.join(held.select("menage").unique(), on="menage", how="semi")
        homes = homes.join(held, on=["menage", "mois"], how="left")
    members = _members(story).join(homes.select("menage").unique(), on="menage", how="semi")
    found = simulate(
        _keyed(homes),
        _keyed(members),
        _keyed(pl.concat(story.benefits)),
        _keyed(pl.concat(story.resources)),
        months,
        agricole_inclus=True,
    )
    return found.rename({"menage_id": "menage"}).with_columns(pl.col("menage").cast(KEY))


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    names = {old: new for old, new in IDS.items() if old in frame.columns}
    return frame.rename(names).with_columns(pl.col(name).cast(pl.String) for name in names.values())


def _members(story: Story) -> pl.DataFrame:
    """Members with what an extract says of them: birth, sex, nationality, state at the last month."""
    people = story.population.people
    persons = pl.DataFrame({name: people[name] for name in ("sexe", "birth", "nati")}).with_row_index("personne")
    births = persons.select(
        pl.col("personne").cast(KEY),
        "sexe",
        "nati",
        naissance_annee=(pl.col("birth") // 12).cast(pl.Int32),
        naissance_mois=(pl.col("birth") % 12 + 1).cast(pl.Int8),
    )
    states = pl.concat(story.states).unique("personne", keep="last", maintain_order=True)
    known = states.select("personne", "act", "etudiant", "enceinte")
    return membership(story).join(births, on="personne").join(known, on="personne", how="left")
