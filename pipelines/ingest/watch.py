"""What deserves a look in the extracts used: empty tables, missing months, rows set aside, unknown codes."""

from collections.abc import Iterable

import polars as pl

from pipelines.calendar import shift, window
from pipelines.ingest.alerts import Alert
from pipelines.ingest.manifest import Delivery
from pipelines.warehouse import Warehouse
from schemas import TABLES, Table, tables_of
from schemas.fields import metadata_of

REJECT_SHARE_TO_LOOK_AT = 0.01
REJECT_SHARE_TO_STOP = 0.10
UNDECLARED_MONTHS = 3
"""Last months of a table of incomes that may not be declared yet: absent, not missing (data contract)."""


def alerts_of(warehouse: Warehouse, delivery: Delivery) -> list[Alert]:
    """Alerts on one used extract, read from the warehouse: the same at every run."""
    lines = _of_extract(warehouse, "meta__lignes", delivery)
    codes = _of_extract(warehouse, "meta__codes_inconnus", delivery)
    return [
        *_replacement(warehouse, delivery),
        *_empty_extract(delivery, lines),
        *_rejects_at_source(delivery),
        *_rejects(delivery, lines),
        *_unknown_codes(delivery, codes),
        *_missing_months(warehouse, delivery, lines),
    ]


def _of_extract(warehouse: Warehouse, table: str, delivery: Delivery) -> pl.DataFrame:
    return warehouse.query(
        "SELECT * FROM query_table($name) WHERE extrait_id = $extrait ORDER BY ALL",
        name=table,
        extrait=delivery.manifest.extrait_id,
    )


def _replacement(warehouse: Warehouse, delivery: Delivery) -> list[Alert]:
    replaced = warehouse.read("meta__extraits").filter(
        "est_remplace", partenaire=delivery.partenaire, mois=delivery.mois
    )
    if replaced.is_empty():
        return []
    text = f"L'extrait de {delivery.mois} remplace celui qui avait été ingéré : les chiffres sont révisés."
    return [Alert("avertissement", delivery.partenaire, text)]


def _empty_extract(delivery: Delivery, lines: pl.DataFrame) -> list[Alert]:
    if lines["lignes_acceptees"].sum() == 0:
        return [Alert("grave", delivery.partenaire, f"L'extrait de {delivery.mois} est vide.")]
    empty = lines.filter(pl.col("lignes_acceptees") == 0)["table_contrat"].to_list()
    return [
        Alert("avertissement", delivery.partenaire, f"La table {name} est vide dans l'extrait.")
        for name in empty
        if not TABLES[name].est_optionnelle and delivery.partenaire != "cellule"
    ]


def _rejects(delivery: Delivery, lines: pl.DataFrame) -> list[Alert]:
    counts = lines.select("table_contrat", "lignes_ecartees", "lignes_recues").iter_rows()
    return _reject_alerts(delivery.partenaire, counts, "à l'ingestion")


def _rejects_at_source(delivery: Delivery) -> list[Alert]:
    """Rows the partner's own check kept back: they are in no file delivered."""
    balance = sorted(delivery.manifest.bilan.items())
    counts = [(table, b.lignes_ecartees, b.lignes_recues) for table, b in balance if table in TABLES]
    return _reject_alerts(delivery.partenaire, counts, "à la source")


def _reject_alerts(partner: str, counts: Iterable[tuple[str, int, int]], where: str) -> list[Alert]:
    """One alert per (table, rows set aside, rows received) worth a look."""
    alerts = []
    for table, rejected, received in counts:
        share = rejected / received if received else 0.0
        if share >= REJECT_SHARE_TO_LOOK_AT:
            gravite = "grave" if share >= REJECT_SHARE_TO_STOP else "avertissement"
            text = f"{table} : {rejected} lignes sur {received} mises de côté {where} ({share:.0%})."
            alerts.append(Alert(gravite, partner, text))
    return alerts


def _unknown_codes(delivery: Delivery, codes: pl.DataFrame) -> list[Alert]:
    counts = codes.group_by("table_contrat", "colonne", maintain_order=True).agg(
        pl.len().alias("codes"), pl.col("lignes").sum()
    )
    return [
        Alert(
            "information" if metadata_of(row["colonne"]).get("est_ouverte") else "avertissement",
            delivery.partenaire,
            f"{row['codes']} code(s) hors nomenclature dans {row['table_contrat']}.{row['colonne']} "
            f"({row['lignes']} lignes, gardées).",
        )
        for row in counts.iter_rows(named=True)
    ]


def _missing_months(warehouse: Warehouse, delivery: Delivery, lines: pl.DataFrame) -> list[Alert]:
    filled = set(lines.filter(pl.col("lignes_acceptees") > 0)["table_contrat"])
    tables = [t for t in tables_of(delivery.partenaire) if t.est_mensuelle and t.name in filled]
    alerts = []
    for table in tables:
        delivered = _months(warehouse, table, delivery)
        missing = [mois for mois in _expected_months(table, delivery) if mois not in delivered]
        if missing:
            text = f"Mois absents de {table.name} : {', '.join(_runs(missing))}."
            alerts.append(Alert("avertissement", delivery.partenaire, text))
    return alerts


def _runs(months: list[str]) -> list[str]:
    """Consecutive months written as one run: ``2025-01 à 2025-04``."""
    runs: list[list[str]] = []
    for mois in months:
        if runs and shift(runs[-1][-1], 1) == mois:
            runs[-1].append(mois)
        else:
            runs.append([mois])
    return [run[0] if len(run) == 1 else f"{run[0]} à {run[-1]}" for run in runs]


def _expected_months(table: Table, delivery: Delivery) -> list[str]:
    months = window(delivery.mois)
    return months[:-UNDECLARED_MONTHS] if "natress" in table.own else months


def _months(warehouse: Warehouse, table: Table, delivery: Delivery) -> set[str]:
    rows = warehouse.query(
        "SELECT DISTINCT mois FROM query_table($name) WHERE extrait_id = $extrait",
        name=table.raw_name,
        extrait=delivery.manifest.extrait_id,
    )
    return set(rows["mois"])
