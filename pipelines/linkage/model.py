"""What is compared between two records, and which records are compared: the model given to Splink.

Filters are salted with birth date and commune: names and given names are compared, letter by letter, between
records of one date and one commune. Who moved is compared by tokens that bind the date to a name and a first
name, or to one of them and the first letters of the other; names are absent where dates are not known to be
equal. There, tokens of name, first name and the digits of the date or the commune stand in for the three,
and where even the name differs, the first name bound to an equal NIR. Each piece of evidence is thus counted
once, given the date.
"""

import re
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from pipelines.linkage.sources import WORDS

Given = Literal["", "meme_prenom", "autre_nom", "annee", "autre_annee", "sans_date"]

_BOTH_WAYS = tuple(product(("naissance", "usage"), repeat=2))


@dataclass(frozen=True)
class Level:
    """A degree of agreement. ``m``, ``u``: starting probabilities among matches and non-matches."""

    libelle: str
    condition: str
    m: float
    u: float


@dataclass(frozen=True)
class Comparison:
    """Degrees of agreement from best to worst; ``absente`` is the condition under which nothing is said.

    ``sachant``: the comparison speaks only of some pairs; its u is counted inside the sources, among pairs
    of one birth date and commune whose first names are alike, or whose names are not, of one birth year, of
    two, or among all.
    ``est_u_connu``: u is known beforehand; random pairs would take their few matches for coincidences.
    ``est_m_connu``: m was learned apart, and is not to be learned again from other pairs.
    """

    nom: str
    absente: str
    niveaux: tuple[Level, ...]
    sachant: Given = ""
    est_u_connu: bool = False
    est_m_connu: bool = False


@dataclass(frozen=True)
class Rule:
    """A blocking rule: pairs for which ``condition`` holds are compared. ``famille``: its name in French."""

    nom: str
    condition: str
    famille: str = ""


def _common_bits(left: str, right: str) -> str:
    words = (f"bit_count({left}_{n}_l & {right}_{n}_r)::INTEGER" for n in range(WORDS))
    return f"({' + '.join(words)})"


def _dice(left: str, right: str) -> str:
    return f"2.0 * {_common_bits(left, right)} / nullif({left}_bits_l + {right}_bits_r, 0)"


def _inclusion(left: str, right: str) -> str:
    return f"1.0 * {_common_bits(left, right)} / nullif(least({left}_bits_l, {right}_bits_r), 0)"


def _best(measure: Any) -> str:
    return f"greatest({', '.join(measure(f'filtre_{a}', f'filtre_{b}') for a, b in _BOTH_WAYS)})"


def _crossed(token: str) -> str:
    pairs = (f"jeton_{a}_{token}_l = jeton_{b}_{token}_r" for a, b in _BOTH_WAYS)
    return " or ".join(pairs)


def _equal(token: str) -> str:
    return f"jeton_{token}_l = jeton_{token}_r"


def _surely(condition: str) -> str:
    return f"coalesce({condition}, false)"


_BY_NAME = ("prenom_date", "initiale_date", "debut_prenom_date")
_SAME_PLACE = _surely(_equal("date_commune"))
_SAME_DATE = _surely(" or ".join([_equal("date_commune"), *(_crossed(token) for token in _BY_NAME)]))
_SAME_YEAR_OTHER_DATE = f"naissance_annee_l = naissance_annee_r and not {_SAME_DATE}"
_NO_YEAR = "naissance_annee_l is null or naissance_annee_r is null"
_YEAR_MISTYPED = "levenshtein(naissance_annee_l::VARCHAR, naissance_annee_r::VARCHAR) = 1"
_SAME_NAME_ELSEWHERE = _surely(f"{_crossed('prenom_chiffres')} or {_crossed('prenom_commune')}")
_INCOMPLETE_DATE = "jeton_naissance_prenom_chiffres_l is null or jeton_naissance_prenom_chiffres_r is null"
_NO_NAME = "jeton_naissance_prenom_commune_l is null or jeton_naissance_prenom_commune_r is null"
_NAMES, _GIVEN_NAMES = _best(_dice), _dice("filtre_prenoms", "filtre_prenoms")
_TURNED = (
    f"least({_dice('filtre_naissance', 'filtre_prenoms')}, {_dice('filtre_prenoms', 'filtre_naissance')})"
)
_CONTAINED = _inclusion("filtre_prenoms", "filtre_prenoms")


def _alike(condition: str) -> str:
    """Filters are alike only where their salt is one."""
    return f"({_SAME_PLACE} and ({condition}))"


NEAR_KM = 15
"""Centres of two communes nearer than this are neighbours: who moves seldom goes far."""
SMALL_SHARE = 0.02
"""A commune with a smaller share of the records is small: living there by chance is rarer."""
_KILOMETRES = "sqrt((est_km_l - est_km_r) ** 2 + (nord_km_l - nord_km_r) ** 2)"
_ELSE = "ELSE"

COMPARISONS = (
    Comparison(
        "nir",
        "(jeton_nir_l is null or jeton_nir_r is null) "
        "and (jeton_nir_provisoire_l is null or jeton_nir_provisoire_r is null)",
        (
            Level(
                "NIR égaux",
                "jeton_nir_l = jeton_nir_r or jeton_nir_provisoire_l = jeton_nir_provisoire_r",
                0.997,
                1e-6,
            ),
            Level("NIR différents", _ELSE, 0.003, 0.999999),
        ),
        est_u_connu=True,
    ),
    Comparison(
        "date",
        "naissance_annee_l is null or naissance_annee_r is null",
        (
            Level("date de naissance égale", _SAME_DATE, 0.955, 5e-5),
            Level(
                "année égale, date autre ou incomplète",
                "naissance_annee_l = naissance_annee_r",
                0.025,
                0.0125,
            ),
            Level("année différente", _ELSE, 0.02, 0.98745),
        ),
        est_u_connu=True,
    ),
    Comparison(
        "noms",
        f"not {_SAME_DATE} or filtre_naissance_bits_l is null or filtre_naissance_bits_r is null",
        (
            Level(
                "un nom égal, au moins à l'oreille",
                f"{_alike(f'{_NAMES} >= 0.999')} or {_crossed('prenom_date')} or {_crossed('initiale_date')}",
                0.95,
                0.004,
            ),
            Level(
                "noms très proches, ou de même début",
                f"{_alike(f'{_NAMES} >= 0.8')} or {_crossed('debut_prenom_date')}",
                0.015,
                0.0015,
            ),
            Level(
                "noms proches ou contenus",
                _alike(f"{_NAMES} >= 0.6 or {_best(_inclusion)} >= 0.95"),
                0.015,
                0.002,
            ),
            Level("noms de quelques lettres communes", _alike(f"{_NAMES} >= 0.45"), 0.008, 0.02),
            Level("noms différents", _ELSE, 0.012, 0.9725),
        ),
        "meme_prenom",
    ),
    Comparison(
        "prenoms",
        f"not {_SAME_DATE} or filtre_prenoms_bits_l is null or filtre_prenoms_bits_r is null",
        (
            Level(
                "premier prénom égal, au moins à l'oreille",
                f"{_alike(f'{_GIVEN_NAMES} >= 0.999')} or {_crossed('prenom_date')} "
                f"or {_crossed('debut_prenom_date')}",
                0.93,
                0.006,
            ),
            Level(
                "prénoms très proches ou contenus",
                _alike(f"{_GIVEN_NAMES} >= 0.8 or {_CONTAINED} >= 0.95"),
                0.035,
                0.004,
            ),
            Level(
                "prénoms proches, ou de même initiale",
                f"{_alike(f'{_GIVEN_NAMES} >= 0.55 or {_CONTAINED} >= 0.65')} "
                f"or (({_crossed('initiale_date')}) and not {_SAME_PLACE})",
                0.02,
                0.015,
            ),
            Level("prénoms différents", _ELSE, 0.015, 0.975),
        ),
        "autre_nom",
    ),
    Comparison(
        "lieu",
        f"not {_surely(_equal('naissance_prenom_date'))} or jeton_naissance_prenom_lieu_date_l is null "
        "or jeton_naissance_prenom_lieu_date_r is null",
        (
            Level("lieu de naissance égal", _equal("naissance_prenom_lieu_date"), 0.98, 0.3),
            Level("lieu de naissance différent", _ELSE, 0.02, 0.7),
        ),
        est_u_connu=True,
    ),
    Comparison(
        "nom_prenom_annee",
        f"not coalesce({_SAME_YEAR_OTHER_DATE}, false) or {_NO_NAME}",
        (
            Level(
                "nom et prénom égaux à l'oreille, jour et mois échangés",
                _crossed("prenom_chiffres"),
                0.55,
                2e-7,
            ),
            Level(
                "nom et prénom égaux à l'oreille, même commune, jour ou mois inconnu",
                f"({_crossed('prenom_commune')}) and ({_INCOMPLETE_DATE})",
                0.2,
                1e-7,
            ),
            Level(
                "nom et prénom égaux à l'oreille, même commune, autre jour",
                _crossed("prenom_commune"),
                0.1,
                2e-6,
            ),
            Level("nom, prénom ou commune différents", _ELSE, 0.15, 0.9999977),
        ),
        "annee",
    ),
    Comparison(
        "nom_prenom_autre_annee",
        f"coalesce(naissance_annee_l = naissance_annee_r, true) or {_NO_NAME}",
        (
            Level(
                "nom et prénom égaux à l'oreille, chiffres de la date déplacés",
                _crossed("prenom_chiffres"),
                0.6,
                3e-9,
            ),
            Level(
                "nom et prénom égaux à l'oreille, même commune, un chiffre de l'année différent",
                f"({_crossed('prenom_commune')}) and {_YEAR_MISTYPED}",
                0.1,
                3e-8,
            ),
            Level(
                "nom et prénom égaux à l'oreille, même commune",
                _crossed("prenom_commune"),
                0.1,
                3e-7,
            ),
            Level("nom, prénom ou chiffres différents", _ELSE, 0.2, 0.99999967),
        ),
        "autre_annee",
    ),
    Comparison(
        "nom_prenom_sans_date",
        f"not ({_NO_YEAR}) or {_NO_NAME}",
        (
            Level("nom et prénom égaux à l'oreille, même commune", _crossed("prenom_commune"), 0.8, 5e-7),
            Level("nom, prénom ou commune différents", _ELSE, 0.2, 0.9999995),
        ),
        "sans_date",
    ),
    Comparison(
        "prenom_du_nir",
        f"not {_surely(_equal('nir'))} or {_SAME_DATE} or {_SAME_NAME_ELSEWHERE} "
        "or jeton_nir_prenom_l is null or jeton_nir_prenom_r is null",
        (
            Level("premier prénom égal, NIR égaux", _equal("nir_prenom"), 0.5, 0.02),
            Level("premier prénom différent, NIR égaux", _ELSE, 0.5, 0.98),
        ),
        est_u_connu=True,
        est_m_connu=True,
    ),
    Comparison(
        "commune",
        "commune_insee_l is null or commune_insee_r is null",
        (
            Level(
                "même petite commune",
                f"commune_insee_l = commune_insee_r and commune_part_l < {SMALL_SHARE}",
                0.6,
                0.02,
            ),
            Level("même grande commune", "commune_insee_l = commune_insee_r", 0.33, 0.05),
            Level("communes voisines", f"{_KILOMETRES} <= {NEAR_KM}", 0.02, 0.1),
            Level("communes éloignées", _ELSE, 0.05, 0.83),
        ),
    ),
    Comparison(
        "sexe",
        "sexe_l is null or sexe_r is null",
        (
            Level("même sexe", "sexe_l = sexe_r", 0.995, 0.5),
            Level("sexe différent", _ELSE, 0.005, 0.5),
        ),
    ),
)

_NIR_RULE = Rule("nir", "l.jeton_nir = r.jeton_nir", "NIR")


def _rules(name: str, token: str, family: str) -> list[Rule]:
    return [
        Rule(f"{name}_{a}_{b}", f"l.jeton_{a}_{token} = r.jeton_{b}_{token}", family) for a, b in _BOTH_WAYS
    ]


def _of_rule(condition: str) -> str:
    """The same condition in a blocking rule, where the two records are ``l`` and ``r``."""
    return re.sub(r"\b(filtre_\w+?)_([lr])\b", r"\2.\1", condition)


SAME_DATE_AND_COMMUNE = "l.jeton_date_commune = r.jeton_date_commune"
UNRELATED = {
    "meme_prenom": _of_rule(f"{_GIVEN_NAMES} >= 0.8 and l.jeton_nir <> r.jeton_nir"),
    "autre_nom": _of_rule(f"coalesce({_NAMES}, 0) < 0.45"),
}
"""What keeps twins and persons listed twice out of the pairs of one date and commune: a first name in common
under two NIRs, or no name in common."""

BLOCKING = (
    *_rules("nom_prenom_et_date", "prenom_date", "nom, prénom et date"),
    *_rules("debut_prenom_et_date", "debut_prenom_date", "début du nom, prénom et date"),
    *_rules("nom_initiale_et_date", "initiale_date", "nom, initiale du prénom et date"),
    *_rules("nom_prenom_et_chiffres", "prenom_chiffres", "nom, prénom et chiffres de la date"),
    *_rules("nom_prenom_et_commune", "prenom_commune", "nom, prénom et commune"),
    Rule(
        "date_et_commune",
        f"{SAME_DATE_AND_COMMUNE} and "
        + _of_rule(f"({_NAMES} >= 0.45 or {_GIVEN_NAMES} >= 0.55 or {_TURNED} >= 0.6)"),
        "date et commune, noms ou prénoms proches",
    ),
    Rule("nir_provisoire", "l.jeton_nir_provisoire = r.jeton_nir_provisoire", "NIR provisoire"),
    _NIR_RULE,
)
"""Rules whose pairs grow like the records. The NIR comes last: a pair another rule found is known as such."""

CERTAIN = (
    _NIR_RULE,
    Rule("nom_prenom_date", "l.jeton_naissance_prenom_date = r.jeton_naissance_prenom_date"),
)
"""Rules sure enough to count the persons two sources share."""

TRAINING_ON_NIR = _NIR_RULE
TRAINING_ON_NAMES = Rule("nom_prenom_date", "l.jeton_naissance_prenom_date = r.jeton_naissance_prenom_date")

COUNTED_ON_NAMES = ("nir", "commune", "sexe")
"""Comparisons that read neither names nor dates."""


def comparison(spec: Comparison) -> dict[str, Any]:
    """The comparison in Splink's words, with its starting probabilities."""
    absent = {"sql_condition": spec.absente, "label_for_charts": "absent", "is_null_level": True}
    levels = [
        {
            "sql_condition": level.condition,
            "label_for_charts": level.libelle,
            "m_probability": level.m,
            "u_probability": level.u,
            "fix_m_probability": spec.est_m_connu,
            "fix_u_probability": spec.est_u_connu or bool(spec.sachant),
        }
        for level in spec.niveaux
    ]
    return {"output_column_name": spec.nom, "comparison_levels": [absent, *levels]}


def case_expression(spec: Comparison) -> str:
    """SQL giving the level of a pair as Splink numbers it: 0 the worst, -1 absent."""
    best = len(spec.niveaux) - 1
    whens = [
        f"when {level.condition} then {best - n}"
        for n, level in enumerate(spec.niveaux)
        if level.condition != _ELSE
    ]
    return f"case when {spec.absente} then -1 {' '.join(whens)} else 0 end"
