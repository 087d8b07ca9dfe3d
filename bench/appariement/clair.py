"""The reference: the same linkage on clear text, the model given as much care as the encoded one's."""

from itertools import product

import polars as pl

from bench.appariement.splink import Specification
from pipelines.linkage.model import Comparison, Level, Rule
from pipelines.source.encode import _plain

_BOTH_WAYS = tuple(product(("naissance", "usage"), repeat=2))
_ELSE = "ELSE"


def encode(fiches: pl.DataFrame, mois: str) -> pl.DataFrame:
    """The normalised identity in clear: what every encoder reads."""
    plain = _plain(fiches, mois).with_columns(
        naissance_annee=pl.col("annee").cast(pl.Int32),
        nir=pl.coalesce("nir", "nir_provisoire"),
        naissance=pl.coalesce("naissance", "usage"),
        usage=pl.coalesce("usage", "naissance"),
        phon_naissance=pl.coalesce("phon_naissance", "phon_usage"),
        phon_usage=pl.coalesce("phon_usage", "phon_naissance"),
    )
    return pl.concat([fiches.select("fiche", "source", "sexe", "commune_insee"), plain], how="horizontal")


def _best(measure: str) -> str:
    return f"greatest({', '.join(measure.format(f'{a}_l', f'{b}_r') for a, b in _BOTH_WAYS)})"


def _any(condition: str) -> str:
    return f"({' or '.join(condition.format(f'{a}_l', f'{b}_r') for a, b in _BOTH_WAYS)})"


_NAMES = _best("jaro_winkler_similarity({0}, {1})")
_CONTAINED = _any("contains({0}, {1})") + " or " + _any("contains({1}, {0})")
_TURNED = f"{_any('{0} = prenom_r')} and {_any('{1} = prenom_l')}"
_GIVEN = "jaro_winkler_similarity(prenom_l, prenom_r)"

COMPARISONS = (
    Comparison(
        "nir", "nir_l is null or nir_r is null",
        (Level("égal", "nir_l = nir_r", 0.997, 1e-6), Level("différent", _ELSE, 0.003, 0.999999)),
        est_u_connu=True,
    ),
    Comparison(
        "date", "date_l is null or date_r is null",
        (
            Level("égale", "date_l = date_r", 0.955, 4.5e-5),
            Level("mêmes chiffres", "chiffres_l = chiffres_r", 0.02, 1e-4),
            Level("un caractère", "damerau_levenshtein(date_l, date_r) = 1", 0.01, 8e-4),
            Level("même année", "annee_l = annee_r", 0.005, 0.0115),
            Level("autre", _ELSE, 0.01, 0.9876),
        ),
        est_u_connu=True,
    ),
    Comparison(
        "noms", "naissance_l is null or naissance_r is null",
        (
            Level("égal", _any("{0} = {1}"), 0.93, 0.002),
            Level("égal à l'oreille", _any("phon_{0} = phon_{1}"), 0.02, 0.0005),
            Level("très proche", f"{_NAMES} >= 0.92", 0.02, 0.001),
            Level("échangé avec le prénom", _TURNED, 0.002, 1e-6),
            Level("proche ou contenu", f"{_NAMES} >= 0.82 or {_CONTAINED}", 0.013, 0.01),
            Level("différent", _ELSE, 0.015, 0.9865),
        ),
    ),
    Comparison(
        "prenoms", "prenom_l is null or prenom_r is null",
        (
            Level("égal", "prenom_l = prenom_r", 0.94, 0.015),
            Level("très proche", f"phon_prenom_l = phon_prenom_r or {_GIVEN} >= 0.92", 0.025, 0.002),
            Level("échangé avec le nom", _TURNED, 0.002, 1e-6),
            Level(
                "proche ou contenu",
                f"{_GIVEN} >= 0.8 or contains(mots_prenoms_l, prenom_r) "
                "or contains(mots_prenoms_r, prenom_l)",
                0.013, 0.01,
            ),
            Level("différent", _ELSE, 0.02, 0.973),
        ),
    ),
    Comparison(
        "lieu", "lieu_l is null or lieu_r is null",
        (Level("égal", "lieu_l = lieu_r", 0.99, 0.3), Level("différent", _ELSE, 0.01, 0.7)),
    ),
    Comparison(
        "commune", "commune_insee_l is null or commune_insee_r is null",
        (
            Level("égale", "commune_insee_l = commune_insee_r", 0.93, 0.05),
            Level("différente", _ELSE, 0.07, 0.95),
        ),
    ),
    Comparison(
        "sexe", "sexe_l is null or sexe_r is null",
        (Level("égal", "sexe_l = sexe_r", 0.995, 0.5), Level("différent", _ELSE, 0.005, 0.5)),
    ),
)  # fmt: skip


def _rules(name: str, condition: str) -> list[Rule]:
    return [Rule(f"{name}_{a}_{b}", condition.format(f"l.phon_{a}", f"r.phon_{b}")) for a, b in _BOTH_WAYS]


BLOCKING = (
    *_rules("nom_et_date", "{0} = {1} and l.date = r.date"),
    Rule("prenom_et_date", "l.phon_prenom = r.phon_prenom and l.date = r.date"),
    Rule("nom_prenom_echanges", "l.naissance = r.prenom and l.prenom = r.naissance"),
    *_rules("nom_prenom_annee", "{0} = {1} and l.phon_prenom = r.phon_prenom and l.annee = r.annee"),
    *_rules("nom_prenom_chiffres", "{0} = {1} and l.phon_prenom = r.phon_prenom and l.chiffres = r.chiffres"),
    *_rules("nom_prenom_jour", "{0} = {1} and l.phon_prenom = r.phon_prenom and l.jour = r.jour"),
    *_rules(
        "nom_prenom_commune",
        "{0} = {1} and l.phon_prenom = r.phon_prenom and l.commune_insee = r.commune_insee",
    ),
    Rule("date_commune", "l.date = r.date and l.commune_insee = r.commune_insee"),
    Rule("nir", "l.nir = r.nir"),
)
CERTAIN = ("l.nir = r.nir", "l.naissance = r.naissance and l.prenom = r.prenom and l.date = r.date")
TRAINING = (
    "l.nir = r.nir",
    "l.date = r.date and l.commune_insee = r.commune_insee",
    "l.naissance = r.naissance and l.prenom = r.prenom",
)
MODEL = Specification(COMPARISONS, BLOCKING, CERTAIN, TRAINING)
