"""One key, one epoch a month, one encoding: else no token would be equal, and identifiers would change."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl

from pipelines.ingest.manifest import Delivery
from pipelines.refusals import KeyRefusal
from schemas import ENCODING_VERSION


class _Held(NamedTuple):
    """What the manifest of one delivery says of its key; ``est_recu``: of this run, not of an earlier one."""

    partenaire: str
    mois: str
    millesime: str
    controle: str
    est_recu: bool

    @property
    def place(self) -> str:
        return f"{self.partenaire}/{self.mois} (millésime {self.millesime})"


def refuse_foreign_keys(
    found: Sequence[Delivery], known: pl.DataFrame, *, may_be_older: bool = False
) -> None:
    """Hold the keys of deliveries against one another and against ``known`` (meta__extraits).

    Raises :class:`KeyRefusal` naming partner and month, for another version of the encoding (unless it
    ``may_be_older``), another key than everybody's, another epoch than the deliveries of the same month, or
    an epoch that goes back: a later month never has an earlier one.
    """
    for delivery in found:
        if not may_be_older:
            _refuse_other_encoding(delivery, known)
    held = _held(found, known)
    _refuse_other_keys(held)
    for mois in sorted({each.mois for each in held if each.est_recu}):
        _refuse_other_epochs([each for each in held if each.mois == mois])
    _refuse_epochs_backwards(held)


def _refuse_other_encoding(delivery: Delivery, known: pl.DataFrame) -> None:
    """An extract already in the warehouse was of the encoding of its time."""
    said = delivery.manifest.version_encodage
    if said == ENCODING_VERSION or delivery.manifest.extrait_id in known["extrait_id"]:
        return
    raise KeyRefusal(
        f"Cet extrait suit l'encodage {said or '(non dit)'}, et non {ENCODING_VERSION} : ses jetons "
        "n'égaleraient ceux de personne.",
        ou=f"{delivery.where}, produit par nonrecours {delivery.manifest.version_outil}",
        que_faire="Mettre la même version de nonrecours chez tous, puis redéposer ce mois : "
        + _command(delivery.partenaire, delivery.mois),
    )


def _held(found: Sequence[Delivery], known: pl.DataFrame) -> list[_Held]:
    now = [
        _Held(d.partenaire, d.mois, d.manifest.millesime_cle, d.manifest.controle_cle, True) for d in found
    ]
    places = {(each.partenaire, each.mois) for each in now}
    kept = known.filter(~pl.col("est_remplace"))
    rows = kept.select("partenaire", "mois", "millesime_cle", "controle_cle").iter_rows()
    before = [_Held(*row, False) for row in rows]  # type: ignore[call-arg]
    return [*now, *(each for each in before if (each.partenaire, each.mois) not in places)]


def _refuse_other_keys(held: list[_Held]) -> None:
    usual = _usual(each.controle for each in held)
    others = [each for each in held if each.est_recu and each.controle != usual]
    if others:
        raise KeyRefusal(
            "Cet extrait n'a pas été pseudonymisé avec la même clé que les autres."
            if usual
            else "Les partenaires n'ont pas employé la même clé.",
            ou=", ".join(each.place for each in others),
            que_faire="Comparer les empreintes de vive voix et au procès-verbal (« nonrecours cle empreinte "
            "--cle … »), puis redéposer avec la bonne clé : "
            + _command(others[0].partenaire, others[0].mois),
        )


def _refuse_other_epochs(held: list[_Held]) -> None:
    """``held``: the deliveries of one month."""
    usual = _usual(each.millesime for each in held)
    others = [each for each in held if each.est_recu and each.millesime != usual]
    if others:
        raise KeyRefusal(
            "Cet extrait n'a pas le même millésime de clé que les autres extraits du mois"
            + (f", qui sont au millésime {usual}." if usual else "."),
            ou=", ".join(each.place for each in others),
            que_faire="Redéposer ce mois sous le millésime convenu : "
            + _command(others[0].partenaire, others[0].mois, f"--millesime {usual or '…'} "),
        )


def _refuse_epochs_backwards(held: list[_Held]) -> None:
    for each in (one for one in held if one.est_recu):
        before = [other for other in held if other.mois < each.mois and other.millesime > each.millesime]
        after = [other for other in held if other.mois > each.mois and other.millesime < each.millesime]
        if before or after:
            raise KeyRefusal(
                "Le millésime de clé revient en arrière : un mois plus récent en a un plus ancien.",
                ou=f"{each.place}, à côté de {(before or after)[0].place}",
                que_faire="Redéposer le mois fautif sous le millésime convenu : "
                + _command(each.partenaire, each.mois, "--millesime … "),
            )


def _usual(values: Iterable[str]) -> str | None:
    """What most have; None when no value leads."""
    first, *others = Counter(values).most_common(2)
    return None if others and others[0][1] == first[1] else first[0]


def _command(partenaire: str, mois: str, epoch: str = "") -> str:
    return (
        f"« nonrecours pseudonymiser … --partenaire {partenaire} --mois {mois} {epoch}--cle … --remplacer »."
    )
