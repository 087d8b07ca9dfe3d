"""A delivery against its own history: limits on aggregates, Great Expectations, Data Docs, alerts."""

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.calendar import check_month
from pipelines.files import whole_folder
from pipelines.ingest.alerts import Alert, write_alerts
from pipelines.ingest.magnitudes import DELIVER_AGAIN, medians
from pipelines.ingest.measures import measures
from pipelines.refusals import ContractRefusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.magnitudes import refuse_other_units

Counts = dict[str, int | float | str]


@dataclass(frozen=True)
class Limit:
    """``colonne`` of ``mesure`` must stay between ``bas`` and ``haut``; ``phrase`` tells a row outside."""

    mesure: str
    colonne: str
    bas: float
    haut: float
    gravite: str
    phrase: str

    @property
    def severity(self) -> str:
        """The same gravity in the words of Great Expectations."""
        return "critical" if self.gravite == "grave" else "warning"

    def broken(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows outside the limit; a null figure is never outside."""
        return rows.filter(~pl.col(self.colonne).is_between(self.bas, self.haut))


_VOLUME = "{table_contrat} : {lignes:.0f} lignes, contre {lignes_avant:.0f} dans l'extrait précédent."
_MONTH = "{table_contrat}, {mois} : {lignes:.0f} lignes, contre {lignes_avant:.0f} dans l'extrait précédent."
_EMPTY = "{table_contrat}.{colonne} : {part:.0%} de cellules vides, contre {part_avant:.0%} auparavant."
_TOKEN = (
    "{table_contrat}, {colonne} : présent pour {part:.0%} des personnes, contre {part_avant:.0%} auparavant."
)

LIMITS = (
    Limit("volumes", "rapport", 0.5, 2.0, "grave", _VOLUME),
    Limit("volumes", "rapport", 0.9, 1.1, "avertissement", _VOLUME),
    Limit("volumes_mois", "rapport", 0.7, 1.4, "grave", _MONTH),
    Limit("volumes_mois", "rapport", 0.95, 1.05, "avertissement", _MONTH),
    Limit(
        "volumes_mois",
        "rapport_mois",
        0.75,
        1.33,
        "avertissement",
        "{table_contrat}, {mois} : {lignes:.0f} lignes, {rapport_mois:.0%} du mois d'avant.",
    ),
    Limit("vides", "ecart", -0.30, 0.30, "grave", _EMPTY),
    Limit("vides", "ecart", -0.05, 0.05, "avertissement", _EMPTY),
    Limit(
        "codes",
        "part",
        0.0,
        0.02,
        "avertissement",
        "{table_contrat}.{colonne} : {part:.1%} de codes hors nomenclature.",
    ),
    Limit("jetons", "ecart", -0.10, 0.10, "avertissement", _TOKEN),
)
"""Chosen to let the monthly noise of a territory of 45 000 inhabitants pass; grave before avertissement."""

COLLAPSE = 0.10
"""A table that falls below this share of the extract before was cut somewhere: the month is refused."""


def quality(warehouse: Warehouse, settings: Settings, mois: str) -> Counts:
    """Hold the extracts used against those before them, on aggregates only.

    Writes the Data Docs under ``sorties/qualite/<mois>`` (internal pages) and the alerts of the month.
    Raises :class:`ContractRefusal` when a table has collapsed, or when amounts are not euros per month; any
    other failure is an alert.
    """
    rows = measures(warehouse)
    refuse_collapse(rows["volumes"])
    refuse_other_units(medians(warehouse), DELIVER_AGAIN)
    folder = settings.dossiers.sorties / "qualite" / check_month(mois)
    failed = validate(rows, folder)
    alerts = alerts_of(rows, failed)
    write_alerts(warehouse, mois, "qualite", alerts)
    return {
        "attentes": len(LIMITS),
        "attentes_manquees": len(failed),
        "alertes": len(alerts),
        "alertes_graves": sum(alert.gravite == "grave" for alert in alerts),
        "pages": str(folder / "index.html"),
    }


def refuse_collapse(volumes: pl.DataFrame) -> None:
    """Raise :class:`ContractRefusal` when a table lost nine rows out of ten since the extract before."""
    fallen = volumes.filter(pl.col("rapport") < COLLAPSE)
    if fallen.is_empty():
        return
    raise ContractRefusal(
        "Cette table a perdu plus de neuf lignes sur dix depuis l'extrait précédent.",
        ou=", ".join(fallen["table_contrat"]),
        que_faire="Faire vérifier l'extrait par le partenaire, puis le livrer de nouveau avec --remplacer.",
    )


def alerts_of(rows: dict[str, pl.DataFrame], failed: list[Limit]) -> list[Alert]:
    """One alert per row outside a failed limit; the gravest limit speaks alone."""
    alerts: dict[tuple[Any, ...], Alert] = {}
    for limit in failed:
        for row in limit.broken(rows[limit.mesure]).iter_rows(named=True):
            where = (limit.mesure, limit.colonne, row["table_contrat"], row["colonne"], row["mois"])
            alerts.setdefault(where, Alert(limit.gravite, row["partenaire"], limit.phrase.format(**row)))
    return list(alerts.values())


def validate(rows: dict[str, pl.DataFrame], folder: Path) -> list[Limit]:
    """The limits that Great Expectations finds broken; its Data Docs appear whole in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    with whole_folder(folder) as partial:
        context = _context(partial)
        failed = [limit for name in rows for limit in _failed(context, name, rows[name])]
        context.build_data_docs()
    return failed


def _context(folder: Path) -> Any:
    """An in-memory context that writes its pages in ``folder``. Importing Great Expectations takes 13 s."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").propagate = False  # it tells the terminal its temporary folder
    import great_expectations as gx

    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    for name in list(context.get_site_names()):
        context.delete_data_docs_site(name)
    context.add_data_docs_site("qualite", _site(folder))
    return context


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
    }


def _failed(context: Any, name: str, rows: pl.DataFrame) -> list[Limit]:
    """Validate one measure; the limits it breaks, in their order."""
    limits = [limit for limit in LIMITS if limit.mesure == name]
    if rows.is_empty():
        return []
    outcome = _checkpoint(context, name, limits).run(batch_parameters={"dataframe": rows.to_pandas()})
    results = next(iter(outcome.run_results.values())).results
    return [limit for limit in limits if not _met(limit, results)]


def _checkpoint(context: Any, name: str, limits: list[Limit]) -> Any:
    """One suite on one whole frame of aggregates; no unexpected value is kept."""
    from great_expectations import Checkpoint, ValidationDefinition

    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name)
    suite = _suite(context, name, limits)
    definition = context.validation_definitions.add(ValidationDefinition(name=name, data=batch, suite=suite))
    format_ = {"result_format": "BASIC", "partial_unexpected_count": 0}
    return context.checkpoints.add(
        Checkpoint(name=name, validation_definitions=[definition], result_format=format_)
    )


def _suite(context: Any, name: str, limits: list[Limit]) -> Any:
    import great_expectations as gx
    from great_expectations.expectations.core.expect_column_values_to_be_between import (
        ExpectColumnValuesToBeBetween,
    )

    suite = context.suites.add(gx.ExpectationSuite(name=name))
    for limit in limits:
        arguments: dict[str, Any] = {"column": limit.colonne, "severity": limit.severity}
        suite.add_expectation(
            ExpectColumnValuesToBeBetween(min_value=limit.bas, max_value=limit.haut, **arguments)
        )
    return suite


def _met(limit: Limit, results: list[Any]) -> bool:
    """The verdict on this limit, found again by its bounds."""
    for result in results:
        arguments = result.expectation_config.kwargs
        if (arguments["column"], arguments["min_value"], arguments["max_value"]) == (
            limit.colonne,
            limit.bas,
            limit.haut,
        ):
            return bool(result.success)
    raise LookupError("an expectation came back without a verdict")
