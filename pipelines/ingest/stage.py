"""The front door of ingestion: one month, every partner, all or nothing."""

from datetime import date
from functools import cache

import polars as pl

from pipelines.calendar import check_month
from pipelines.ingest import state
from pipelines.ingest.alerts import Alert, write_alerts
from pipelines.ingest.controls import is_ingested, refuse_bad_deliveries
from pipelines.ingest.deposit import backlog, deliveries, left_out
from pipelines.ingest.loading import load_delivery
from pipelines.ingest.manifest import Delivery
from pipelines.ingest.watch import alerts_of
from pipelines.refusals import ContractRefusal
from pipelines.settings import Settings
from pipelines.territory import known_communes
from pipelines.warehouse import Warehouse

Counts = dict[str, int | float | str]


def run(warehouse: Warehouse, settings: Settings, mois: str, *, remplacer: bool = False) -> Counts:
    """Ingest what each partner delivered up to ``mois`` and build the state known at that month.

    The newest extract of a partner is the one used; the older ones not ingested yet come before it, for the
    history. Manifests are checked before any row is read; an extract already ingested is not read again.
    Writes ``raw_*``, ``core__*`` of the contract, ``meta__extraits``, ``meta__lignes``, ``meta__rejets``,
    ``meta__codes_inconnus``, ``meta__corrections``, ``meta__alertes``, and ``rejets/<partenaire>/<mois>/``.
    The caller opens the transaction. Returns counts by partner and table.
    Raises ContractRefusal, KeyRefusal or MissingSourceRefusal; nothing is then written in the warehouse.
    """
    found, alerts = deliveries(settings, check_month(mois))
    known = state.known_extracts(warehouse)
    refuse_bad_deliveries(found, known, remplacer)
    older, history_alerts = backlog(settings, found, known, remplacer)
    state.prepare(warehouse)
    history_alerts += _load_history(warehouse, settings, older)
    _load(warehouse, settings, [delivery for delivery in found if not is_ingested(delivery, known)])
    used = {d.partenaire: d.manifest.extrait_id for d in found}
    _mark_used(warehouse, list(used.values()))
    chains = state.chain_of_extracts(warehouse, used)
    state.build_state(warehouse, chains)
    changed = state.count_corrections(warehouse, used)
    alerts += history_alerts + [alert for delivery in found for alert in alerts_of(warehouse, delivery)]
    write_alerts(warehouse, mois, "ingestion", alerts)
    return _counts(warehouse, found) | {
        "extraits_anterieurs": sum(map(len, chains.values())) - len(found),
        "lignes_changees": changed,
        "alertes": len(alerts),
    }


def _load_history(warehouse: Warehouse, settings: Settings, older: list[Delivery]) -> list[Alert]:
    """Load older deliveries; one whose files break the contract is left out and told."""
    alerts = []
    for delivery in older:
        try:
            _load(warehouse, settings, [delivery])
        except ContractRefusal as refusal:
            alerts.append(left_out(delivery.partenaire, delivery.mois, refusal))
    return alerts


def _load(warehouse: Warehouse, settings: Settings, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        load_delivery(warehouse, settings, delivery, _communes())
        _register(warehouse, delivery)


@cache
def _communes() -> dict[str, str]:
    return dict(known_communes().select("commune_insee", "commune_actuelle").iter_rows())


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
        "version_encodage": manifest.version_encodage,
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
