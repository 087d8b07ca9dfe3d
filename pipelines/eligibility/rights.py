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
from pipelines.eligibility.quarter import SHIFTED_QUARTER_SINCE, WINDOW, Quarter, quarter_of
from pipelines.eligibility.simulation import RIGHTS, amounts
from pipelines.eligibility.states import Motifs, doubts, obstacles

CHUNK: Final = 50_000
"""Households computed together: bounds the memory to about 1 GiB."""

RESULT: Final = {
    "menage_id": pl.String,
    "mois": pl.String,
    "droit": pl.String,
    "eligible": pl.String,
    "motif": pl.String,
    "montant_eur_mois": pl.Float64,
}


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
    inconnu, else null) and montant_eur_mois (euros per month: 0 when 'non', null when 'inconnu'), for every
    household present in a month. Raises :class:`LegalRefusal` for a month whose scale is unknown.
    """
    for month in mois:
        check_legislation_known(month)
    law = Options(trimestre_decale_depuis, agricole_inclus)
    units = _units(menages, mois)
    chunks = _chunks(menages, _with_options(personnes), prestations, _with_stoppages(ressources), units)
    results = [frame for observed, part in chunks for frame in _results(observed, part, law)]
    return _shaped(units, pl.concat(results) if results else None)


def _units(menages: pl.DataFrame, mois: list[str]) -> pl.DataFrame:
    """One row per household and month: the first month of the quarter it holds, and the scale it follows."""
    months = {month_number(month): month for month in mois}
    rows = menages.filter(pl.col("mois").is_in(mois)).select(
        "menage_id", "mois", _month=month_numbers("mois"), _phase=pl.col("dtr_phase").cast(pl.Int32)
    )
    calendar_phase = pl.col("_month") % 3 + 1
    rows = rows.with_columns(_first=pl.col("_month") - (pl.coalesce("_phase", calendar_phase) - 1))
    pairs = rows.select("_first", "_month").unique()
    scales = [
        month_number(scale_month(month_of_number(first), months[month])) for first, month in pairs.iter_rows()
    ]
    return rows.join(pairs.with_columns(_scale=pl.Series(scales, dtype=pl.Int32)), on=["_first", "_month"])


def _chunks(
    menages: pl.DataFrame,
    personnes: pl.DataFrame,
    prestations: pl.DataFrame,
    ressources: pl.DataFrame,
    units: pl.DataFrame,
) -> Iterator[tuple[Observed, pl.DataFrame]]:
    """Arrays and units of at most CHUNK households at a time."""
    ids = units.select("menage_id").unique().sort("menage_id")
    firsts = units["_first"].to_list() or [0]
    start = min(firsts) - WINDOW + 1
    months = max(firsts) - start + 1
    if ids.height <= CHUNK:
        yield observe(menages, personnes, prestations, ressources, start, months), units
        return
    for part in ids.iter_slices(CHUNK):
        inside = personnes.join(part, on="menage_id", how="semi")
        who = inside.select("personne_id").unique()
        yield (
            observe(
                menages.join(part, on="menage_id", how="semi"),
                inside,
                prestations.join(who, on="personne_id", how="semi"),
                ressources.join(who, on="personne_id", how="semi"),
                start,
                months,
            ),
            units.join(part, on="menage_id", how="semi"),
        )


def _results(observed: Observed, units: pl.DataFrame, law: Options) -> Iterator[pl.DataFrame]:
    """Results of a chunk, one frame per first month, scale and right."""
    positions = pl.DataFrame({"menage_id": observed.households.ids}).with_row_index("_h")
    wanted = units.select("menage_id", "_first", "_scale").unique().join(positions, on="menage_id")
    for (first, scale), part in wanted.group_by("_first", "_scale", maintain_order=False):
        households = part["_h"].sort().to_numpy().astype(np.int32)
        yield _rights(observed, households, (int(str(first)), int(str(scale))), law)


def _rights(observed: Observed, households: Ints, months: tuple[int, int], law: Options) -> pl.DataFrame:
    first, scale = (month_of_number(number) for number in months)
    quarter = quarter_of(observed, households, first, scale, law.trimestre_decale_depuis)
    obstacle = obstacles(quarter)
    possible = quarter.only(obstacle == "")
    known = amounts(possible) if len(possible.households) else {}
    doubt = doubts(possible, law.agricole_inclus)
    frames = [
        _states(quarter, obstacle, known.get(right), doubt[right]).with_columns(droit=pl.lit(right))
        for right in RIGHTS
    ]
    return pl.concat(frames).with_columns(
        _first=pl.lit(months[0], pl.Int32), _scale=pl.lit(months[1], pl.Int32)
    )


def _states(
    quarter: Quarter, obstacle: Motifs, known: NDArray[np.float64] | None, doubt: Motifs
) -> pl.DataFrame:
    """State of each household: unknown when not simulated, or when a positive result is in doubt."""
    amount = np.full(len(obstacle), np.nan)
    motif = obstacle.astype("U40")
    possible = obstacle == ""
    if known is not None:
        amount[possible] = known
        motif[possible] = np.where(known > 0, doubt, "")
    unknown = motif != ""
    state = np.select([unknown, amount > 0], ["inconnu", "oui"], "non")
    return pl.DataFrame(
        {
            "menage_id": quarter.dwellings.ids.gather(quarter.households),
            "eligible": state,
            "motif": motif,
            "montant_eur_mois": np.where(unknown, np.nan, amount),
        }
    ).with_columns(
        motif=pl.col("motif").replace("", None), montant_eur_mois=pl.col("montant_eur_mois").fill_nan(None)
    )


def _shaped(units: pl.DataFrame, results: pl.DataFrame | None) -> pl.DataFrame:
    if results is None:
        return pl.DataFrame(schema=RESULT)
    held = units.join(results, on=["menage_id", "_first", "_scale"])
    return held.select(pl.col(name).cast(kind) for name, kind in RESULT.items()).sort(
        "menage_id", "mois", "droit"
    )


def _with_options(personnes: pl.DataFrame) -> pl.DataFrame:
    if "rsa_jeune_heures" in personnes.columns:
        return personnes
    return personnes.with_columns(rsa_jeune_heures=pl.lit(None, pl.Int8))


def _with_stoppages(ressources: pl.DataFrame) -> pl.DataFrame:
    if "arret_debut" in ressources.columns:
        return ressources
    return ressources.with_columns(arret_debut=pl.lit(None, pl.String))
