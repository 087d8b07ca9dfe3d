"""What is compared between two records, and which records are compared: the model given to Splink.

Filters are salted with the birth date, so names, given names and birthplace are compared where dates are
equal and are absent elsewhere; where dates differ, tokens of name, first name and a part of the date stand in
for the three, and where even the name differs, the first name bound to an equal NIR. Each piece of evidence
is thus counted once, given the date. No token is a bare date: two dates are known to be equal by a token that
binds them to a name, a first name or a place, one of which any compared pair shares.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from pipelines.linkage.sources import EVENTS, WORDS

Given = Literal["", "prenom_date", "lieu_date", "annee", "autre_annee"]

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
    of one first name and date, one birthplace and date, one birth year, or two birth years.
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
    """A blocking rule: pairs for which ``condition`` holds are compared."""

    nom: str
    condition: str


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
    template = f"jeton_{token}"
    pairs = (f"{template.format(a)}_l = {template.format(b)}_r" for a, b in _BOTH_WAYS)
    return " or ".join(pairs)


def _equal(token: str) -> str:
    return f"jeton_{token}_l = jeton_{token}_r"


def _surely(condition: str) -> str:
    return f"coalesce({condition}, false)"


_SAME_DATE = _surely(" or ".join([_equal("prenom_date"), _crossed("phon_{}_date"), _equal("lieu_date")]))
_SAME_YEAR_OTHER_DATE = f"naissance_annee_l = naissance_annee_r and not {_SAME_DATE}"
_YEAR_MISTYPED = "levenshtein(naissance_annee_l::VARCHAR, naissance_annee_r::VARCHAR) = 1"
_SAME_NAME_ELSEWHERE = _surely(
    " or ".join(_crossed(f"phon_{{}}_{part}") for part in ("annee", "chiffres", "jour"))
)
_INCOMPLETE_DATE = "jeton_phon_naissance_chiffres_l is null or jeton_phon_naissance_chiffres_r is null"
_NAMES, _GIVEN_NAMES = _best(_dice), _dice("filtre_prenoms", "filtre_prenoms")
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
        f"not {_SAME_DATE} or {_NAMES} is null",
        (
            Level("un nom égal", f"{_NAMES} >= 0.999", 0.96, 0.012),
            Level("noms très proches", f"{_NAMES} >= 0.8", 0.012, 0.001),
            Level(
                "noms proches ou contenus", f"{_NAMES} >= 0.6 or {_best(_inclusion)} >= 0.95", 0.015, 0.004
            ),
            Level("noms de quelques lettres communes", f"{_NAMES} >= 0.45", 0.006, 0.04),
            Level("noms différents", _ELSE, 0.007, 0.943),
        ),
        "prenom_date",
    ),
    Comparison(
        "prenoms",
        f"not {_SAME_DATE} or {_GIVEN_NAMES} is null",
        (
            Level("premier prénom égal", "jeton_prenom_date_l = jeton_prenom_date_r", 0.96, 0.008),
            Level(
                "prénoms très proches ou contenus",
                f"{_GIVEN_NAMES} >= 0.8 or {_inclusion('filtre_prenoms', 'filtre_prenoms')} >= 0.95",
                0.02,
                0.003,
            ),
            Level(
                "prénoms proches",
                f"{_GIVEN_NAMES} >= 0.55 or {_inclusion('filtre_prenoms', 'filtre_prenoms')} >= 0.65",
                0.01,
                0.02,
            ),
            Level("prénoms différents", _ELSE, 0.01, 0.969),
        ),
        "lieu_date",
    ),
    Comparison(
        "lieu",
        f"jeton_lieu_date_l is null or jeton_lieu_date_r is null or not {_SAME_DATE}",
        (
            Level("lieu de naissance égal", "jeton_lieu_date_l = jeton_lieu_date_r", 0.97, 0.1),
            Level("lieu de naissance différent", _ELSE, 0.03, 0.9),
        ),
        "prenom_date",
    ),
    Comparison(
        "nom_prenom_annee",
        f"not coalesce({_SAME_YEAR_OTHER_DATE}, false) "
        "or jeton_phon_naissance_annee_l is null or jeton_phon_naissance_annee_r is null",
        (
            Level(
                "nom et prénom égaux à l'oreille, jour et mois échangés",
                _crossed("phon_{}_chiffres"),
                0.55,
                2e-7,
            ),
            Level(
                "nom et prénom égaux à l'oreille, jour ou mois inconnu",
                f"({_crossed('phon_{}_annee')}) and ({_INCOMPLETE_DATE})",
                0.2,
                2e-7,
            ),
            Level("nom et prénom égaux à l'oreille, autre jour", _crossed("phon_{}_annee"), 0.15, 1e-5),
            Level("nom ou prénom différent", _ELSE, 0.1, 0.9999896),
        ),
        "annee",
    ),
    Comparison(
        "nom_prenom_autre_annee",
        "coalesce(naissance_annee_l = naissance_annee_r, true) "
        "or jeton_phon_naissance_chiffres_l is null or jeton_phon_naissance_chiffres_r is null",
        (
            Level(
                "nom et prénom égaux à l'oreille, chiffres de la date déplacés",
                _crossed("phon_{}_chiffres"),
                0.6,
                3e-9,
            ),
            Level(
                "nom et prénom égaux à l'oreille, jour et mois égaux, un chiffre de l'année différent",
                f"({_crossed('phon_{}_jour')}) and {_YEAR_MISTYPED}",
                0.1,
                3e-9,
            ),
            Level("nom, prénom ou chiffres différents", _ELSE, 0.3, 0.999999994),
        ),
        "autre_annee",
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

_NIR_RULE = Rule("nir", "l.jeton_nir = r.jeton_nir")


def _rules(name: str, token: str) -> list[Rule]:
    return [
        Rule(f"{name}_{a}_{b}", f"l.jeton_{token.format(a)} = r.jeton_{token.format(b)}")
        for a, b in _BOTH_WAYS
    ]


_A_CONSENT = " or ".join(f"{side}.source in {EVENTS}" for side in ("l", "r"))
_SOMETHING_MORE = (
    f"l.jeton_lieu_date = r.jeton_lieu_date or l.commune_insee = r.commune_insee or {_A_CONSENT}"
)
"""First name and date alone are shared by more and more strangers: their pairs grow like the square of the
records. Consents are few, and have no NIR to be found by."""

BLOCKING = (
    *_rules("nom_et_date", "phon_{}_date"),
    Rule("prenom_et_date", f"l.jeton_prenom_date = r.jeton_prenom_date and ({_SOMETHING_MORE})"),
    *_rules("nom_prenom_et_annee", "phon_{}_annee"),
    *_rules("nom_prenom_et_chiffres", "phon_{}_chiffres"),
    *_rules("nom_prenom_et_jour", "phon_{}_jour"),
    Rule(
        "lieu_et_date",
        "l.jeton_lieu_date = r.jeton_lieu_date and l.commune_insee = r.commune_insee and l.sexe = r.sexe",
    ),
    Rule("nir_provisoire", "l.jeton_nir_provisoire = r.jeton_nir_provisoire"),
    _NIR_RULE,
)
"""Rules whose pairs grow like the records. The NIR comes last: a pair another rule found is known as such."""

CERTAIN = (
    _NIR_RULE,
    Rule("nom_prenom_date", "l.jeton_naissance_prenom_date = r.jeton_naissance_prenom_date"),
)
"""Rules sure enough to count the persons two sources share."""

TRAINING_ON_NIR = _NIR_RULE
TRAINING_ON_NAMES = Rule(
    "nom_prenom_date",
    "l.jeton_naissance_prenom_date = r.jeton_naissance_prenom_date "
    "and l.jeton_prenom_date = r.jeton_prenom_date",
)


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
