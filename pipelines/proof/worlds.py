"""The invented worlds the estimator is judged in: what is easy, what is not, what should break it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.refusals import Refusal


@dataclass(frozen=True)
class World:
    """How a territory is drawn. Probabilities 0 to 1; shifts on the logit scale.

    ``takeup``: take-up of the entitled; ``entitled``: entitlement under 65. ``outside``, ``outside_c2s``: how
    much less often the CAF knows non-takers, and those of them with the C2S. ``recall``: P(linked) of a
    person known at both; ``recall_entitled`` lowers it for the entitled; ``recall_spread``: its standard
    deviation between communes; ``recall_of_poor``: how much it falls where entitlement is one standard
    deviation more frequent. ``false_link``: P(linked) of a person absent from the CAF, times
    ``false_link_entitled`` when entitled. ``cpam_false``: P(found entitled on CPAM data | not entitled), its
    odds times ``cpam_false_outside`` when the CAF does not know the household; ``cpam_finds``: P(found |
    entitled, incomes known). ``seen_at_cpam``, and the same of non-takers. ``other_caf``: files another CAF
    holds. ``msa``: takers it pays. ``no_interview``: refusals of the entitled and of the others.
    ``wrong_answers``: answers turned round; ``wrong_interviews``: those about entitlement, besides.
    """

    nom: str
    households: int = 20_000
    takeup: float = 0.69
    entitled: float = 0.13
    outside: float = 0.0
    outside_c2s: float = 0.0
    recall: float = 0.92
    recall_entitled: float = -0.15
    recall_spread: float = 0.2
    recall_of_poor: float = 0.0
    false_link: float = 0.008
    false_link_entitled: float = 1.0
    cpam_false: float = 0.06
    cpam_false_outside: float = 1.2
    cpam_finds: float = 0.93
    seen_at_cpam: float = 0.975
    seen_at_cpam_nontakers: float = 0.975
    other_caf: float = 0.004
    msa: float = 0.03
    no_interview: tuple[float, float] = (0.10, 0.10)
    wrong_answers: float = 0.0
    wrong_interviews: float = 0.0


SCENARIOS = {
    "mar": World("Absents au hasard"),
    "mnar": World("Non-recourants plus souvent hors de la CAF", outside=0.8),
    "mnar_c2s": World("Non-recourants à la C2S plus souvent hors de la CAF", outside_c2s=1.5),
    "liens": World("Liens moins bons pour les éligibles", recall_entitled=-0.9),
}
"""The four that the goals are about."""

HARDER = {
    "reponses": World("Réponses fausses 5 fois sur 100", outside=0.4, wrong_answers=0.05),
    "grappes": World(
        "Liens manqués par commune, là où l'on est pauvre", outside=0.4, recall_spread=0.8, recall_of_poor=0.6
    ),
}

EXPECTED_TO_BREAK = {
    "kappa": World("Revenus CPAM plus souvent faux hors de la CAF", outside=0.4, cpam_false_outside=3.0),
    "couverture": World("Non-recourants plus souvent inconnus de la CPAM", seen_at_cpam_nontakers=0.88),
    "refus": World("Les éligibles refusent l'entretien 4 fois sur 10", outside=0.4, no_interview=(0.4, 0.1)),
    "entretiens": World("Entretiens faux 5 fois sur 100, annuaire juste", outside=0.4, wrong_interviews=0.05),
    "faux_liens": World("Faux liens concentrés sur les éligibles", outside=0.4, false_link_entitled=8.0),
}

WORLDS = SCENARIOS | HARDER | EXPECTED_TO_BREAK


def chosen(names: Sequence[str] | None) -> tuple[str, ...]:
    """The worlds asked for, all of them by default. Raises :class:`Refusal` for one that does not exist."""
    unknown = [name for name in names or () if name not in WORLDS]
    if unknown:
        raise Refusal(
            "Ce monde n'existe pas.", ou=unknown[0], que_faire=f"En choisir un parmi : {', '.join(WORLDS)}."
        )
    return tuple(names) if names else tuple(WORLDS)
