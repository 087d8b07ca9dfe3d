"""Probabilities of the model, learned without labels: λ, u, then m by expectation–maximisation."""

from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
from splink import Linker, SettingsCreator
from splink.internals.constants import LEVEL_NOT_OBSERVED_TEXT

from pipelines.linkage.alerts import Alert
from pipelines.linkage.engines import Engine
from pipelines.linkage.model import (
    BLOCKING,
    CERTAIN,
    COMPARISONS,
    COUNTED_ON_NAMES,
    SAME_DATE_AND_COMMUNE,
    TRAINING_ON_NAMES,
    TRAINING_ON_NIR,
    UNRELATED,
    Comparison,
    Rule,
    case_expression,
    comparison,
)
from pipelines.linkage.sources import EVENTS

ENOUGH_TRAINING_PAIRS = 200
"""Pairs below which expectation–maximisation learns noise: the starting values are kept."""
ENOUGH_RANDOM_PAIRS = 1_000_000
"""Possible pairs below which random pairs hold too many matches to say anything about non-matches."""
_RANDOM_PAIRS = 4_000_000
_CONDITIONAL_PAIRS = 2_000_000
_CERTAIN_RECALL = 0.95
_ITERATIONS = 40
_LEAST = 1e-11
_DOUBT_BITS = 5
"""What is asked of a link on top, when no probability could be learned: more than one guess is wrong by."""
_BORROWED_NIR = 0.01
_BELIEVED_PAIRS = 100
_DECLARED = {spec.nom: spec for spec in COMPARISONS}
_GOLDEN, _SPREAD = 2_654_435_761, 1 << 32
"""Knuth's multiplier: record numbers that follow each other fall far from each other."""
_DAYS, _HEAPED_DAYS = 365, 1.3
"""Birthdays are not uniform: seasons, and the first of January of those whose day is unknown."""


@dataclass
class Model:
    """Splink's settings and what could not be learned: ``non_observes`` holds (comparaison, accord)."""

    reglages: dict[str, Any]
    alertes: list[Alert] = field(default_factory=list)
    est_appris: bool = True
    non_observes: set[tuple[str, str]] = field(default_factory=set)

    @property
    def prior(self) -> float:
        """Probability that two records of two sources, drawn at random, are one person."""
        return float(self.reglages["probability_two_random_records_match"])


def train(engine: Engine, sources: list[str], seed: int, former: pl.DataFrame | None = None) -> Model:
    """Learn the model on the records of the engine.

    ``former``: levels of another month's model (comparaison, accord, m, u, prior, mois). Learning starts from
    its m; too few pairs to learn from, and it is kept as it is.
    """
    if _possible_pairs(engine) < ENOUGH_RANDOM_PAIRS:
        return _starting_model(engine) if former is None else _kept_model(former)
    start = COMPARISONS if former is None else tuple(_from_former(spec, former, "m") for spec in COMPARISONS)
    prior, comparisons = _prior_and_u(engine, sources, seed, start)
    comparisons = [_with_conditional_u(engine, spec, seed) for spec in comparisons]
    comparisons, alerts = _with_counted_m(engine, comparisons)
    linker = engine.linker_of(sources, _settings(comparisons, prior), "em")
    alerts += _maximise(engine, linker, TRAINING_ON_NIR, "le NIR")
    model = Model(engine.learned(linker), alerts)
    engine.forget(linker)
    _settle(model, start)
    return model


def _settings(comparisons: list[Comparison], prior: float) -> dict[str, Any]:
    return SettingsCreator(
        link_type="link_only",
        unique_id_column_name="fiche",
        probability_two_random_records_match=prior,
        comparisons=[comparison(spec) for spec in comparisons],
        blocking_rules_to_generate_predictions=[{"blocking_rule": rule.condition} for rule in BLOCKING],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
        max_iterations=_ITERATIONS,
    ).create_settings_dict("duckdb")


def _possible_pairs(engine: Engine) -> int:
    counts = [n for (n,) in engine.rows("SELECT count(*) FROM fiches GROUP BY source")]
    return int((sum(counts) ** 2 - sum(n * n for n in counts)) // 2)


def _starting_model(engine: Engine) -> Model:
    records = engine.rows("SELECT count(*) FROM fiches")[0][0]
    prior = 2**-_DOUBT_BITS / max(records, 2)
    settings = _settings(list(COMPARISONS), prior)
    alert = Alert(
        "Sources trop petites pour apprendre le modèle : les valeurs de départ sont gardées. La probabilité "
        "d'un lien est une hypothèse, et un lien doit être plus sûr que d'ordinaire : le taux ne se publie "
        "pas sans relecture des liens."
    )
    return Model(settings, [alert], est_appris=False)


def _kept_model(former: pl.DataFrame) -> Model:
    comparisons = [_from_former(spec, former, "m", "u") for spec in COMPARISONS]
    settings = _settings(comparisons, former["prior"][0])
    alert = Alert(
        f"Sources trop petites pour apprendre le modèle : celui de {former['mois'][0]} est gardé tel quel. "
        "Ses probabilités valent si les partenaires saisissent comme ce mois-là."
    )
    return Model(settings, [alert], est_appris=False)


def _from_former(spec: Comparison, former: pl.DataFrame, *names: str) -> Comparison:
    own = {row["accord"]: row for row in former.filter(comparaison=spec.nom).iter_rows(named=True)}
    levels = (replace(level, **{name: own[level.libelle][name] for name in names}) for level in spec.niveaux)
    return replace(spec, niveaux=tuple(levels))


def _prior_and_u(
    engine: Engine, sources: list[str], seed: int, start: tuple[Comparison, ...]
) -> tuple[float, list[Comparison]]:
    """λ from certain rules, and u of the comparisons that speak of any pair, from random pairs."""
    unconditional = [spec for spec in start if not spec.sachant and not spec.est_u_connu]
    linker = engine.linker_of(sources, _settings(unconditional, 1e-5), "u")
    linker.training.estimate_probability_two_random_records_match(
        [rule.condition for rule in CERTAIN], recall=_CERTAIN_RECALL
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=seed)
    learned = engine.learned(linker)
    engine.forget(linker)
    estimates = {c["output_column_name"]: _u_of(c) for c in learned["comparisons"]}
    estimates |= {"nir": _u_of_nir(engine), "date": _u_of_date(engine)}
    comparisons = [_with_u(spec, estimates.get(spec.nom)) for spec in start]
    return float(learned["probability_two_random_records_match"]) or 1e-9, comparisons


def _u_of_nir(engine: Engine) -> list[float | None]:
    """Two persons at random bear one NIR by mistake: a spouse's or a parent's, on one record in a hundred."""
    records = engine.rows("SELECT count(*) FROM fiches")[0][0]
    return [_BORROWED_NIR / records, 1 - _BORROWED_NIR / records]


def _u_of_date(engine: Engine) -> list[float | None]:
    """Two persons at random are born in one year as often as years say, and then on one day in 365."""
    query = (
        "SELECT coalesce(sum(n * n) / sum(n) ** 2, 0.0125) FROM (SELECT count(*)::DOUBLE AS n FROM fiches "
        "WHERE naissance_annee IS NOT NULL GROUP BY naissance_annee)"
    )
    year = float(engine.rows(query)[0][0])
    day = year / _DAYS * _HEAPED_DAYS
    return [day, year - day, 1 - year]


def _u_of(learned: dict[str, Any]) -> list[float | None]:
    levels = [level for level in learned["comparison_levels"] if not level.get("is_null_level")]
    values = [level.get("u_probability") for level in levels]
    return [value if isinstance(value, float) else None for value in values]


def _with_u(spec: Comparison, estimates: list[float | None] | None) -> Comparison:
    if estimates is None:
        return spec
    levels = zip(spec.niveaux, estimates, strict=True)
    return replace(spec, niveaux=tuple(replace(lv, u=u if u is not None else lv.u) for lv, u in levels))


def _with_conditional_u(engine: Engine, spec: Comparison, seed: int) -> Comparison:
    """u of a comparison that speaks given the date, from pairs *inside* a source: never one person twice.

    Two records of two sources with one birth date are one person far too often to stand for non-matches.
    Each starting value counts as the one pair it expects: a level never met keeps it in small files, and gets
    at most one pair in large ones, never nothing.
    """
    if not spec.sachant:
        return spec
    counts = _levels_inside_sources(engine, spec, seed)
    best, total = len(spec.niveaux) - 1, sum(counts.values())
    agreements = [
        (counts.get(best - n, 0) + 1) / (total + 1 / level.u) for n, level in enumerate(spec.niveaux[:-1])
    ]
    return _with_u(spec, [*agreements, 1 - sum(agreements)])


def _levels_inside_sources(engine: Engine, spec: Comparison, seed: int) -> dict[int, int]:
    """Pairs inside the sources at each level; a level without any is left out."""
    if spec.sachant == "annee":
        return _met_by_name(engine, spec, ("chiffres", "commune"), _PAIRS_OF_ONE_YEAR)
    if spec.sachant == "autre_annee":
        return _met_by_name(engine, spec, ("chiffres", "commune"), _PAIRS_OF_TWO_YEARS)
    if spec.sachant == "sans_date":
        return _met_whatever_the_date(engine)
    met = f"{SAME_DATE_AND_COMMUNE} and {UNRELATED[spec.sachant]}"
    return _levels(engine, spec, met, _sampled_share(engine, "jeton_date_commune"), seed)


def _levels(engine: Engine, spec: Comparison, met: str, share: float = 1.0, seed: int = 0) -> dict[int, int]:
    left = ", ".join(f"l.{c} AS {c}_l, r.{c} AS {c}_r" for c in engine.columns())
    drawn = f"(SELECT * FROM fiches WHERE {_TEACHING} AND {_drawn(share, seed)})"  # noqa: S608
    rows = engine.rows(
        f"SELECT niveau, count(*) FROM (SELECT {case_expression(spec)} AS niveau FROM (SELECT {left} "  # noqa: S608
        f"FROM {drawn} AS l JOIN {drawn} AS r ON l.source = r.source AND {met} AND l.fiche < r.fiche"
        ") AS paires) AS comparees WHERE niveau >= 0 GROUP BY niveau"
    )
    return dict(rows)


_TEACHING = "source NOT IN ({})".format(", ".join(f"'{name}'" for name in EVENTS))


def _drawn(share: float, seed: int) -> str:
    """SQL drawing this share of the records, the same ones whatever the engine (multiplicative hashing)."""
    return f"((fiche + {seed % _SPREAD}) * {_GOLDEN}) % {_SPREAD} < {round(share * _SPREAD)}"


_PAIRS_OF_ONE_YEAR = "sum(n * (n - 1)) / 2"
_PAIRS_OF_TWO_YEARS = "(sum(n) ** 2 - sum(n ** 2)) / 2"


def _met_by_name(engine: Engine, spec: Comparison, parts: tuple[str, ...], all_pairs: str) -> dict[int, int]:
    """Agreements are met by the tokens of name and ``parts``, all other pairs being disagreements."""
    counts: dict[int, int] = {}
    for part in parts:
        token = f"jeton_naissance_prenom_{part}"
        for level, pairs in _levels(engine, spec, f"l.{token} = r.{token}").items():
            counts[level] = max(counts.get(level, 0), pairs)
    others = _pairs_of_years(engine, all_pairs) - sum(pairs for level, pairs in counts.items() if level)
    return counts | {0: max(others, 0)}


def _pairs_of_years(engine: Engine, pairs: str) -> int:
    """Pairs inside the sources, counted by ``pairs`` from n, the records of each birth year."""
    query = (
        f"SELECT {pairs} FROM (SELECT source, naissance_annee, count(*)::DOUBLE AS n FROM fiches "  # noqa: S608
        f"WHERE naissance_annee IS NOT NULL AND {_TEACHING} GROUP BY source, naissance_annee"
        ") AS annees GROUP BY source"
    )
    counted = engine.rows(query)
    return int(sum(of_source for (of_source,) in counted))


def _met_whatever_the_date(engine: Engine) -> dict[int, int]:
    """Pairs inside the sources of one name, first name and commune, and all the others."""
    token, pairs = "jeton_naissance_prenom_commune", "sum(n * (n - 1) / 2)"
    query = (
        f"SELECT {pairs} FROM (SELECT count(*) AS n FROM fiches WHERE {token} IS NOT NULL AND {_TEACHING} "  # noqa: S608
        "GROUP BY source{}) AS groupes"
    )
    alike, every = (int(engine.rows(query.format(by))[0][0] or 0) for by in (f", {token}", ""))
    return {1: alike, 0: every - alike}


def _sampled_share(engine: Engine, key: str) -> float:
    """Share of records to draw so that the pairs inside the sources stay near ``_CONDITIONAL_PAIRS``."""
    pairs = engine.rows(
        f"SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM fiches WHERE {key} IS NOT NULL "  # noqa: S608
        f"GROUP BY source, {key})"
    )[0][0]
    return float(min(1.0, (_CONDITIONAL_PAIRS / max(pairs or 0, 1)) ** 0.5))


def _with_counted_m(engine: Engine, specs: list[Comparison]) -> tuple[list[Comparison], list[Alert]]:
    """m of what says nothing of names and dates, counted among the pairs that share them all.

    Those pairs are matches as good as certain. Maximising over them would have two weak agreements tell
    matches from others, and call every person who moved another person. The declared values count as
    ``_BELIEVED_PAIRS`` pairs: a slip nobody made this month does not become impossible.
    """
    if alerts := _too_few(engine, TRAINING_ON_NAMES, "nom, prénom et date"):
        return specs, alerts
    return [_counted(engine, spec) if spec.nom in COUNTED_ON_NAMES else spec for spec in specs], []


def _counted(engine: Engine, spec: Comparison) -> Comparison:
    left = ", ".join(f"l.{c} AS {c}_l, r.{c} AS {c}_r" for c in engine.columns())
    counts: dict[int, int] = dict(
        engine.rows(
            f"SELECT niveau, count(*) FROM (SELECT {case_expression(spec)} AS niveau FROM (SELECT {left} "  # noqa: S608
            f"FROM fiches AS l JOIN fiches AS r ON {TRAINING_ON_NAMES.condition} AND l.source < r.source"
            ") AS paires) AS comparees WHERE niveau >= 0 GROUP BY niveau"
        )
    )
    best, total = len(spec.niveaux) - 1, sum(counts.values()) + _BELIEVED_PAIRS
    believed = [level.m * _BELIEVED_PAIRS for level in _DECLARED[spec.nom].niveaux]
    levels = (
        replace(level, m=(counts.get(best - n, 0) + believed[n]) / total)
        for n, level in enumerate(spec.niveaux)
    )
    return replace(spec, niveaux=tuple(levels))


def _too_few(engine: Engine, rule: Rule, french: str) -> list[Alert]:
    pairs = engine.rows(
        f"SELECT count(*) FROM fiches l JOIN fiches r ON {rule.condition} AND l.source < r.source"  # noqa: S608
    )[0][0]
    if pairs >= ENOUGH_TRAINING_PAIRS:
        return []
    return [
        Alert(
            f"Moins de {ENOUGH_TRAINING_PAIRS} paires ont en commun {french} : apprentissage omis. Les "
            "accords qu'il enseigne gardent leur poids de départ ; les probabilités sont moins sûres."
        )
    ]


def _maximise(engine: Engine, linker: Linker, rule: Rule, french: str) -> list[Alert]:
    if alerts := _too_few(engine, rule, french):
        return alerts
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        rule.condition, estimate_without_term_frequencies=True
    )
    if len(session._core_model_settings_history) > session.training_settings.max_iterations:
        return [
            Alert(
                f"L'apprentissage sur {french} n'a pas convergé : les poids bougeaient encore à la dernière "
                "itération. Les probabilités des liens sont approchées : comparer les taux de faux liens et "
                "de liens manqués à ceux du mois précédent avant de lire le taux."
            )
        ]
    return []


def _settle(model: Model, start: tuple[Comparison, ...]) -> None:
    """Give a value to what was never observed, with a warning; round: a rerun gives the same bytes."""
    specs = {spec.nom: spec for spec in start}
    for learned in model.reglages["comparisons"]:
        spec = specs[learned["output_column_name"]]
        levels = [level for level in learned["comparison_levels"] if not level.get("is_null_level")]
        for level, first in zip(levels, spec.niveaux, strict=True):
            if (
                level.get("m_probability", first.m) in (first.m, LEVEL_NOT_OBSERVED_TEXT)
                and not spec.est_m_connu
            ):
                model.non_observes.add((spec.nom, first.libelle))
            level["m_probability"] = _settled(level.get("m_probability"), first.m)
            level["u_probability"] = _settled(level.get("u_probability"), first.u)
    model.reglages["probability_two_random_records_match"] = _rounded(model.prior)
    model.alertes += _unobserved(model)


def _unobserved(model: Model) -> list[Alert]:
    if not model.non_observes:
        return []
    names = ", ".join(f"« {level} »" for _, level in sorted(model.non_observes))
    return [
        Alert(
            f"Niveau jamais observé à l'apprentissage : {names}. Leur poids de départ est gardé : c'est une "
            "hypothèse, et un lien qui en dépend est moins sûr que sa probabilité ne le dit.",
            "information",
        )
    ]


def _settled(learned: Any, start: float) -> float:
    value = learned if isinstance(learned, float) else start
    return _rounded(min(max(value, _LEAST), 1 - _LEAST))


def _rounded(value: float) -> float:
    """Nine significant digits: sums made in another order differ past the twelfth."""
    return float(f"{value:.9g}")
