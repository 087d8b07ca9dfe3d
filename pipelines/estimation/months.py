"""Which months of the quarter the CAF file describes: a quarter may be estimated on two, never on one."""

from pipelines.calendar import period
from pipelines.estimation.alerts import Alert
from pipelines.refusals import MissingSourceRefusal
from pipelines.warehouse import Warehouse

FEWEST = 2


def known(warehouse: Warehouse, mois: str) -> list[str]:
    """Months of the period ending at ``mois`` that the CAF file holds, in order.

    Take-up is read month by month in that file and nowhere else. Raises :class:`MissingSourceRefusal` when it
    holds fewer than two of them.
    """
    rows = warehouse.query(
        "SELECT DISTINCT mois FROM core__caf_foyers WHERE list_contains($periode, mois) ORDER BY mois",
        periode=period(mois),
    )
    months: list[str] = rows["mois"].to_list()
    if len(months) < FEWEST:
        raise MissingSourceRefusal(
            f"Le fichier de la CAF ne porte que {len(months)} mois du trimestre qui finit en {mois} : "
            "il en faut deux pour l'estimer.",
            ou="caf_foyers",
            que_faire="Demander à la CAF un extrait complet, ou estimer un autre mois.",
        )
    return months


def missing(months: list[str], mois: str) -> list[Alert]:
    """What to say of a month that is missing."""
    return [
        Alert(
            "avertissement",
            "caf",
            f"Le mois {month} manque au fichier de la CAF : le trimestre est estimé sur "
            f"{' et '.join(months)}. Droit et versement sont lus sur deux mois au lieu de trois.",
        )
        for month in period(mois)
        if month not in months
    ]
