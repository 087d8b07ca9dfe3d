"""The draw: three volets in two partners' files; being drawn tells a partner nothing it does not know.

Strata are made of what the partner knows of its own records (age, commune; C2S at the CPAM, paid or not at
the CAF). Neither the link nor the simulated entitlement changes the chances of a record. One adult per
household.
"""

from typing import Any

import numpy as np
import polars as pl

from pipelines.calendar import check_month, month_number, shift
from pipelines.files import whole_file
from pipelines.refusals import Refusal
from pipelines.sampling.allocation import allocate
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import WAREHOUSE_TABLES, empty_table

SAMPLE, ANSWERED = "meta__echantillon", "meta__echantillon_reponses"
PARTNERS = ("cpam", "caf")
HANDED_OVER = ("echantillon_id", "personne_id")
"""All that a partner receives."""

REST_MONTHS = 12
"""A person drawn is left alone for a year, at every partner."""

SMALL_ZONE = 0.05
"""Groupings of communes with a smaller share of the households are drawn together."""

_AGES = ("moins de 50 ans", "50 à 64 ans", "65 ans et plus")
_PERSON = ["menage_base_id", "personne_id"]


def draw(
    warehouse: Warehouse, settings: Settings, mois: str | None, taille: int, graine: int | None = None
) -> dict[str, Any]:
    """Draw ``taille`` households at each of CPAM and CAF on the state of ``mois``; hand over one file each.

    ``mois``: by default, the last month estimated. Writes ``meta__echantillon`` and
    ``<echantillons>/<tirage>/<partenaire>.csv`` (0600). The caller opens the transaction. Returns counts by
    partner. Raises :class:`Refusal` before the first estimate of ``mois``, or when nobody is left to draw.
    """
    mois = _estimated_month(warehouse, mois)
    prepare(warehouse)
    mark, number = _next_mark(warehouse, mois)
    seed = settings.estimation.graine if graine is None else graine
    generator = np.random.default_rng([seed, month_number(mois), number])
    counts: dict[str, Any] = {"tirage": mark}
    for partner in PARTNERS:
        drawn, seen = _draw_partner(warehouse, partner, mois, taille, generator)
        numbered = _numbered(drawn, mark, partner, generator)
        rows = numbered.with_columns(tirage=pl.lit(mark), mois=pl.lit(mois), partenaire=pl.lit(partner))
        warehouse.append(SAMPLE, rows.select(WAREHOUSE_TABLES[SAMPLE].columns))
        counts[partner] = seen | {"fichier": _hand_over(settings, mark, partner, numbered)}
    return counts


def prepare(warehouse: Warehouse) -> None:
    """Create the two tables of the sample, empty, when they are not there."""
    for name in (SAMPLE, ANSWERED):
        warehouse.ensure(name, empty_table(name))


def _estimated_month(warehouse: Warehouse, mois: str | None) -> str:
    """The month whose state the warehouse holds; it must be ``mois`` when one is given."""
    last = warehouse.query(
        "SELECT mois FROM meta__executions WHERE etape = 'estimation' ORDER BY finie_le DESC LIMIT 1"
    )
    wanted = None if mois is None else check_month(mois)
    if last.is_empty() or wanted not in (None, last["mois"][0]):
        raise Refusal(
            f"L'entrepôt ne porte pas l'état de {wanted or 'ce mois'} : aucun échantillon n'y est tiré.",
            ou="entrepôt",
            que_faire=f"Lancer « nonrecours executer --mois {wanted or 'AAAA-MM'} », puis tirer.",
        )
    found: str = last["mois"][0]
    return found


def _next_mark(warehouse: Warehouse, mois: str) -> tuple[str, int]:
    """The name of the draw, ``2026-06-1`` for the first of the month, and its number."""
    done = warehouse.query(
        "SELECT count(DISTINCT tirage) AS n FROM meta__echantillon WHERE mois = $mois", mois=mois
    )
    number = int(done.item()) + 1
    return f"{mois}-{number}", number


def _draw_partner(
    warehouse: Warehouse, partner: str, mois: str, size: int, generator: np.random.Generator
) -> tuple[pl.DataFrame, dict[str, int]]:
    """One adult of each household drawn, with its volet, stratum and probability; and the counts to say."""
    since = shift(mois, -REST_MONTHS)
    adults = _stratified(warehouse.query_file(f"core/tirage_{partner}"))
    resting = warehouse.query_file("core/tirage_ecartes", depuis=since, partenaire=partner)
    households = _with_survival(warehouse, partner, since, adults)
    left = households.join(resting, on="menage_base_id", how="anti")
    if left.is_empty():
        raise Refusal(
            f"Plus aucune fiche à tirer ({partner.upper()}) : toutes l'ont été depuis moins d'un an.",
            ou="meta__echantillon",
            que_faire="Attendre, ou lire les réponses déjà demandées.",
        )
    drawn = _one_adult(_sampled(households, left, size, generator), adults, generator)
    resting_now = households.height - left.height
    return drawn, {"menages": households.height, "au_repos": resting_now, "tires": drawn.height}


def _stratified(adults: pl.DataFrame) -> pl.DataFrame:
    """``strate_tirage`` of each household: profile, age band and zone, in words."""
    homes = adults.unique("menage_base_id")
    share = homes.group_by("regroupement").agg(part=pl.len() / max(homes.height, 1))
    zone = pl.when(pl.col("part") >= SMALL_ZONE).then("regroupement").otherwise(pl.lit("petits bassins"))
    age = pl.col("bande_age").replace_strict(dict(enumerate(_AGES)), return_dtype=pl.String)
    return (
        adults.join(share, on="regroupement", how="left", nulls_equal=True)
        .with_columns(strate_tirage=pl.concat_str("profil", age, zone, separator=" ; "))
        .sort(_PERSON)
    )


def _with_survival(warehouse: Warehouse, partner: str, since: str, adults: pl.DataFrame) -> pl.DataFrame:
    """Households with ``survie``: their chance not to have been set to rest by a draw of the last year.

    A linked household may have been drawn at either partner: without this, those linked would seem too few.
    """
    columns = ["menage_base_id", "menage_lie_id", "volet", "strate_tirage"]
    households = adults.select(columns).unique("menage_base_id").sort("menage_base_id")
    rates = warehouse.query_file("core/tirage_taux", depuis=since)
    rested = _strata_at_both(warehouse, partner, households).join(rates, on=["partenaire", "strate_tirage"])
    survival = rested.group_by("menage_base_id").agg(survie=(1 - pl.col("taux_sondage")).product())
    found = households.join(survival, on="menage_base_id", how="left", maintain_order="left")
    return found.with_columns(pl.col("survie").fill_null(1.0))


def _strata_at_both(warehouse: Warehouse, partner: str, households: pl.DataFrame) -> pl.DataFrame:
    """menage_base_id, partenaire, strate_tirage: its own stratum, and that of the linked household."""
    other = PARTNERS[1 - PARTNERS.index(partner)]
    theirs = _stratified(warehouse.query_file(f"core/tirage_{other}")).unique("menage_base_id")
    linked = households.select("menage_base_id", "menage_lie_id").join(
        theirs.select("strate_tirage", menage_lie_id="menage_base_id"), on="menage_lie_id"
    )
    columns = ["menage_base_id", "partenaire", "strate_tirage"]
    return pl.concat(
        [
            households.with_columns(partenaire=pl.lit(partner)).select(columns),
            linked.with_columns(partenaire=pl.lit(other)).select(columns),
        ]
    )


def _sampled(
    households: pl.DataFrame, left: pl.DataFrame, size: int, generator: np.random.Generator
) -> pl.DataFrame:
    """Simple random draws in each stratum of ``left``, with the probability of each household."""
    sizes = (
        households.group_by("strate_tirage")
        .agg(n=pl.len())
        .join(left.group_by("strate_tirage").agg(m=pl.len()), on="strate_tirage")
        .sort("strate_tirage")
    )
    wanted = allocate(sizes["n"].cast(pl.Int64).to_numpy(), sizes["m"].cast(pl.Int64).to_numpy(), size)
    shuffled = left[generator.permutation(left.height)].join(
        sizes.with_columns(voulus=pl.Series(wanted)), on="strate_tirage", maintain_order="left"
    )
    kept = shuffled.filter(pl.int_range(pl.len()).over("strate_tirage") < pl.col("voulus"))
    rate = pl.col("voulus") / pl.col("m")
    return kept.with_columns(taux_sondage=rate, probabilite_tirage=pl.col("survie") * rate)


def _one_adult(drawn: pl.DataFrame, adults: pl.DataFrame, generator: np.random.Generator) -> pl.DataFrame:
    """One adult of each household, any of them."""
    shuffled = adults.select(_PERSON)[generator.permutation(adults.height)]
    return drawn.join(
        shuffled.unique("menage_base_id", keep="first", maintain_order=True),
        on="menage_base_id",
        maintain_order="left",
    )


def _numbered(drawn: pl.DataFrame, mark: str, partner: str, generator: np.random.Generator) -> pl.DataFrame:
    """Rows in the order of numbers drawn at random: neither says anything of the volet or of the stratum."""
    shuffled = drawn[generator.permutation(drawn.height)]
    number = pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(5)
    return shuffled.with_columns(echantillon_id=pl.format("{}-{}-{}", pl.lit(mark), pl.lit(partner), number))


def _hand_over(settings: Settings, mark: str, partner: str, rows: pl.DataFrame) -> str:
    path = settings.dossiers.echantillons / mark / f"{partner}.csv"
    with whole_file(path, mode=0o600) as partial:
        rows.select(HANDED_OVER).write_csv(partial, separator=";")
    return str(path)
