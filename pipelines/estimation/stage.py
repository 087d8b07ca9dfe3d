"""The front door of the estimate: situations, rates and their interval, parameters, who may be contacted."""

import numpy as np
import polars as pl

from pipelines.calendar import month_number, period_code
from pipelines.estimation import (
    accounts,
    alerts,
    contact,
    durations,
    months,
    publication,
    revisions,
    situations,
)
from pipelines.estimation.estimator import estimate
from pipelines.estimation.evidence import evidence, sensitivity
from pipelines.estimation.publication import Right
from pipelines.estimation.reading import RIGHTS, Reading, read
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse


def run(warehouse: Warehouse, settings: Settings, mois: str) -> dict[str, int | float | str]:
    """Estimate the period ending at ``mois``.

    Writes ``core__situations``, ``out__taux`` and ``out__risques`` (rows of other periods are kept),
    ``out__taux_revisions`` (each version of the headline rates), ``out__effectifs``,
    ``out__parametres_estimation``, ``core__a_rappeler_detail``, ``out__a_rappeler`` and ``out__a_verifier``.
    Returns the rows of each and the corrected rates.
    """
    read_months = months.known(warehouse, mois)
    rows = situations.build(warehouse, settings, mois, read_months)
    answers, quality = (
        warehouse.query_file("core/situations_reponses"),
        warehouse.read("out__qualite_appariement"),
    )
    rights = [_right(read(warehouse, droit, answers), quality, settings, mois) for droit in RIGHTS]
    parameters = accounts.parameters(
        rights,
        warehouse.read("meta__extraits"),
        warehouse.query_file("core/echantillon_reponses_courantes"),
        settings,
        mois,
        settings.estimation.graine,
    )
    written = _write_published(warehouse, rights, settings, mois)
    told = months.missing(read_months, mois) + revisions.keep(warehouse, mois)
    return {
        "situations": rows,
        "mois_lus": ", ".join(read_months),
        "taux": written,
        "alertes": alerts.write(warehouse, mois, told),
        "effectifs": accounts.counts(warehouse, mois),
        "parametres": warehouse.replace("out__parametres_estimation", parameters),
        **contact.write(warehouse, settings, mois, _likelihoods(rights)),
        **_headlines(rights),
    }


def _write_published(warehouse: Warehouse, rights: list[Right], settings: Settings, mois: str) -> int:
    """Write ``out__taux`` and ``out__risques``; return the rows of the first."""
    past = durations.history(warehouse)
    found = [
        publication.published(right, past, settings, mois, _generator(settings, mois, n + len(RIGHTS)))
        for n, right in enumerate(rights)
    ]
    _write(warehouse, "out__risques", pl.concat(one.ratios for one in found), mois)
    return _write(warehouse, "out__taux", pl.concat(one.rates for one in found), mois)


def _likelihoods(rights: list[Right]) -> dict[str, contact.Likelihood]:
    return {right.reading.droit: contact.likelihood(right.reading, right.evidence) for right in rights}


def _headlines(rights: list[Right]) -> dict[str, float | str]:
    """The corrected rate of each right, in points, for the console."""
    found = {right.reading.droit: right.result for right in rights if right.result is not None}
    return {
        f"taux_{droit}": f"{100 * e.rate:.0f} % ({100 * e.low:.0f} à {100 * e.high:.0f})"
        for droit, e in found.items()
        if e.eligible
    }


def _right(reading: Reading, quality: pl.DataFrame, settings: Settings, mois: str) -> Right:
    se, _ = sensitivity(reading)
    found = evidence(reading, quality, se)
    options = settings.estimation
    generator = _generator(settings, mois, RIGHTS.index(reading.droit))
    return Right(reading, found, estimate(found, options.tirages, options.niveau, generator), se)


def _generator(settings: Settings, mois: str, stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.estimation.graine, month_number(mois), stream])


_ORDER = ("periode", "droit", "niveau", "code_territoire", "groupe", "methode")


def _write(warehouse: Warehouse, table: str, rows: pl.DataFrame, mois: str) -> int:
    """Replace the rows of the period, keep those of the others."""
    if warehouse.exists(table):
        kept = warehouse.read(table).filter(pl.col("periode") != period_code(mois))
        rows = pl.concat([kept.select(rows.columns), rows])
    return warehouse.replace(table, rows.sort([name for name in _ORDER if name in rows.columns]))
