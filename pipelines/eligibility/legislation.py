"""The law of a month: one OpenFisca-France system per process, one scale per right."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from openfisca_france import FranceTaxBenefitSystem
from openfisca_france.model.prestations.minima_sociaux import ppa as ppa_of_openfisca
from openfisca_france.model.prestations.minima_sociaux import rsa as rsa_of_openfisca

from pipelines.calendar import month_number
from pipelines.refusals import LegalRefusal

KNOWN_MONTHS_AHEAD = 12
"""Months past the last published scale after which we refuse (a revaluation comes every April)."""

FIRST_KNOWN_MONTH = "2016-01"
"""First month of the two rights in their present form: the PPA begins, the RSA « activité » ends."""

TWO_QUARTERS_SINCE = "2024-10-01"
"""Date of the formulas of OpenFisca that know both reference quarters."""

_RSA = "prestations_sociales.solidarite_insertion.minima_sociaux.rsa"
_PPA = "prestations_sociales.solidarite_insertion.minima_sociaux.ppa"
_SMIC = "marche_travail.salaire_minimum.smic"


@cache
def system() -> Any:
    """The French tax-benefit system of openfisca-france, built once per process (7 to 15 s)."""
    return FranceTaxBenefitSystem()


def months_past_last_scale(mois: str) -> int:
    """Months between the last published RSA base amount and ``mois`` (0 or less: the scale is known)."""
    return month_number(mois) - month_number(_last_scale())


def check_legislation_known(mois: str) -> None:
    """Trap 7. Refuse a month whose scale cannot be known: OpenFisca carries the last value in silence.

    Raises :class:`LegalRefusal` more than 12 months past the last published RSA base amount, and before
    2016, when the RSA was another right.
    """
    if mois < FIRST_KNOWN_MONTH:
        raise LegalRefusal(
            f"Le droit de {mois} n'est pas connu : la prime d'activité n'existe que depuis 2016.",
            ou="mois demandé",
            que_faire=f"Demander un mois à partir de {FIRST_KNOWN_MONTH}.",
        )
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

    Trap 3. OpenFisca dates the PPA by the months of the resources; the law has one scale per right, that
    of the month of right. The PPA parameters, and the hourly SMIC that turns the bounds of the bonus into
    euros, are therefore those of ``scale`` at every instant; the RSA parameters from ``first`` on.
    """
    frozen = copy.copy(system())
    frozen.variables = {**frozen.variables, **_single_quarter_variables()}
    frozen.get_parameters_at_instant = cache(_parameters_of_right(first, scale))
    return frozen


@cache
def family_benefit_base(mois: str) -> float:
    """BMAF of the month, in euros."""
    return float(_at(mois).prestations_sociales.prestations_familiales.bmaf.bmaf)


@cache
def asf_flat_rate(mois: str) -> float:
    """ASF counted per child in RSA and PPA resources: 22.5 % of the BMAF (CASF R262-10-1), in euros."""
    return float(_minima(mois).rsa.rsa_maj.forfait_asf.taux2) * family_benefit_base(mois)


@cache
def ordinary_cf(mois: str) -> float:
    """Complément familial without majoration, in euros: the only part counted as a resource."""
    general = _at(mois).prestations_sociales.prestations_familiales.prestations_generales
    return float(general.cf.cf_cm.complement_familial.taux_cf_base) * family_benefit_base(mois)


@cache
def dependent_child_age(mois: str) -> float:
    """Age from which a child no longer counts in the RSA (CASF R262-3: 25), in years."""
    return float(_minima(mois).rsa.rsa_cond.age_pac)


class Node:
    """Parameters at an instant, resolved when a formula asks (a whole tree takes 0.15 s per instant)."""

    def __init__(self, node: Any, instant: str, replaced: dict[str, Any]) -> None:
        self._node, self._instant, self._replaced = node, instant, replaced

    def __getattr__(self, name: str) -> Any:
        child = self._node.children[name]
        if child.name in self._replaced:
            value = self._replaced[child.name]
        elif hasattr(child, "children"):
            value = Node(child, self._instant, self._replaced)
        else:
            value = child._get_at_instant(self._instant)
        setattr(self, name, value)
        return value


@cache
def _single_quarter_variables() -> dict[str, Any]:
    """The variables OpenFisca computes over both reference quarters, computed over that of the simulation."""
    formulas: dict[str, Callable[..., Any]] = {
        "ppa": _ppa,
        "rsa_base_ressources_individu": _other_incomes,
        "rsa_revenu_activite_individu": _work,
    }
    return {
        name: _with_last_formula(system().get_variable(name), formula) for name, formula in formulas.items()
    }


def _with_last_formula(variable: Any, formula: Callable[..., Any]) -> Any:
    changed = copy.copy(variable)
    changed.formulas = variable.formulas.copy()
    changed.formulas[TWO_QUARTERS_SINCE] = formula
    return changed


def _ppa(famille: Any, period: Any, parameters: Any) -> Any:
    quarter = _reference_quarter(famille, period)
    return ppa_of_openfisca.ppa_base_formula(famille, parameters, period, quarter)


def _other_incomes(individu: Any, period: Any, parameters: Any) -> Any:
    quarter = _reference_quarter(individu.famille, period)
    return rsa_of_openfisca.rsa_base_ressources_individu_base_formula(individu, period, quarter, parameters)


def _work(individu: Any, period: Any) -> Any:
    quarter = _reference_quarter(individu.famille, period)
    return rsa_of_openfisca.rsa_revenu_activite_individu_base_formula(individu, period, quarter)


def _reference_quarter(famille: Any, period: Any) -> Any:
    """The three months of a right: the same for every household of a simulation."""
    shifted = famille("departement_experimentation_rsa", period)
    if shifted.any() != shifted.all():
        raise AssertionError("two reference quarters in one simulation")
    return rsa_of_openfisca.last_3_months_offset_minus_1(period) if shifted.any() else period.last_3_months


def _parameters_of_right(first: str, scale: str) -> Callable[[Any], Node]:
    def at(instant: Any) -> Node:
        day = str(getattr(instant, "start", instant))
        replaced = {_PPA: _minima(scale).ppa, _SMIC: _at(scale).marche_travail.salaire_minimum.smic}
        if day[:7] >= first:
            replaced[_RSA] = _minima(scale).rsa
        return Node(system().parameters, day, replaced)

    return at


@cache
def _at(mois: str) -> Node:
    return Node(system().parameters, f"{mois}-01", {})


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
