"""Oppositions: who must not be delivered, found before anything leaves the partner."""

from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from pipelines.identifiers.nir import nir
from pipelines.source import normalise
from schemas import Table

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

CONTACT = "CONTACT"
"""Who opposes contact only stays in the statistics; any other object is an opposition to processing."""

_PERSON_COLUMNS = ("personne_id", "enfant_id", "ouvrant_droit_id", "consentement_id")
_GROUP_COLUMNS = ("foyer_id", "dossier_id")


@dataclass(frozen=True)
class Opposed:
    """Keyed ids of those who opposed. Printing it shows none.

    ``personnes``: ids whose every row is withheld; ``groupes``: households or files left without anybody.
    """

    personnes: frozenset[str]
    groupes: frozenset[str]

    def __repr__(self) -> str:
        return f"Opposed({len(self.personnes)} personnes, {len(self.groupes)} groupes)"

    def withheld(self, frame: Frame, table: Table) -> Frame:
        """The rekeyed frame without the rows of those who opposed; oppositions themselves are delivered."""
        if table.name == "oppositions" or not (self.personnes or self.groupes):
            return frame
        columns = frame.collect_schema().names()
        opposed: list[pl.Expr] = [
            pl.col(column).is_in(list(ids))
            for names, ids in ((_PERSON_COLUMNS, self.personnes), (_GROUP_COLUMNS, self.groupes))
            for column in names
            if column in columns
        ]
        return frame.filter(~pl.any_horizontal(opposed).fill_null(False)) if opposed else frame


NOBODY = Opposed(frozenset(), frozenset())


def to_processing() -> pl.Expr:
    """True for an opposition to processing: whatever is not clearly one to contact only."""
    return ~(pl.col("objet") == CONTACT).fill_null(False)


def signs(oppositions: pl.DataFrame, table: Table, mois: str) -> pl.Series:
    """What recognises those who oppose the delivery of this table, in clear: lives in memory only.

    A consent is withheld for an opposition to contact as well.
    """
    against = oppositions if table.name == "consentements" else oppositions.filter(to_processing())
    return _evidence(against, mois)["signe"].drop_nulls().unique()


def recognised(frame: pl.DataFrame, id_column: str, refused: pl.Series, mois: str) -> set[str]:
    """The ids of the people of a frame who are recognised by a sign.

    Matched on a valid NIR, or on name (birth or used), first given name and whole birth date.
    """
    if refused.is_empty():
        return set()
    persons = _evidence(frame, mois, id_column)
    return set(persons.filter(pl.col("signe").is_in(refused.implode()))[id_column].drop_nulls())


def _evidence(frame: pl.DataFrame, mois: str, id_column: str | None = None) -> pl.DataFrame:
    """One row per way of recognising a person: NIR, birth name with first name and date, used name too."""
    name = normalise.names("nom_naissance", "nom_usage", "prenoms")
    born = normalise.birth("date_naissance", mois)
    ways = [
        pl.concat_str([normalise.compact(each), name.premier_prenom, born.date], separator="|")
        for each in (name.naissance, name.usage)
    ]
    if "nir" in frame.columns:
        number = nir("nir", sexe=pl.col("sexe"), annee=born.annee, mois=born.mois)
        ways.append(number.definitif)
    kept = [id_column] if id_column else []
    wide = frame.lazy().select(*kept, *(way.alias(f"signe_{n}") for n, way in enumerate(ways))).collect()
    return pl.concat([wide.select(*kept, signe=f"signe_{n}") for n in range(len(ways))])


def emptied_groups(people: list[pl.LazyFrame], found: frozenset[str]) -> frozenset[str]:
    """Households or files where everybody opposed, from the rekeyed tables that name people."""
    emptied: set[str] = set()
    for frame in people:
        columns = frame.collect_schema().names()
        for column in _GROUP_COLUMNS:
            if column in columns:
                emptied |= _emptied(frame, column, found)
    return frozenset(emptied)


def _emptied(frame: pl.LazyFrame, column: str, found: frozenset[str]) -> set[str]:
    gone = pl.col("personne_id").is_in(list(found))
    members = frame.select("personne_id", column)
    touched = members.filter(gone).select(column).drop_nulls().unique()
    left = members.filter(~gone).join(touched, on=column, how="semi").select(column).unique()
    return set(touched.join(left, on=column, how="anti").collect()[column])
