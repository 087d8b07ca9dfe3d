"""RSA and PPA of many households, month by month, each holding the right of its own quarter."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.calendar import month_number, month_of_number
from pipelines.eligibility.legislation import check_legislation_known, scale_month
from pipelines.eligibility.observed import Ints, Observed, month_numbers, observe
from pipelines.eligibility.quarter import SHIFTED_QUARTER_SINCE, WINDOW, quarter_of
from pipelines.eligibility.simulation import RESOURCES, RIGHTS, amounts
from pipelines.eligibility.states import MOTIFS, Motifs, doubts, obstacles

CHUNK: Final = 50_000
"""Households computed together: bounds the memory to about 1 GiB."""

RESULT: Final = {
    "menage_id": pl.String,
    "mois": pl.String,
    "droit": pl.String,
    "eligible": pl.String,
    "motif": pl.String,
    "montant_eur_mois": pl.Float64,
    RESOURCES: pl.Float64,
}


DROITS: Final = pl.Enum(sorted(RIGHTS))


@dataclass(frozen=True)
class Options:
    """What may differ from one body to another."""

    trimestre_decale_depuis: str
    agricole_inclus: bool


def simulate(
    menages: pl.DataFrame,
    personnes: pl.DataFrame,
    prestations: pl.DataFrame,
    ressources: pl.DataFrame,
    mois: list[str],
    *,
    trimestre_decale_depuis: str = SHIFTED_QUARTER_SINCE,
    agricole_inclus: bool = False,
) -> pl.DataFrame:
    """Rights of the households for the months ``mois`` (AAAA-MM).

    Frames are shaped like caf_foyers, caf_personnes (both with ``menage_id`` for foyer_id),
    caf_prestations_personnes and caf_ressources (``arret_debut`` optional, as in cpam_ressources), persons
    with ``naissance_annee`` and ``naissance_mois`` (null when the year is that of a class of ages).
    ``rsa_jeune_heures`` (0, 1, null) is optional on persons: the work history of the under 25s, when somebody
    knows it.
    ``trimestre_decale_depuis``: first month of right whose reference quarter is M-4..M-2.
    ``agricole_inclus``: the MSA takes part, farmers are in the field of the PPA.

    Returns menage_id, mois, droit ('rsa', 'ppa'), eligible ('oui', 'non', 'inconnu'), motif (code when
    inconnu, else null), montant_eur_mois (euros per month: 0 when 'non', null when 'inconnu') and
    ressources_sur_seuil (resources counted by the RSA over its flat amount; null for the PPA and when not
    simulated), for every household present in a month. Raises :class:`LegalRefusal` for a month whose scale
    is unknown.
    """
    for month in mois:
        check_legislation_known(month)
    law = Options(trimestre_decale_depuis, agricole_inclus)
    ids, units = _units(menages, mois)
    chunks = _chunks(menages, _with_options(personnes), prestations, _with_stoppages(ressources), ids, units)
    results = [frame for observed, part in chunks for frame in _results(observed, part, law)]
    return _shaped(ids, units, pl.concat(results)) if results else pl.DataFrame(schema=RESULT)


def _units(menages: pl.DataFrame, mois: list[str]) -> tuple[pl.Series, pl.DataFrame]:
    """The households present, sorted, and one row per household (its rank) and month.

    A row holds the first month of the quarter the household is in, and the month of the scale it follows.
    """
    months = {month_number(month): month for month in mois}
    rows = menages.filter(pl.col("mois").is_in(mois)).select(
        "menage_id", _month=month_numbers("mois"), _phase=pl.col("dtr_phase").cast(pl.Int32)
    )
    ids = rows.select(pl.col("menage_id").unique().sort()).with_row_index("_h")
    calendar_phase = pl.col("_month") % 3 + 1
    rows = rows.join(ids, on="menage_id").select(
        "_h", "_month", _first=pl.col("_month") - (pl.coalesce("_phase", calendar_phase) - 1)
    )
    pairs = rows.select("_first", "_month").unique()
    scales = [
        month_number(scale_month(month_of_number(first), months[month])) for first, month in pairs.iter_rows()
    ]
    pairs = pairs.with_columns(_scale=pl.Series(scales, dtype=pl.Int32))
    return ids["menage_id"], rows.join(pairs, on=["_first", "_month"])


def _chunks(
    menages: pl.DataFrame,
    personnes: pl.DataFrame,
    prestations: pl.DataFrame,
    ressources: pl.DataFrame,
    ids: pl.Series,
    units: pl.DataFrame,
) -> Iterator[tuple[Observed, pl.DataFrame]]:
    """Arrays and units of at most CHUNK households at a time; a unit still holds the rank among all."""
    firsts = units["_first"].to_list() or [0]
    start = min(firsts) - WINDOW + 1
    months = max(firsts) - start + 1
    for offset in range(0, len(ids), CHUNK):
        part = units.filter(pl.col("_h").is_between(offset, offset + CHUNK - 1))
        homes = ids.slice(offset, CHUNK)
        yield observe(homes, menages, personnes, prestations, ressources, start, months), part


def _results(observed: Observed, units: pl.DataFrame, law: Options) -> Iterator[pl.DataFrame]:
    """Results of a chunk, one frame per first month, scale and right."""
    wanted = units.select("_h", "_first", "_scale").unique().sort("_first", "_scale", "_h")
    offset = units["_h"].min()
    for (first, scale), part in wanted.group_by("_first", "_scale", maintain_order=True):
        households = (part["_h"] - offset).to_numpy().astype(np.int32)
        for result in _rights(observed, households, (int(str(first)), int(str(scale))), law):
            yield part.hstack(result)


def _rights(
    observed: Observed, households: Ints, months: tuple[int, int], law: Options
) -> Iterator[pl.DataFrame]:
    first, scale = (month_of_number(number) for number in months)
    quarter = quarter_of(observed, households, first, scale, law.trimestre_decale_depuis)
    obstacle = obstacles(quarter)
    possible = quarter.only(obstacle == 0)
    known = (
        amounts(possible) if len(possible.households) else dict.fromkeys((*RIGHTS, RESOURCES), np.zeros(0))
    )
    doubt = doubts(possible, law.agricole_inclus)
    for right in RIGHTS:
        share = np.full(len(obstacle), np.nan)
        share[obstacle == 0] = known[RESOURCES] if right == "rsa" else np.nan
        state = _states(obstacle, known[right], doubt[right])
        yield state.with_columns(pl.Series(RESOURCES, share), _droit=pl.lit(right, DROITS))


def _states(obstacle: Motifs, known: NDArray[np.float64], doubt: Motifs) -> pl.DataFrame:
    """Amount and reason of each household: unknown when not simulated, or positive and in doubt."""
    amount, motif = np.full(len(obstacle), np.nan), obstacle.copy()
    possible = obstacle == 0
    amount[possible] = known
    motif[possible] = np.where(known > 0, doubt, 0)
    amount[motif > 0] = np.nan
    return pl.DataFrame({"_motif": motif, "montant_eur_mois": amount})


def _shaped(ids: pl.Series, units: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    held = units.join(results, on=["_h", "_first", "_scale"]).sort("_h", "_month", "_droit")
    reasons = pl.Series(MOTIFS).replace("", None)
    months = {number: month_of_number(number) for number in held["_month"].unique()}
    unknown, paid = pl.col("_motif") > 0, pl.col("montant_eur_mois") > 0
    return held.select(
        menage_id=ids.gather(held["_h"]),
        mois=pl.col("_month").replace_strict(months, return_dtype=pl.String),
        droit=pl.col("_droit").cast(pl.String),
        eligible=pl.when(unknown)
        .then(pl.lit("inconnu"))
        .when(paid)
        .then(pl.lit("oui"))
        .otherwise(pl.lit("non")),
        motif=reasons.gather(held["_motif"]),
        montant_eur_mois=pl.col("montant_eur_mois").fill_nan(None),
        ressources_sur_seuil=pl.col(RESOURCES).fill_nan(None),
    )


def _with_options(personnes: pl.DataFrame) -> pl.DataFrame:
    if "rsa_jeune_heures" in personnes.columns:
        return personnes
    return personnes.with_columns(rsa_jeune_heures=pl.lit(None, pl.Int8))


def _with_stoppages(ressources: pl.DataFrame) -> pl.DataFrame:
    if "arret_debut" in ressources.columns:
        return ressources
    return ressources.with_columns(arret_debut=pl.lit(None, pl.String))
