"""Oppositions: who must not be delivered, found before anything leaves the partner."""

from dataclasses import dataclass

import polars as pl

from pipelines.source import normalise
from pipelines.source.nir import nir
from schemas import TABLES, Table

CONTACT = "CONTACT"
"""Who opposes contact only stays in the statistics; any other object is an opposition to processing."""

_PERSON_COLUMNS = ("personne_id", "enfant_id", "ouvrant_droit_id", "consentement_id")
_GROUP_COLUMNS = ("foyer_id", "dossier_id")


@dataclass(frozen=True)
class Opposed:
    """Clear ids, at the partner, of those who opposed. Printing it shows none.

    ``personnes``: ids whose every row is withheld; ``groupes``: households or files left without anybody.
    """

    personnes: frozenset[str]
    groupes: frozenset[str]

    def __repr__(self) -> str:
        return f"Opposed({len(self.personnes)} personnes, {len(self.groupes)} groupes)"

    def withheld(self, frame: pl.DataFrame, table: Table) -> pl.DataFrame:
        """The frame without the rows of those who opposed; oppositions themselves are delivered."""
        if table.name == "oppositions" or not (self.personnes or self.groupes):
            return frame
        named = [pl.col(c).is_in(list(self.personnes)) for c in _PERSON_COLUMNS if c in frame.columns]
        grouped = [pl.col(c).is_in(list(self.groupes)) for c in _GROUP_COLUMNS if c in frame.columns]
        return (
            frame.filter(~pl.any_horizontal([*named, *grouped]).fill_null(False))
            if named or grouped
            else frame
        )


_TO_PROCESSING = ~(pl.col("objet") == CONTACT).fill_null(False)

NOBODY = Opposed(frozenset(), frozenset())


def opposed(
    people: dict[str, pl.DataFrame], oppositions: pl.DataFrame, own: pl.DataFrame, mois: str
) -> Opposed:
    """Who, among the people of the identity tables, opposed.

    Matched on the partner's own id when the file gives one, on a valid NIR, or on name (birth or used), first
    given name and whole birth date. ``people`` are by table name, ``own`` has personne_id and objet. A
    consent is withheld for an opposition to contact as well.
    """
    processing = oppositions.filter(_TO_PROCESSING)
    found = set(own.filter(_TO_PROCESSING)["personne_id"])
    for name, frame in people.items():
        if name != "oppositions":
            against = oppositions if name == "consentements" else processing
            found |= _matching(frame, TABLES[name].key[0], against, mois)
    return Opposed(frozenset(found), _emptied_groups(people, found))


def _matching(frame: pl.DataFrame, id_column: str, oppositions: pl.DataFrame, mois: str) -> set[str]:
    persons, refused = _evidence(frame, mois, id_column), _evidence(oppositions, mois)
    signs = refused.select("signe").drop_nulls().unique()
    return set(persons.join(signs, on="signe", how="semi")[id_column].drop_nulls())


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
    kept = [pl.col(id_column)] if id_column else []
    return pl.concat([frame.select(*kept, signe=way) for way in ways])


def _emptied_groups(people: dict[str, pl.DataFrame], found: set[str]) -> frozenset[str]:
    emptied: set[str] = set()
    for frame in people.values():
        for column in _GROUP_COLUMNS:
            if column in frame.columns:
                gone = pl.col("personne_id").is_in(list(found))
                before = set(frame.filter(gone)[column].drop_nulls())
                emptied |= before - set(frame.filter(~gone)[column].drop_nulls())
    return frozenset(emptied)
