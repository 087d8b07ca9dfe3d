"""out__effectifs and out__parametres_estimation: what is left out, and what the correction rests on."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from pipelines.calendar import month_number, window
from pipelines.estimation import situations
from pipelines.estimation.classes import AGE_BANDS, Floats
from pipelines.estimation.estimator import Estimate, Evidence, central_parameters, rate_at_specificity
from pipelines.estimation.evidence import nonrecipients, sensitivity
from pipelines.estimation.link_rates import PooledRate
from pipelines.estimation.precision import TARGET_HALF_WIDTH, how_many_more
from pipelines.estimation.publication import Right
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

SPECIFICITIES = (1.0, 0.995, 0.99)
PRECISION_FOR = ("rsa", "ppa")

_DRAWS = 2_000
_BAND_NAMES = {"moins_50": "moins de 50 ans", "50_64": "50 à 64 ans", "65_plus": "65 ans et plus"}

COLUMNS = {
    "nom": pl.String,
    "valeur": pl.Float64,
    "bas": pl.Float64,
    "haut": pl.Float64,
    "source": pl.String,
}

Row = tuple[str, float | None, float | None, float | None, str]


def counts(warehouse: Warehouse, mois: str) -> int:
    """Write ``out__effectifs``; return its rows."""
    return warehouse.build("out/out__effectifs", **situations.parameters(mois))


def parameters(
    rights: list[Right],
    extracts: pl.DataFrame,
    sample: pl.DataFrame,
    settings: Settings,
    mois: str,
    seed: int,
) -> pl.DataFrame:
    """``out__parametres_estimation``: one row per parameter, right and, where it has one, age band.

    ``extracts``: meta__extraits, for the age in months of the newest file used of each partner. ``sample``:
    the records drawn (core/echantillon_reponses_courantes), for the response rates of twelve months.
    """
    rows = [row for right in rights for row in _of_right(right, settings, seed)]
    rows += [*_delays(extracts, mois), *_responses(sample, mois)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _responses(sample: pl.DataFrame, mois: str) -> Iterator[Row]:
    """Share of the records drawn that were answered, by partner and by what splits its strata first."""
    recent = sample.filter(pl.col("mois").is_in(window(mois, 12)))
    profile = pl.col("strate_tirage").str.split(" ; ").list.first()
    rates = recent.group_by("partenaire", profil=profile).agg(pl.col("est_repondue").mean(), n=pl.len())
    for partner, strata, rate, drawn in rates.sort("partenaire", "profil").rows():
        yield "taux_reponse", float(rate), None, None, f"{partner} ; {strata} ; {drawn} fiches tirées"


def _delays(extracts: pl.DataFrame, mois: str) -> Iterator[Row]:
    newest = extracts.filter("est_utilise").group_by("partenaire").agg(pl.col("mois").max())
    for partner, month in newest.sort("partenaire").rows():
        delay = float(month_number(mois) - month_number(month))
        yield "retard_mois", delay, None, None, f"{partner} ; extrait de {month}"


def _of_right(right: Right, settings: Settings, seed: int) -> Iterator[Row]:
    droit = right.reading.droit
    generator = np.random.default_rng(seed)
    rates = right.evidence.rates
    for nom, rate in (("R", rates.entitled), ("r", rates.known), ("f", rates.absent)):
        yield from _rate_rows(nom, rate, droit, settings.estimation.niveau, generator)
    se, paid = sensitivity(right.reading)
    yield "Se", se, None, None, f"{droit} ; {paid:.0f} ménages payés dont les ressources sont connues"
    yield from _correction(right, droit)
    if right.result is not None:
        yield from _of_result(right, right.result, settings, seed)


def _rate_rows(
    nom: str, rate: PooledRate, droit: str, level: float, generator: np.random.Generator
) -> Iterator[Row]:
    drawn = rate.draw(_DRAWS, generator)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    for band, name in enumerate(AGE_BANDS):
        source = f"{droit} ; {_BAND_NAMES[name]} ; {_basis(rate, band)}"
        yield nom, float(rate.mean[band]), float(low[band]), float(high[band]), source


def _basis(rate: PooledRate, band: int) -> str:
    """What a rate of the linkage rests on: answers of the partners, or else the measure made without them."""
    if rate.trials.sum():
        return f"{rate.trials[band]:.0f} réponses"
    return f"non vérifié : {rate.origine}" if rate.origine else "non vérifié"


def _correction(right: Right, droit: str) -> Iterator[Row]:
    evidence = right.evidence
    central = central_parameters(evidence)
    asked = evidence.rates.entitled.seen.asked
    audited = "échantillon de vérification" if asked else "ménages éligibles liés"
    yield (
        "kappa",
        _mean_kappa(central.kappa[0], evidence.u),
        None,
        None,
        f"{droit} ; {_kappa_basis(evidence)}",
    )
    yield "cov", float(central.coverage[0]), None, None, f"{droit} ; {audited}"
    for question, known in (("droit", evidence.reliability), ("annuaire", evidence.directory)):
        if known.sure:
            source = f"{droit} ; {question} ; {known.sure:.0f} réponses dont la vérité est presque sûre"
            yield "epsilon", known.mean, None, None, source
    told = f"{evidence.answers.count:.0f} réponses" if evidence.answers.count else "a priori, non vérifié"
    for nom, value in zip(("delta0", "delta1", "delta2"), central.shift[0], strict=True):
        yield nom, float(value), None, None, f"{droit} ; {told}"
    for nom, households in (("U", evidence.u), ("T", evidence.t), ("A2", evidence.a2 + evidence.a2_known)):
        yield nom, float(households.sum()), None, None, f"{droit} ; ménages"


def _mean_kappa(kappa: Floats, u: Floats) -> float:
    """κ over the households it applies to."""
    return float((kappa * (u + 1e-9)).sum() / (u + 1e-9).sum())


def _kappa_basis(evidence: Evidence) -> str:
    told = evidence.kappa.answers.count
    return f"ménages liés sans prestation et {told:.0f} réponses" if told else "ménages liés sans prestation"


def _of_result(right: Right, result: Estimate, settings: Settings, seed: int) -> Iterator[Row]:
    droit, evidence = right.reading.droit, right.evidence
    found = float(result.central.x.sum())
    low, high = np.quantile(result.drawn.x.sum(axis=1), [0.025, 0.975])
    yield (
        "X",
        found,
        float(low),
        float(high),
        f"{droit} ; ménages absents de la CAF, forme « {result.forme} »",
    )
    for sp in SPECIFICITIES:
        bound = rate_at_specificity(result, evidence, nonrecipients(right.reading), sp)
        yield f"taux_si_specificite_{sp:g}", bound, None, None, f"{droit} ; borne, spécificité non identifiée"
    if droit in PRECISION_FOR:
        yield _precision(evidence, droit, settings, seed)


def _precision(evidence: Evidence, droit: str, settings: Settings, seed: int) -> Row:
    options = settings.estimation
    needed = how_many_more(evidence, options.tirages, options.niveau, seed)
    width = f"{droit} ; réponses de plus à chaque tirage pour ± {100 * TARGET_HALF_WIDTH:.0f} points"
    source = width if needed is not None else f"{width} : hors d'atteinte"
    return "verifications_manquantes", None if needed is None else float(needed), None, None, source
