"""From scored pairs to persons: best links between the partners, each consent to one person or none."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.linkage.chains import Ranks, best_links
from pipelines.linkage.scoring import linkable, weight
from pipelines.linkage.sources import SOURCES

CLOSE_WEIGHTS = 10.0
"""Bits: two persons whose weights for one consent differ by less are two candidates, and it is not linked."""
KEPT_PROBABILITY = 0.01
"""Pairs below this probability are not kept in ``core__paires``."""

_CONSENTS = "cellule"
_ORDER = [source.nom for source in SOURCES]


@dataclass(frozen=True)
class Persons:
    """``personne``: smallest record of each record's person. ``ambigus``: fiche, n_candidats, ecart_poids."""

    personne: Ranks
    ambigus: pl.DataFrame


def gather(pairs: pl.DataFrame, source_of: pl.Series, threshold: float, by: str = "poids") -> Persons:
    """Make persons of records: links of probability ``threshold`` or more, at most one record per source.

    ``pairs``: scored pairs between sources, ``by`` the weight used. ``source_of``: source of each record.
    Consents come last: one with two close candidates is left alone.
    """
    least = weight(threshold)
    numbers = source_of.replace_strict(_ORDER, list(range(len(_ORDER))), return_dtype=pl.Int64).to_numpy()
    with_consent = pl.col("source_g").eq(_CONSENTS) | pl.col("source_d").eq(_CONSENTS)
    links = linkable(pairs.filter(~with_consent), by, least)
    person = best_links(links.select("gauche", "droite", poids=by), numbers)
    candidates = _candidates(linkable(pairs.filter(with_consent), by, -np.inf), person, by)
    attached = candidates.filter((pl.col("ecart_poids") >= CLOSE_WEIGHTS) & (pl.col("meilleur") >= least))
    person[attached["fiche"].to_numpy()] = attached["personne"].to_numpy()
    return Persons(person, _ambiguous(candidates, least))


def _candidates(pairs: pl.DataFrame, person: Ranks, by: str) -> pl.DataFrame:
    """For each consent: its best person, that weight, the lead over the second, how many are close."""
    consent_left = pl.col("source_g") == _CONSENTS
    candidates = pairs.select(
        fiche=pl.when(consent_left).then("gauche").otherwise("droite"),
        autre=pl.when(consent_left).then("droite").otherwise("gauche"),
        poids=by,
    )
    candidates = candidates.with_columns(
        personne=pl.Series(person[candidates["autre"].to_numpy()], dtype=pl.Int64)
    )
    by_person = candidates.group_by("fiche", "personne").agg(pl.col("poids").max())
    ranked = by_person.sort("fiche", "poids", "personne", descending=[False, True, False])
    close = pl.col("poids") > pl.col("poids").first() - CLOSE_WEIGHTS
    return ranked.group_by("fiche", maintain_order=True).agg(
        personne=pl.col("personne").first(),
        meilleur=pl.col("poids").first(),
        ecart_poids=(pl.col("poids").first() - pl.col("poids").get(1, null_on_oob=True)).fill_null(np.inf),
        n_candidats=close.sum().cast(pl.Int64),
    )


def _ambiguous(candidates: pl.DataFrame, least: float) -> pl.DataFrame:
    rows = candidates.filter((pl.col("ecart_poids") < CLOSE_WEIGHTS) & (pl.col("meilleur") >= least))
    return rows.select("fiche", "n_candidats", "ecart_poids")


def linked_persons(everyone: pl.DataFrame, pairs: pl.DataFrame, persons: Persons) -> pl.DataFrame:
    """``core__personnes_liees``: personne_uid, source, personne_id, poids (bits; null for the anchor).

    Persons are numbered from 1 in the order of their anchor: same inputs, same numbers.
    """
    attached = _attaching_weights(pairs, persons.personne)
    records = pl.DataFrame({"personne": persons.personne}).with_row_index("fiche").cast(pl.Int64)
    records = records.join(attached, on="fiche", how="left", maintain_order="left").with_columns(
        poids=pl.when(pl.col("fiche") == pl.col("personne")).then(None).otherwise("poids"),
    )
    linked = everyone.join(records, on="fiche", how="left", maintain_order="left").with_columns(
        personne_uid=pl.col("personne").rank("dense").cast(pl.Int64)
    )
    return linked.select("personne_uid", "source", "personne_id", "poids").sort(
        "personne_uid", "source", "personne_id"
    )


def _attaching_weights(pairs: pl.DataFrame, person: Ranks) -> pl.DataFrame:
    kept = pairs.filter(_in_one_person(pairs, person))
    ends = [kept.select(pl.col(side).alias("fiche"), "poids") for side in ("gauche", "droite")]
    return pl.concat(ends).group_by("fiche").agg(pl.col("poids").max())


def _in_one_person(pairs: pl.DataFrame, person: Ranks) -> pl.Series:
    return pl.Series(
        person[pairs["gauche"].to_numpy()] == person[pairs["droite"].to_numpy()], dtype=pl.Boolean
    )


def kept_pairs(
    everyone: pl.DataFrame, pairs: pl.DataFrame, persons: Persons, threshold: float
) -> pl.DataFrame:
    """``core__paires``: the compared pairs worth showing, and whether each one is inside a person."""
    ids = everyone.unique("fiche", keep="first", maintain_order=True).select("fiche", "personne_id")
    retained = _in_one_person(pairs, persons.personne) & (pairs["probabilite"] >= threshold)
    shown = pairs.with_columns(est_retenue=retained).filter(pl.col("probabilite") >= KEPT_PROBABILITY)
    for number, name in (("gauche", "personne_id_g"), ("droite", "personne_id_d")):
        shown = shown.join(
            ids.rename({"fiche": number, "personne_id": name}), on=number, maintain_order="left"
        )
    columns = "source_g personne_id_g source_d personne_id_d poids probabilite motif regle est_retenue"
    return shown.select(columns.split())
