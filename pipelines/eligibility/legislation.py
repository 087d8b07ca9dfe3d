"""The law of a month: one OpenFisca-France system per process, one scale per right."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from openfisca_france import FranceTaxBenefitSystem

from pipelines.calendar import month_number
from pipelines.refusals import LegalRefusal

KNOWN_MONTHS_AHEAD = 12
"""Months past the last published scale after which we refuse (a revaluation comes every April)."""

_MINIMA = ("prestations_sociales", "solidarite_insertion", "minima_sociaux")


@cache
def system() -> Any:
    """The French tax-benefit system of openfisca-france, built once per process (7 to 15 s)."""
    return FranceTaxBenefitSystem()


def months_past_last_scale(mois: str) -> int:
    """Months between the last published RSA base amount and ``mois`` (0 or less: the scale is known)."""
    return month_number(mois) - month_number(_last_scale())


def check_legislation_known(mois: str) -> None:
    """Refuse a month whose scale cannot be known: OpenFisca would carry the last value in silence.

    Raises :class:`LegalRefusal` more than 12 months past the last published RSA base amount.
    """
    if months_past_last_scale(mois) > KNOWN_MONTHS_AHEAD:
        raise LegalRefusal(
            f"Le barème du RSA de {mois} n'est pas connu : le dernier publié date de {_last_scale()}.",
            ou="paramètres d'OpenFisca-France",
            que_faire="Mettre à jour openfisca-france, puis relancer.",
        )


def scale_month(first: str, mois: str) -> str:
    """Month whose RSA and PPA scales apply in ``mois`` to a quarter held since ``first``.

    A held quarter takes the revaluation that falls inside it; otherwise the scale is that of ``first``.
    """
    return max([change for change in _scale_changes() if first < change <= mois], default=first)


@cache
def scale_system(first: str, scale: str) -> Any:
    """The system for a quarter beginning at ``first`` whose rights follow the scale of month ``scale``.

    OpenFisca dates the PPA by the months of the resources; the law has one scale per right, that of the
    month of right. The PPA parameters are therefore those of ``scale`` at every instant, and the RSA
    parameters those of ``scale`` from ``first`` on. Nothing else changes (the SMIC stays that of its month).
    """
    frozen = copy.copy(system())
    frozen.get_parameters_at_instant = cache(_parameters_of_right(first, scale))
    return frozen


def family_benefit_base(mois: str) -> float:
    """BMAF of the month, in euros."""
    return float(_at(mois).prestations_sociales.prestations_familiales.bmaf.bmaf)


def asf_flat_rate(mois: str) -> float:
    """ASF counted per child in RSA and PPA resources: 22.5 % of the BMAF (CASF R262-10-1), in euros."""
    return float(_minima(mois).rsa.rsa_maj.forfait_asf.taux2) * family_benefit_base(mois)


def ordinary_cf(mois: str) -> float:
    """Complément familial without majoration, in euros: the only part counted as a resource."""
    general = _at(mois).prestations_sociales.prestations_familiales.prestations_generales
    return float(general.cf.cf_cm.complement_familial.taux_cf_base) * family_benefit_base(mois)


def _parameters_of_right(first: str, scale: str) -> Callable[[Any], Any]:
    def at(instant: Any) -> Any:
        own = system().get_parameters_at_instant(instant)
        applied = {"ppa": _minima(scale).ppa}
        if own._instant_str[:7] >= first:
            applied["rsa"] = _minima(scale).rsa
        return _with_children(own, _MINIMA, applied)

    return at


def _with_children(node: Any, path: tuple[str, ...], children: dict[str, Any]) -> Any:
    if path:
        children = {path[0]: _with_children(node._children[path[0]], path[1:], children)}
    changed = object.__new__(type(node))
    changed.__dict__.update(node.__dict__)
    changed._children = {**node._children, **children}
    changed.__dict__.update(children)
    return changed


def _at(mois: str) -> Any:
    return system().get_parameters_at_instant(f"{mois}-01")


def _minima(mois: str) -> Any:
    return _at(mois).prestations_sociales.solidarite_insertion.minima_sociaux


@cache
def _last_scale() -> str:
    base = _declared_minima().rsa.rsa_m.montant_de_base_du_rsa
    return max(_months_of(base))


@cache
def _scale_changes() -> frozenset[str]:
    nodes = (_declared_minima().rsa, _declared_minima().ppa)
    leaves = [leaf for node in nodes for leaf in node.get_descendants() if hasattr(leaf, "values_list")]
    return frozenset(month for leaf in leaves for month in _months_of(leaf))


def _declared_minima() -> Any:
    return system().parameters.prestations_sociales.solidarite_insertion.minima_sociaux


def _months_of(parameter: Any) -> list[str]:
    return [str(value.instant_str)[:7] for value in parameter.values_list]
