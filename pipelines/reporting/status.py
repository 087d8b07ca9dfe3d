"""What was received, what ran, what is late, what is to be decided: counts and months, no person."""

import polars as pl

from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse

RECEIVED = """
SELECT partenaire, max(mois) AS dernier_mois, count(*) AS extraits, max(date) AS recu_le
FROM meta__extraits GROUP BY partenaire ORDER BY partenaire
"""
RUN = """
SELECT etape, mois, strftime(max(finie_le), '%Y-%m-%d %H:%M') AS finie_le,
       round(arg_max(epoch(finie_le - commencee_le), finie_le), 1) AS secondes
FROM meta__executions GROUP BY etape, mois ORDER BY mois DESC, max(finie_le)
"""
SAMPLE = """
SELECT e.tirage, e.partenaire, count(DISTINCT e.echantillon_id) AS fiches_tirees,
       count(DISTINCT r.echantillon_id) AS fiches_rendues
FROM meta__echantillon AS e LEFT JOIN meta__echantillon_reponses AS r USING (echantillon_id)
GROUP BY ALL ORDER BY ALL
"""
TO_DECIDE = "SELECT gravite, source, message FROM meta__alertes ORDER BY gravite, source, message"


def status_tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """The tables of ``nonrecours etat``, by their French title."""
    with open_warehouse(settings.dossiers.entrepot, settings.dossiers.travail) as warehouse:
        received = _or_empty(warehouse, "meta__extraits", RECEIVED)
        return {
            "Reçu": _with_late_partners(received, settings),
            "Exécuté": _or_empty(warehouse, "meta__executions", RUN),
            "Échantillon de vérification": _or_empty(warehouse, "meta__echantillon", SAMPLE),
            "À décider": _or_empty(warehouse, "meta__alertes", TO_DECIDE),
        }


def _or_empty(warehouse: Warehouse, table: str, sql: str) -> pl.DataFrame:
    return warehouse.query(sql) if warehouse.exists(table) else pl.DataFrame()


def _with_late_partners(received: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    if received.is_empty():
        return pl.DataFrame({"partenaire": settings.partenaires.attendus}).with_columns(
            etat=pl.lit("attendu")
        )
    newest = received["dernier_mois"].max()
    absent, late = pl.col("dernier_mois").is_null(), pl.col("dernier_mois") < newest
    state = pl.when(absent).then(pl.lit("absent")).when(late).then(pl.lit("en retard"))
    table = _expected(settings).join(received, on="partenaire", how="full", coalesce=True)
    return table.with_columns(etat=state.otherwise(pl.lit("à jour"))).sort("partenaire")


def _expected(settings: Settings) -> pl.DataFrame:
    return pl.DataFrame({"partenaire": list[str](settings.partenaires.attendus)})
