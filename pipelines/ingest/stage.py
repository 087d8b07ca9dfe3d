"""The front door of ingestion: one month, every partner, all or nothing."""

from datetime import date

import polars as pl

from pipelines.calendar import check_month
from pipelines.ingest import state
from pipelines.ingest.alerts import write_alerts
from pipelines.ingest.controls import is_ingested, refuse_bad_deliveries
from pipelines.ingest.deposit import deliveries
from pipelines.ingest.loading import load_delivery
from pipelines.ingest.manifest import Delivery
from pipelines.ingest.watch import alerts_of
from pipelines.settings import Settings
from pipelines.territory import known_communes
from pipelines.warehouse import Warehouse

Counts = dict[str, int | float | str]


def run(warehouse: Warehouse, settings: Settings, mois: str, *, remplacer: bool = False) -> Counts:
    """Ingest the newest extract of each partner for ``mois`` and build the state known at that month.

    Manifests are checked before any row is read; an extract already ingested is not read again. Writes
    ``raw_*``, ``core__*`` of the contract, ``meta__extraits``, ``meta__lignes``, ``meta__rejets``,
    ``meta__codes_inconnus``, ``meta__corrections``, ``meta__alertes``, and ``rejets/<partenaire>/<mois>/``.
    The caller opens the transaction. Returns counts by partner and table.
    Raises ContractRefusal, KeyRefusal or MissingSourceRefusal; nothing is then written in the warehouse.
    """
    found, alerts = deliveries(settings, check_month(mois))
    refuse_bad_deliveries(found, state.known_extracts(warehouse), remplacer)
    state.prepare(warehouse)
    _load_new(warehouse, settings, found)
    used = {d.partenaire: d.manifest.extrait_id for d in found}
    _mark_used(warehouse, list(used.values()))
    state.build_state(warehouse, state.chain_of_extracts(warehouse, used))
    changed = state.count_corrections(warehouse, used)
    alerts += [alert for delivery in found for alert in alerts_of(warehouse, delivery)]
    write_alerts(warehouse, mois, "ingestion", alerts)
    return _counts(warehouse, found) | {"lignes_changees": changed, "alertes": len(alerts)}


def _load_new(warehouse: Warehouse, settings: Settings, found: list[Delivery]) -> None:
    known = warehouse.read(state.EXTRACTS)
    new = [delivery for delivery in found if not is_ingested(delivery, known)]
    communes = dict(known_communes().select("commune_insee", "commune_actuelle").iter_rows()) if new else {}
    for delivery in new:
        _register(warehouse, delivery)
        load_delivery(warehouse, settings, delivery, communes)


def _register(warehouse: Warehouse, delivery: Delivery) -> None:
    """Write the extract in ``meta__extraits``; the one it replaces is marked so."""
    warehouse.connection.execute(
        "UPDATE meta__extraits SET est_remplace = true WHERE partenaire = $partenaire AND mois = $mois",
        {"partenaire": delivery.partenaire, "mois": delivery.mois},
    )
    manifest = delivery.manifest
    row: dict[str, str | int | bool | date] = {
        "extrait_id": manifest.extrait_id,
        "partenaire": delivery.partenaire,
        "mois": delivery.mois,
        "millesime_cle": manifest.millesime_cle,
        "controle_cle": manifest.controle_cle,
        "date": manifest.day,
        "empreinte": manifest.empreinte,
        "rang": warehouse.count(state.EXTRACTS) + 1,
        "est_utilise": True,
        "est_remplace": False,
    }
    warehouse.append(state.EXTRACTS, pl.DataFrame([row]))


def _mark_used(warehouse: Warehouse, used: list[str]) -> None:
    warehouse.connection.execute(
        "UPDATE meta__extraits SET est_utilise = list_contains($used, extrait_id)", {"used": used}
    )


def _counts(warehouse: Warehouse, found: list[Delivery]) -> Counts:
    counts: Counts = {}
    lines = warehouse.read("meta__lignes")
    for delivery in found:
        mine = lines.filter(pl.col("extrait_id") == delivery.manifest.extrait_id)
        counts[f"{delivery.partenaire}.extrait"] = delivery.mois
        for row in mine.iter_rows(named=True):
            where = f"{delivery.partenaire}.{row['table_contrat']}"
            counts |= {
                f"{where}.{name}": row[f"lignes_{name}"] for name in ("recues", "acceptees", "ecartees")
            }
    return counts
