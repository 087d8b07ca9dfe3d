"""The intersection attack: all the tokens of one record read together.

The attacker knows the names of everybody of each class (sex, birth year, commune). Records that share a token
with this one must, each in its own class, be able to bear what that token binds: candidates who cannot be
followed from column to column fall. The guess is the likeliest person of the class, all columns together.
"""

from dataclasses import dataclass

import polars as pl

from bench.appariement.frequences import Knowledge, Named, expected_of, scores, share

IMPOSSIBLE = -9.0
"""Log-likelihood of a candidate whose value the other records of the token cannot bear."""
PERSON = ("nom", "prenom", "lieu")


@dataclass(frozen=True)
class Column:
    """One column of tokens and the part of the person it speaks of: ``nom``, ``prenom`` or ``lieu``."""

    jetons: pl.Series
    champ: str


def attack(people: pl.DataFrame, columns: list[Column], sondes: int, graine: int) -> Named:
    """Share of probed records whose name *and* first name are both right.

    ``people``: classe, annee, nom, prenom, lieu, one row per person and per token.
    """
    records = people.with_row_index("rang").cast({"rang": pl.Int64})
    probed = records.drop_nulls(["nom", "prenom"]).sample(min(sondes, people.height), seed=graine)
    candidates = _candidates(people, probed)
    for column in columns:
        candidates = candidates.with_columns(
            score=pl.col("score") + _evidence(records, probed, candidates, column)
        )
    with_tokens, without = (_best(candidates, by) for by in ("score", "seul"))
    truth = probed.select("rang", vrai=pl.struct("nom", "prenom"))
    return Named(_share(truth, with_tokens), _share(truth, without), probed.height)


def _candidates(people: pl.DataFrame, probed: pl.DataFrame) -> pl.DataFrame:
    """rang, nom, prenom, lieu, seul, score: the different persons of the class of each probed record."""
    counts = people.group_by("classe", *PERSON).agg(n=pl.len().cast(pl.Float64))
    met = probed.select("rang", "classe").join(counts, on="classe")
    return met.select("rang", "classe", *PERSON, seul=pl.col("n").log(), score=pl.col("n").log())


def _evidence(
    records: pl.DataFrame, probed: pl.DataFrame, candidates: pl.DataFrame, column: Column
) -> pl.Series:
    """What the other records of the same token say of each candidate."""
    known = Knowledge.of(records[column.champ], records["classe"], records["annee"])
    tokens = records.select("rang", "classe", "annee", jeton=column.jetons).drop_nulls("jeton")
    mine = tokens.join(probed.select("rang"), on="rang", how="semi")
    members = tokens.join(mine.select("jeton").unique(), on="jeton", how="semi")
    told = scores(members, known, expected_of(tokens, known)).rename({"valeur": column.champ})
    own = known.counts.select("classe", pl.col("valeur").alias(column.champ), seul_champ=pl.col("n").log())
    placed = (
        candidates.select("rang", "classe", column.champ)
        .join(mine.select("rang", "jeton"), on="rang", how="left", maintain_order="left")
        .join(told, on=["jeton", column.champ], how="left", maintain_order="left")
        .join(own, on=["classe", column.champ], how="left", maintain_order="left")
    )
    others = pl.col("score") - pl.col("seul_champ")
    return placed.select(
        pl.when(pl.col("jeton").is_null()).then(0.0).otherwise(others).fill_null(-9.0)
    ).to_series()


def _best(candidates: pl.DataFrame, by: str) -> pl.DataFrame:
    ranked = candidates.sort("rang", by, "nom", "prenom", descending=[False, True, False, False])
    return ranked.group_by("rang", maintain_order=True).agg(lu=pl.struct("nom", "prenom").first())


def _share(truth: pl.DataFrame, read: pl.DataFrame) -> float:
    judged = truth.join(read, on="rang", how="left")
    return share(judged["vrai"] == judged["lu"])
