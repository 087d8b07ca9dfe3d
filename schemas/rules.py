"""Row rules: what sets one row aside, each with its code and its French sentence."""

from dataclasses import dataclass

import polars as pl

CLOSED = "5"
"""ETATDOSRSA: closed. With 6, an amount belongs to an earlier month and is legitimate."""


@dataclass(frozen=True)
class RowRule:
    """A row breaks the rule when ``broken`` is true (unknown counts as not broken).

    ``columns`` are the columns it reads: a rule applies to a form of a table that has them all.
    """

    code: str
    description: str
    columns: tuple[str, ...]
    broken: pl.Expr


def _due_when_closed(amount: str, state: str, right: str) -> RowRule:
    return RowRule(
        f"{amount}_dossier_clos",
        f"{right} alors que le dossier est clos.",
        (amount, state),
        (pl.col(state) == CLOSED) & (pl.col(amount) > 0),
    )


def reversed_period(start: str, end: str) -> RowRule:
    """The last month comes before the first one."""
    return RowRule(
        f"periode_inversee:{end}",
        f"La période finit ({end}) avant de commencer ({start}).",
        (start, end),
        pl.col(end) < pl.col(start),
    )


RSA_DUE_WHEN_CLOSED = _due_when_closed("rsa_du", "rsa_etat", "RSA dû")
PPA_DUE_WHEN_CLOSED = _due_when_closed("ppa_due", "ppa_etat", "Prime d'activité due")
NIL_WITH_AMOUNT = RowRule(
    "nul_avec_montant",
    "Ressources déclarées nulles (000) avec un montant.",
    ("natress", "montant"),
    (pl.col("natress") == "000") & (pl.col("montant") > 0),
)
SELF_ATTACHED = RowRule(
    "rattache_a_soi",
    "Une personne est rattachée à elle-même.",
    ("enfant_id", "ouvrant_droit_id"),
    pl.col("enfant_id") == pl.col("ouvrant_droit_id"),
)

GENERAL_RULES = {
    "nombre_de_champs": "La ligne n'a pas le même nombre de champs que l'en-tête.",
    "cle_vide": "Un identifiant de la clé est vide.",
    "type": "La valeur n'est pas du type attendu.",
    "negatif": "Un montant est négatif.",
    "hors_bornes": "Un nombre est hors de ses bornes.",
    "fenetre": "Le mois est hors de la fenêtre de l'extrait.",
    "commune": "La commune n'est pas au code officiel géographique.",
    "doublon": "La ligne répète exactement une ligne précédente.",
    "cle_double": "Plusieurs lignes différentes ont la même clé.",
    "solidaire": "Une autre ligne du même consentement est mise de côté.",
}
"""Rules of every table; the part after the colon of a rule code is the column."""


def sentence(code: str) -> str:
    """French sentence of a rule code, for reports and workbooks."""
    own = {rule.code: rule.description for rule in (RSA_DUE_WHEN_CLOSED, PPA_DUE_WHEN_CLOSED)}
    own |= {rule.code: rule.description for rule in (NIL_WITH_AMOUNT, SELF_ATTACHED)}
    own["periode_inversee"] = "La période finit avant de commencer."
    family, _, name = code.partition(":")
    text = own.get(code) or own.get(family) or GENERAL_RULES.get(family, family)
    return f"{text} Colonne : {name}." if name else text
