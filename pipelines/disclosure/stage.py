"""The front door of disclosure control: out__taux and out__effectifs in, what may be shown out."""

import polars as pl

from pipelines import territory
from pipelines.calendar import period_code
from pipelines.disclosure.rule import (
    SIDES,
    Cell,
    Reason,
    Thresholds,
    by_partition,
    decide,
    decide_counts,
    own_reason,
    partitions,
)
from pipelines.refusals import Refusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse
from schemas.warehouse_tables import empty_table

HEADLINES = ("rsa", "ppa")
"""Rights whose detail may be published."""

TOTALS = (*HEADLINES, "rsa_et_ppa")
"""Rights published over the territory; the exclusive ones (rsa_seul…) would give rsa_et_ppa back: inside."""

_REASONS_OF = {
    "inconnus": "inconnu",
    "en_cours": "en_cours",
    "desaccords": "desaccord",
    "partis": "parti",
}
"""Rubriques that detail one situation each: rubrique to situation."""

_LINKS, _WHOLE = "liens", "ensemble"
_CRITERION = ["source_g", "source_d", "classe"]
_MEASURED = ("valeur", "bas", "haut", "n")

_VALUES = ("eligibles", "non_recourants", "taux", "taux_bas", "taux_haut", "euros_mois")
_KEY = ["periode", "droit", "niveau", "code_territoire", "groupe", "methode"]


def run(warehouse: Warehouse, settings: Settings, mois: str) -> dict[str, int | float | str]:
    """Write ``out__diffusion``, ``out__diffusion_risques``, ``…_effectifs`` and ``…_appariement``.

    Hidden values are null, with their reason.
    ``out__diffusion`` has the columns of ``out__taux``, ``est_publie`` and ``motif`` ('', 'seuil',
    'certitude', 'complementaire', 'detail'). Raises :class:`Refusal` when the period has no estimate.
    """
    rates = warehouse.read("out__taux")
    _refuse_without_estimate(rates, mois)
    limits = Thresholds(settings.publication.seuil, settings.publication.seuil_eligibles)
    published = hide(rates, limits, grouping_of(settings))
    ratios = hide_ratios(_ratios(warehouse), published)
    counts = hide_counts(warehouse.read("out__effectifs"), limits.seuil)
    linkage = hide_quality(warehouse.read("out__qualite_appariement"), limits)
    warehouse.replace("out__diffusion_appariement", linkage)
    warehouse.replace("out__diffusion", published)
    warehouse.replace("out__diffusion_risques", ratios)
    warehouse.replace("out__diffusion_effectifs", counts)
    return {
        "lignes": published.height,
        "publiees": int(published["est_publie"].sum()),
        "complementaires": published.filter(pl.col("motif") == "complementaire").height,
        "effectifs_caches": counts.filter(~pl.col("est_publie")).height,
    }


def _ratios(warehouse: Warehouse) -> pl.DataFrame:
    known = warehouse.exists("out__risques")
    return warehouse.read("out__risques") if known else empty_table("out__risques")


def grouping_of(settings: Settings) -> dict[str, str]:
    """Grouping of each commune of the territory."""
    inside = territory.load(settings.territoire).inside.drop_nulls("regroupement")
    return dict(inside.select("commune_insee", "regroupement").iter_rows())


def hide(rates: pl.DataFrame, limits: Thresholds, groupings: dict[str, str] | None = None) -> pl.DataFrame:
    """The rows of ``out__taux``, in the same order, values null where they may not be shown.

    ``groupings``: grouping of each commune; a commune of no known one is not shown.
    """
    systems = rates.group_by("periode", "droit", maintain_order=True)
    reasons = [_row_reasons(rows, limits, groupings or {}) for _, rows in systems]
    decided = pl.concat(reasons) if reasons else rates.select(_KEY).with_columns(motif=pl.lit(""))
    with_reason = rates.join(decided, on=_KEY, how="left", maintain_order="left", nulls_equal=True)
    is_shown = pl.col("motif") == ""
    return with_reason.with_columns(
        *(pl.when(is_shown).then(pl.col(name)).alias(name) for name in _VALUES), est_publie=is_shown
    )


def _row_reasons(rates: pl.DataFrame, limits: Thresholds, groupings: dict[str, str]) -> pl.DataFrame:
    """Reasons of the rows of one period and right: totals, places, profile; everything else is detail."""
    headline = rates["droit"][0] in HEADLINES
    is_total = pl.col("droit").is_in(TOTALS)
    totals = rates.filter(is_total, niveau="EPCI", groupe="ensemble")
    found = [_keyed(totals, {_code(row): own_reason(_cell(row), limits) for row in totals.rows(named=True)})]
    if headline:
        places = _one_method(rates.filter(niveau="regroupement", groupe="ensemble"))
        profile = _one_method_each(rates.filter(pl.col("niveau") == "EPCI", pl.col("groupe") != "ensemble"))
        of_places = _decided(places, limits)
        communes = rates.filter(niveau="commune", groupe="ensemble", methode="corrige")
        found.append(_keyed(places, of_places))
        found.append(_keyed(profile, _with_steps(profile, _decided(profile, limits))))
        found.append(_keyed(communes, _communes(communes, groupings, _shown(places, of_places), limits)))
    known = pl.concat(found)
    rest = rates.select(_KEY).join(known, on=_KEY, how="anti", nulls_equal=True)
    return pl.concat([known, rest.with_columns(motif=pl.lit("detail"))])


def _shown(places: pl.DataFrame, reasons: dict[str, Reason]) -> set[str]:
    return {row["code_territoire"] for row in places.rows(named=True) if not reasons[_code(row)]}


def _communes(
    communes: pl.DataFrame, groupings: dict[str, str], shown: set[str], limits: Thresholds
) -> dict[str, Reason]:
    """Communes are the partition of their grouping: hidden with it, else protected within it."""
    reasons: dict[str, Reason] = {}
    inside: dict[str, list[Cell]] = {}
    for row in communes.rows(named=True):
        grouping = groupings.get(row["code_territoire"], "")
        reasons[_code(row)] = "complementaire"
        if grouping in shown:
            inside.setdefault(grouping, []).append(_cell(row))
    for cells in inside.values():
        reasons |= decide(cells, limits)
    return reasons


def _with_steps(profile: pl.DataFrame, reasons: dict[str, Reason]) -> dict[str, Reason]:
    """Hide the steps of a hidden path: their sum would give it back."""
    codes = {row["groupe"]: _code(row) for row in profile.rows(named=True)}
    hidden: dict[str, Reason] = {
        codes[step]: "complementaire"
        for step, path in SIDES.items()
        if step in codes and path in codes and reasons[codes[path]] and not reasons[codes[step]]
    }
    return reasons | hidden


def hide_ratios(ratios: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``out__risques``, null unless both rates are shown: a ratio gives one from the other."""
    key = ["periode", "droit", "code_territoire"]
    shown = published.filter("est_publie", niveau="EPCI", methode="corrige").select(*key, "groupe").unique()
    for name in ("groupe", "reference"):
        told = shown.rename({"groupe": name}).with_columns(pl.lit(True).alias(f"_{name}"))
        ratios = ratios.join(told, on=[*key, name], how="left", maintain_order="left")
    both = pl.col("_groupe").fill_null(False) & pl.col("_reference").fill_null(False)
    values = (pl.when(both).then(name).alias(name) for name in ("rapport", "rapport_bas", "rapport_haut"))
    return ratios.with_columns(*values, est_publie=both).drop("_groupe", "_reference")


def _one_method(rates: pl.DataFrame) -> pl.DataFrame:
    """The corrected rows of a detail, or the observed ones where nothing was corrected: never both."""
    corrected = rates.filter(methode="corrige")
    return corrected if corrected.height else rates.filter(methode="observe")


def _one_method_each(profile: pl.DataFrame) -> pl.DataFrame:
    """The same, dimension by dimension: one that nothing could correct is shown as observed."""
    dimension = pl.col("groupe").str.split(":").list.first()
    parts = [_one_method(part) for _, part in profile.group_by(dimension, maintain_order=True)]
    return pl.concat(parts) if parts else profile


def _decided(rates: pl.DataFrame, limits: Thresholds) -> dict[str, Reason]:
    cells = [_cell(row) for row in rates.rows(named=True)]
    groupes = {_code(row): row["groupe"] for row in rates.rows(named=True)}
    names = partitions(sorted(set(groupes.values())))
    reasons: dict[str, Reason] = {}
    for partition in by_partition(cells, {code: names[groupe] for code, groupe in groupes.items()}):
        reasons |= decide(partition, limits)
    return reasons


def _keyed(rates: pl.DataFrame, reasons: dict[str, Reason]) -> pl.DataFrame:
    motifs = [reasons[_code(row)] for row in rates.rows(named=True)]
    return rates.select(_KEY).with_columns(motif=pl.Series("motif", motifs, dtype=pl.String))


def _cell(row: dict[str, object]) -> Cell:
    return Cell(
        code=_code(row),
        eligibles=float(str(row["eligibles"] or 0)),
        non_recourants=float(str(row["non_recourants"] or 0)),
        est_diffusable=bool(row["est_diffusable"]),
    )


def _code(row: dict[str, object]) -> str:
    return "|".join(str(row[name]) for name in _KEY)


def hide_counts(counts: pl.DataFrame, seuil: int) -> pl.DataFrame:
    """The rows of ``out__effectifs``; each rubrique and right is a partition, reasons follow situations.

    ``departement_*`` counts what no other row of its rubrique counts: it is nobody's company.
    """
    is_apart = pl.col("modalite").str.starts_with("departement_")
    partition = pl.concat_str("rubrique", "droit", is_apart, separator="|", ignore_nulls=True)
    numbered = counts.with_row_index("ligne").with_columns(partition=partition)
    hidden: set[str] = set()
    for part in numbered.partition_by("partition"):
        hidden |= decide_counts(dict(part.select(pl.col("ligne").cast(pl.String), "menages").rows()), seuil)
    hidden |= _children(numbered, hidden)
    is_shown = ~pl.col("ligne").cast(pl.String).is_in(sorted(hidden))
    shown = numbered.with_columns(menages=pl.when(is_shown).then("menages"), est_publie=is_shown)
    return shown.drop("ligne", "partition")


def hide_quality(quality: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """The rows of ``out__qualite_appariement`` with ``est_publie``.

    A class of few linked persons is hidden, with all its measures, and another of the same criterion with it
    when the total would give it back. Measures about everybody are always shown.
    """
    is_whole = pl.col("classe") == _WHOLE
    counted = quality.filter(~is_whole, mesure=_LINKS)
    parts = counted.partition_by(_CRITERION, maintain_order=True)
    hidden = pl.concat([counted.head(0), *(_hidden_classes(part, limits) for part in parts)])
    key = [*_CRITERION, "modalite"]
    told = hidden.select(*key, est_publie=pl.lit(False))
    shown = quality.join(told, on=key, how="left", maintain_order="left").with_columns(
        pl.col("est_publie").fill_null(True)
    )
    return shown.with_columns(pl.when("est_publie").then(name).alias(name) for name in _MEASURED)


def _hidden_classes(links: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    counts = dict(links.select("modalite", "valeur").rows())
    few = decide_counts(counts, limits.seuil_eligibles) | {
        name for name, count in counts.items() if not count
    }
    return links.filter(pl.col("modalite").is_in(sorted(few)))


def _children(numbered: pl.DataFrame, hidden: set[str]) -> set[str]:
    """The reasons (rubrique ``inconnus``, ``partis``…) of the situations that are hidden."""
    lines = pl.col("ligne").cast(pl.String).is_in(sorted(hidden))
    parents = numbered.filter(lines, rubrique="situations").select("droit", situation="modalite")
    reasons = numbered.with_columns(situation=pl.col("rubrique").replace_strict(_REASONS_OF, default=None))
    found = reasons.join(parents, on=["droit", "situation"], how="semi", nulls_equal=False)
    return set(found["ligne"].cast(pl.String))


def _refuse_without_estimate(rates: pl.DataFrame, mois: str) -> None:
    if rates.filter(periode=period_code(mois)).is_empty():
        raise Refusal(
            f"Aucune estimation pour la période {period_code(mois)}.",
            ou="out__taux",
            que_faire="Lancer d'abord l'estimation de ce mois.",
        )
