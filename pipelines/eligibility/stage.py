"""The front door: households of the period, their rights on CAF data and on CPAM data."""

from typing import Final

import polars as pl

from pipelines import territory
from pipelines.calendar import check_month, month_number, period, shift, window
from pipelines.eligibility.legislation import months_past_last_scale
from pipelines.eligibility.nomenclature import FARM_REGIME
from pipelines.eligibility.past import past_rights
from pipelines.eligibility.quarter import RIGHT_MONTHS, SHIFTED_QUARTER_SINCE, WINDOW
from pipelines.eligibility.rights import RESULT, simulate
from pipelines.eligibility.simulation import RESOURCES
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.tables import HOUSEHOLD_BENEFITS, PERSON_BENEFITS

OCCUPATIONS: Final = ("LOC", "PRO")
"""A CPAM household is computed as tenant and as owner: nobody there knows its housing."""

FAR_ABOVE: Final = 1.5
"""Resources over the flat amount from which no error of a month explains that the RSA is paid."""

HELD_MONTHS: Final = 2
"""A month of the period may be the third of its quarter: the quarter began two months earlier."""


def run(warehouse: Warehouse, settings: Settings, mois: str) -> dict[str, int | float | str]:
    """Build core__menages, core__menages_personnes and core__droits for the three months ending at ``mois``.

    CAF households are computed on CAF data completed by the CPAM's allowances and pensions; CPAM households
    whose incomes are known, linked or not, on CPAM data alone. Households of the crown are computed too.
    Returns counts of households per instrument, right, state and motif at the last month, and the counts the
    report must say. Raises :class:`LegalRefusal` when the scale of a month is unknown.
    """
    check_month(mois)
    counts = _build_households(warehouse, mois)
    agricole = "msa" in settings.partenaires.attendus
    counts["droits_anterieurs"] = _build_past(warehouse, mois, agricole)
    caf = _unknown_for(_caf_rights(warehouse, mois, agricole), _moved(warehouse, settings, mois), "mobilite")
    shared = warehouse.query_file("core/foyers_partageant_un_adulte", mois=mois)
    caf = _unknown_for(caf, shared, "adulte_deux_foyers")
    counts["payes_loin_du_seuil"] = _paid_far_above(warehouse, caf, mois)
    rights = pl.concat([caf.drop(RESOURCES), _cpam_rights(warehouse, settings, mois)])
    ordered = rights.sort("instrument", "menage_id", "mois", "droit")
    counts["droits"] = warehouse.replace("core__droits", ordered)
    return counts | _states(warehouse, mois) | _said_in_report(warehouse, mois)


def _build_households(warehouse: Warehouse, mois: str) -> dict[str, int | float | str]:
    numero, periode, debut = month_number(mois), period(mois), _first_input(mois)
    warehouse.build("core/core__menages_cpam", numero_mois=numero)
    warehouse.build("core/core__parts_couples", mois=mois)
    return {
        "menages_personnes": warehouse.build("core/core__menages_personnes", periode=periode),
        "menages": warehouse.build("core/core__menages", periode=periode, numero_mois=numero),
        "ressources": warehouse.build("core/core__ressources_completees", debut=debut),
    }


def _build_past(warehouse: Warehouse, mois: str, agricole: bool) -> int:
    past = past_rights(warehouse, mois, agricole).drop(RESOURCES).sort("menage_id", "mois", "droit")
    warehouse.build("core/core__ressources_completees", debut=_first_input(mois))
    return warehouse.replace("core__droits_anterieurs", past)


def _paid_far_above(warehouse: Warehouse, rights: pl.DataFrame, mois: str) -> int:
    """Write the households paid the RSA of ``mois`` whose resources are far above what closes it."""
    paid = warehouse.query(
        "SELECT foyer_id AS menage_id FROM core__caf_foyers "
        "WHERE mois = $mois AND rsa_etat = '2' AND rsa_du > 0",
        mois=mois,
    )
    far = rights.filter(
        (pl.col("mois") == mois) & (pl.col("eligible") == "non") & (pl.col(RESOURCES) >= FAR_ABOVE)
    )
    found = far.join(paid, on="menage_id", how="semi").select("menage_id", RESOURCES).sort("menage_id")
    return warehouse.replace("core__payes_loin_du_seuil", found)


def _first_input(mois: str) -> str:
    """First month of income any right of the period may look at."""
    return shift(period(mois)[0], -HELD_MONTHS - WINDOW + 1)


def _caf_rights(warehouse: Warehouse, mois: str, agricole: bool) -> pl.DataFrame:
    debut = _first_input(mois)
    found = simulate(
        warehouse.query_file("core/foyers_caf", debut=debut),
        warehouse.query_file("core/personnes_caf"),
        warehouse.query("SELECT * FROM core__caf_prestations_personnes WHERE mois >= $debut", debut=debut),
        warehouse.query("SELECT * EXCLUDE (origine) FROM core__ressources_completees"),
        period(mois),
        agricole_inclus=agricole,
    )
    weight = pl.when(pl.col("eligible") == "oui").then(1.0).when(pl.col("eligible") == "non").then(0.0)
    named = found.with_columns(instrument=pl.lit("caf"), poids_eligible=weight)
    return named.select(*_columns(), RESOURCES)


def _cpam_rights(warehouse: Warehouse, settings: Settings, mois: str) -> pl.DataFrame:
    """Rights of the CPAM households: both occupations, entitled under one only counts one half."""
    people = warehouse.query_file("core/personnes_cpam", mois=mois, periode=period(mois))
    incomes = warehouse.query_file("core/ressources_cpam", debut=_first_input(mois))
    homes, benefits = _without_benefits(people, mois)
    found = [
        simulate(
            body.with_columns(occlog=pl.lit(occlog)),
            people,
            benefits,
            incomes,
            period(mois),
            trimestre_decale_depuis=since,
            agricole_inclus="msa" in settings.partenaires.attendus,
        )
        for body, since in _by_body(homes, people, settings)
        for occlog in OCCUPATIONS
    ]
    return pl.concat([_both_occupations(pl.concat(found)), _unknown_incomes(warehouse, people, mois)])


def _by_body(homes: pl.DataFrame, people: pl.DataFrame, settings: Settings) -> list[tuple[pl.DataFrame, str]]:
    """Households the CAF would pay, then those the MSA would, each with the date of its reference quarter.

    An adult of the régime agricole makes the household one of the MSA.
    """
    farm = (
        people.filter((pl.col("act") == FARM_REGIME) & (pl.col("role") != "ENF")).select("menage_id").unique()
    )
    return [
        (homes.join(farm, on="menage_id", how="anti"), SHIFTED_QUARTER_SINCE),
        (homes.join(farm, on="menage_id", how="semi"), settings.droits.trimestre_msa_decale_depuis),
    ]


def _without_benefits(people: pl.DataFrame, mois: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Monthly rows of households and persons the CAF does not describe: no benefit, no date of isolation."""
    months = pl.DataFrame({"mois": window(mois, len(period(mois)) + HELD_MONTHS + RIGHT_MONTHS)})
    zero, unknown = pl.lit(0.0), pl.lit(None, pl.String)
    homes = people.select(pl.col("menage_id").unique()).join(months, how="cross")
    adults = people.filter(pl.col("role") != "ENF").select(pl.col("personne_id").unique())
    return (
        homes.with_columns(
            sitfam=unknown,
            sitfam_date=unknown,
            dtr_phase=pl.lit(None, pl.Int8),
            **dict.fromkeys(HOUSEHOLD_BENEFITS, zero),
        ),
        adults.join(months, how="cross").with_columns(**dict.fromkeys(PERSON_BENEFITS, zero)),
    )


def _both_occupations(found: pl.DataFrame) -> pl.DataFrame:
    entitled, unknown = pl.col("eligible") == "oui", pl.col("eligible") == "inconnu"
    merged = found.group_by("menage_id", "mois", "droit").agg(
        eligible=pl.when(unknown.any())
        .then(pl.lit("inconnu"))
        .when(entitled.any())
        .then(pl.lit("oui"))
        .otherwise(pl.lit("non")),
        motif=pl.col("motif").drop_nulls().first(),
        montant_eur_mois=pl.col("montant_eur_mois").filter(entitled).mean(),
        poids_eligible=entitled.mean(),
    )
    known = pl.col("eligible") != "inconnu"
    return merged.with_columns(
        instrument=pl.lit("cpam"),
        montant_eur_mois=pl.when(known).then(pl.col("montant_eur_mois").fill_null(0.0)),
        poids_eligible=pl.when(known).then(pl.col("poids_eligible")),
    ).select(*_columns())


def _unknown_incomes(warehouse: Warehouse, people: pl.DataFrame, mois: str) -> pl.DataFrame:
    """Every right of the CPAM households whose incomes are not known: unknown."""
    homes = warehouse.query("SELECT menage_id, instrument FROM core__menages WHERE instrument = 'cpam'")
    rights = pl.DataFrame({"mois": period(mois)}).join(pl.DataFrame({"droit": ["rsa", "ppa"]}), how="cross")
    return (
        homes.join(people, on="menage_id", how="anti")
        .join(rights, how="cross")
        .with_columns(
            eligible=pl.lit("inconnu"),
            motif=pl.lit("ressources_inconnues"),
            montant_eur_mois=pl.lit(None, pl.Float64),
            poids_eligible=pl.lit(None, pl.Float64),
        )
        .select(*_columns())
    )


def _columns() -> list[str]:
    named = [name for name in RESULT if name not in ("menage_id", RESOURCES)]
    return ["menage_id", "instrument", *named, "poids_eligible"]


def _moved(warehouse: Warehouse, settings: Settings, mois: str) -> pl.DataFrame:
    """CAF households living in the territory at the end of the period, there for less than three months.

    Or less than the months of the period the CAF delivered: one that is missing is nobody's move.
    """
    inside = territory.load(settings.territoire).inside["commune_insee"].to_list()
    return warehouse.query(
        "SELECT foyer_id AS menage_id FROM core__caf_foyers WHERE list_contains($periode, mois) "
        "GROUP BY foyer_id HAVING list_contains($communes, arg_max(commune_insee, mois)) "
        "AND count_if(list_contains($communes, commune_insee)) < (SELECT count(DISTINCT mois) "
        "FROM core__caf_foyers WHERE list_contains($periode, mois))",
        periode=period(mois),
        communes=inside,
    )


def _unknown_for(rights: pl.DataFrame, homes: pl.DataFrame, motif: str) -> pl.DataFrame:
    """Rights of these households made unknown, for this reason.

    ``mobilite``: under three months in the territory. ``adulte_deux_foyers``: an adult of the household is
    also one of another, and nobody knows which of the two is true.
    """
    here = pl.col("menage_id").is_in(homes["menage_id"].implode())
    figures = ("montant_eur_mois", "poids_eligible", RESOURCES)
    return rights.with_columns(
        *(pl.when(~here).then(name).alias(name) for name in figures),
        eligible=pl.when(here).then(pl.lit("inconnu")).otherwise("eligible"),
        motif=pl.when(here).then(pl.lit(motif)).otherwise("motif"),
    )


def _states(warehouse: Warehouse, mois: str) -> dict[str, int | float | str]:
    """Households per instrument, right, state and motif at the last month of the period."""
    rows = warehouse.query(
        "SELECT concat_ws('_', instrument, droit, eligible, motif) AS nom, round(sum(poids_variante)) AS n "
        "FROM core__droits JOIN core__menages USING (menage_id, instrument) "
        "WHERE mois = $mois GROUP BY ALL ORDER BY ALL",
        mois=mois,
    )
    return dict(rows.iter_rows())


def _said_in_report(warehouse: Warehouse, mois: str) -> dict[str, int | float | str]:
    """Counts the report must say: owners with a loan and no aid, moving aid, differences, rules, scale."""
    homes = warehouse.query_file("core/menages_a_signaler", mois=mois, debut=shift(mois, 1 - RIGHT_MONTHS))
    gaps = warehouse.query_file("core/ecarts_ressources")
    rules = warehouse.query(
        "SELECT 'cpam_regle_' || regle AS nom, count(DISTINCT menage_base_id) AS n FROM core__menages "
        "WHERE instrument = 'cpam' GROUP BY ALL ORDER BY ALL"
    )
    return {
        **homes.to_dicts()[0],
        **gaps.to_dicts()[0],
        **dict(rules.iter_rows()),
        "mois_depuis_dernier_bareme": max(months_past_last_scale(mois), 0),
    }
