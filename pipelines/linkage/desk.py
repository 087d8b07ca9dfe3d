"""The reader's desk: what « nonrecours relire » shows and asks."""

from collections.abc import Callable

from pipelines.linkage import agreement, review
from pipelines.linkage.review import REFEREE
from pipelines.refusals import Refusal
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse

__all__ = ["REFEREE", "report", "sit"]

Say = Callable[[str], None]

INSTRUCTIONS = (
    "Chaque paire rapproche deux fiches de deux fichiers. Vous voyez ce qui s'accorde, rien d'autre. "
    "Répondez sur ces accords seuls, sans vous concerter avec l'autre relecteur. Chaque réponse est "
    "enregistrée aussitôt."
)
LIMITS = (
    "La relecture porte sur les liens faits et les paires tout juste refusées. Les accords seuls ne disent "
    "pas tout, et les personnes que rien n'a rapprochées n'y sont pas : leur nombre est estimé autrement "
    "(rappel)."
)
_BANDS = {
    "moins_10": "Liens les plus fragiles",
    "10_20": "Liens fragiles",
    "20_30": "Liens sûrs",
    "30_plus": "Liens les plus sûrs",
    "ensemble": "Tous les liens",
}


def sit(
    warehouse: Warehouse, settings: Settings, reader: str, size: int, ask: Callable[[str], str], say: Say
) -> int:
    """Show this reader the pairs still to judge, from where they stopped; return how many were answered.

    The referee sees only the disagreements of the two readers. Raises :class:`Refusal` before the first
    linkage.
    """
    mark = review.sample(warehouse, settings, size)
    settling = reader == REFEREE
    unread = review.left_to_read(warehouse, mark, reader)
    pairs = review.left_to_settle(warehouse, mark) if settling else unread
    if pairs.is_empty():
        say("Aucun désaccord à trancher." if settling else f"Le relecteur {reader} a tout relu.")
        return 0
    say(INSTRUCTIONS)
    answered = review.read_pairs(warehouse, mark, reader, ask, say, pairs)
    left = pairs.height - answered
    say(f"{answered} réponses enregistrées, {left} à venir." + (" Relancer pour continuer." if left else ""))
    return answered


def report(warehouse: Warehouse, say: Say) -> None:
    """Say the agreement of the readers and the precision of the links, and publish it for the report.

    Raises :class:`Refusal` when nothing was read of the present links.
    """
    mark = review.linkage_mark(warehouse)
    told = review.answers(warehouse, mark)
    if told.is_empty():
        raise Refusal(
            "Personne n'a encore relu les liens de cet appariement.",
            ou="meta__relecture",
            que_faire="« nonrecours relire --lecteur A », puis --lecteur B.",
        )
    drawn = warehouse.read(review.SAMPLE).filter(tirage=mark)
    with warehouse.transaction():
        found = agreement.publish(warehouse)
    say(_agreement(agreement.agreement(told)))
    for precision in found:
        say(_precision(precision))
    read, same = agreement.refused_judged_same(drawn, told)
    say(f"Paires refusées relues : {read}, dont {same} jugées une même personne.")
    for rank, _, pattern in review.left_to_settle(warehouse, mark).rows():
        say(f"Désaccord, paire {rank} : {review.in_words(pattern)}")
    say(LIMITS)
    say("Pour le mettre au rapport : « nonrecours executer --mois AAAA-MM --depuis diffusion ».")


def _agreement(found: agreement.Kappa | None) -> str:
    if found is None:
        return "Accord des relecteurs : il faut deux relecteurs."
    return (
        f"Accord de {found.lecteurs[0]} et {found.lecteurs[1]} : {found.accords} paires sur {found.n} ; "
        f"kappa de Cohen {_decimal(found.valeur)} ({_decimal(found.bas)} à {_decimal(found.haut)})."
    )


def _precision(found: agreement.Precision) -> str:
    ends = f"{_percent(found.bas)} à {_percent(found.haut)}"
    read = f"{found.n} relus sur {found.liens}"
    return f"{_BANDS[found.bande]} : {_percent(found.valeur)} justes ({ends}), {read}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".", ",")


def _decimal(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")
