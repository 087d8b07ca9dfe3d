"""The comparisons of an encoded way: those of clear text, each at the degree its encoding still allows."""

from itertools import product

from bench.appariement.facons import Way
from bench.appariement.splink import Specification
from pipelines.linkage.model import Comparison, Level, Rule

_BOTH_WAYS = tuple(product(("naissance", "usage"), repeat=2))
_ELSE = "ELSE"


def model(way: Way) -> Specification:
    """Everything Splink needs to link what a way delivers."""
    return Specification(comparisons(way), blocking(way), CERTAIN, TRAINING)


def comparisons(way: Way) -> tuple[Comparison, ...]:
    """What is compared, from what the way delivers."""
    return (_nir(), _date(), _names(way), _given_names(way), _equal("lieu", "jeton_lieu", 0.99, 0.3),
            _equal("commune", "commune_insee", 0.93, 0.05), _equal("sexe", "sexe", 0.995, 0.5))  # fmt: skip


def blocking(way: Way) -> tuple[Rule, ...]:
    """The rules of clear text, on tokens."""
    rules = [
        Rule(f"{part}_{a}_{b}", f"l.jeton_{a}_{part} = r.jeton_{b}_{part}")
        for part in ("date", "annee", "chiffres", "jour", "commune_insee")
        for a, b in _BOTH_WAYS
    ]
    near = "l.jeton_date = r.jeton_date and l.commune_insee = r.commune_insee"
    return (
        *rules,
        Rule("prenom_et_date", "l.jeton_prenom_date = r.jeton_prenom_date"),
        Rule("date_et_commune", near),
        Rule("nir", "l.jeton_nir = r.jeton_nir"),
    )


CERTAIN = (
    "l.jeton_nir = r.jeton_nir",
    "l.jeton_naissance_annee = r.jeton_naissance_annee and l.jeton_date = r.jeton_date",
)
TRAINING = (
    "l.jeton_nir = r.jeton_nir",
    "l.jeton_date = r.jeton_date and l.commune_insee = r.commune_insee",
)


def _nir() -> Comparison:
    return Comparison(
        "nir", "jeton_nir_l is null or jeton_nir_r is null",
        (
            Level("égal", "jeton_nir_l = jeton_nir_r", 0.997, 1e-6),
            Level("différent", _ELSE, 0.003, 0.999999),
        ),
        est_u_connu=True,
    )  # fmt: skip


def _date() -> Comparison:
    return Comparison(
        "date", "jeton_date_l is null or jeton_date_r is null",
        (
            Level("égale", "jeton_date_l = jeton_date_r", 0.955, 4.5e-5),
            Level("mêmes chiffres", "jeton_chiffres_l = jeton_chiffres_r", 0.02, 1e-4),
            Level("même année", "annee_l = annee_r", 0.01, 0.0124),
            Level("autre", _ELSE, 0.015, 0.9875),
        ),
        est_u_connu=True,
    )  # fmt: skip


def _equal(name: str, column: str, m: float, u: float) -> Comparison:
    return Comparison(
        name, f"{column}_l is null or {column}_r is null",
        (Level("égal", f"{column}_l = {column}_r", m, u), Level("différent", _ELSE, 1 - m, 1 - u)),
    )  # fmt: skip


def _common(left: str, right: str, words: int) -> str:
    parts = (f"bit_count({left}_{n}_l & {right}_{n}_r)::INTEGER" for n in range(words))
    return f"({' + '.join(parts)})"


def dice(left: str, right: str, words: int) -> str:
    """SQL of the likeness of two filters."""
    return f"2.0 * {_common(left, right, words)} / nullif({left}_bits_l + {right}_bits_r, 0)"


def _crossed(template: str) -> str:
    pairs = (f"jeton_{template.format(a)}_l = jeton_{template.format(b)}_r" for a, b in _BOTH_WAYS)
    return f"coalesce({' or '.join(pairs)}, false)"


_PARTS = ("annee", "chiffres", "jour", "commune_insee")
_SAME_NAME = " or ".join(_crossed(f"{{}}_{part}") for part in ("date", *_PARTS))
_SAME_GIVEN = " or ".join(
    ["coalesce(jeton_prenom_date_l = jeton_prenom_date_r, false)"]
    + [_crossed(f"{{}}_{part}") for part in _PARTS]
)


def _alike(way: Way, likeness: str, least: float) -> str:
    if way.sel is None:
        return "false"
    return f"(sel_l = sel_r and {likeness} >= {way.hardening.seuil(least):.4f})"


def _names(way: Way) -> Comparison:
    best = "greatest({})".format(
        ", ".join(dice(f"filtre_{a}", f"filtre_{b}", way.hardening.mots) for a, b in _BOTH_WAYS)
    )
    bare = _crossed("{}") if way.est_nu else "false"
    heard = _crossed("phon_{}") if way.est_nu else "false"
    return Comparison(
        "noms", "jeton_naissance_date_l is null or jeton_naissance_date_r is null",
        (
            Level("égal", f"{_alike(way, best, 0.999)} or {bare}", 0.93, 0.002),
            Level("égal à l'oreille", f"{_SAME_NAME} or {heard}", 0.02, 0.0005),
            Level("très proche", _alike(way, best, 0.8), 0.02, 0.001),
            Level("proche", _alike(way, best, 0.6), 0.013, 0.004),
            Level("différent", _ELSE, 0.015, 0.9925),
        ),
    )  # fmt: skip


def _given_names(way: Way) -> Comparison:
    likeness = dice("filtre_prenoms", "filtre_prenoms", way.hardening.mots)
    bare = "coalesce(jeton_phon_prenom_l = jeton_phon_prenom_r, false)" if way.est_nu else "false"
    return Comparison(
        "prenoms", "jeton_prenom_date_l is null or jeton_prenom_date_r is null",
        (
            Level("égal", f"{_alike(way, likeness, 0.999)} or {_SAME_GIVEN} or {bare}", 0.94, 0.015),
            Level("très proche", _alike(way, likeness, 0.75), 0.025, 0.003),
            Level("proche", _alike(way, likeness, 0.55), 0.013, 0.01),
            Level("différent", _ELSE, 0.022, 0.972),
        ),
    )  # fmt: skip
