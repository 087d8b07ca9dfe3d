"""The published figures of one territory and period: what every renderer (HTML, PDF, XLSX) reads.

Everything here has gone through disclosure control and is already rounded as it will be printed:
households to 5, rates to whole points out of 100, euros per month to 100. ``None`` where an
:class:`Estimate` is expected means *secret statistique*.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Estimate:
    """A published rate: households (to 5), points out of 100 and their interval, euros per month (to 100)."""

    eligibles: int
    non_recourants: int
    taux: int
    bas: int | None
    haut: int | None
    euros_mois: int | None

    @property
    def euros_an(self) -> int | None:
        """Twelve times the printed monthly amount, in euros."""
        return None if self.euros_mois is None else 12 * self.euros_mois

    @property
    def euros_menage_mois(self) -> int | None:
        """Euros per month and non-taking household, to 10 €."""
        if self.euros_mois is None or not self.non_recourants:
            return None
        return round(self.euros_mois / self.non_recourants / 10) * 10


@dataclass(frozen=True)
class Change:
    """The same rate one quarter earlier, and whether the difference exceeds both uncertainties."""

    periode: str
    precedent: Estimate
    points: int
    est_bruit: bool


@dataclass(frozen=True)
class Right:
    """One right over the territory, by the readings of the same tables that the estimate made."""

    droit: str
    corrige: Estimate | None
    observe: Estimate | None
    naif: Estimate | None
    lectures: tuple[str, ...]
    est_verifie: bool
    forme: str
    evolution: Change | None

    @property
    def principal(self) -> Estimate | None:
        """The rate to keep: corrected, or observed where nothing could be corrected (no CPAM household)."""
        return self.corrige if self.est_corrige else self.observe

    @property
    def est_corrige(self) -> bool:
        """True when the estimate made a corrected rate, shown or hidden."""
        return "corrige" in self.lectures


@dataclass(frozen=True)
class Place:
    """A grouping of communes, its rates by right (None: secret statistique)."""

    code: str
    nom: str
    population: int
    communes: tuple[str, ...]
    taux: dict[str, Estimate | None]


@dataclass(frozen=True)
class Part:
    """A commune named by partners inside its grouping, or the small ones of the grouping together."""

    nom: str
    regroupement: str
    taux: dict[str, Estimate | None]


@dataclass(frozen=True)
class Circle:
    """A commune on the map: public population, place and grouping, no rate of its own."""

    nom: str
    population: int
    latitude: float
    longitude: float
    regroupement: str


@dataclass(frozen=True)
class Ratio:
    """Rate of a group divided by that of another, to a tenth, with its interval."""

    reference: str
    rapport: float
    bas: float
    haut: float

    @property
    def est_net(self) -> bool:
        """True when the interval is on one side of 1: the two groups do differ."""
        return self.bas > 1 or self.haut < 1


@dataclass(frozen=True)
class Group:
    """One group of the profile: rates and ratios by right, and the national rate of 2018 where published."""

    code: str
    nom: str
    taux: dict[str, Estimate | None]
    france_2018: int | None
    rapports: dict[str, Ratio]


@dataclass(frozen=True)
class Step:
    """Where non-take-up stopped, or how long it lasts: households that did, out of all entitled ones."""

    code: str
    nom: str
    taux: dict[str, Estimate | None]


@dataclass(frozen=True)
class Path:
    """Non-take-up by its path, by its duration, and the spot one of the quarter before."""

    etapes: tuple[Step, ...]
    chemins: tuple[Step, ...]
    durees: tuple[Step, ...]
    ponctuel: Step | None


@dataclass(frozen=True)
class Dimension:
    """The groups that cut the households by one criterion."""

    code: str
    nom: str
    methode: str
    groupes: tuple[Group, ...]


@dataclass(frozen=True)
class Farmers:
    """What is known of the households of the agricultural scheme."""

    est_mesurable: bool
    menages_rsa_msa: int | None
    personnes_regime_agricole: int | None


@dataclass(frozen=True)
class Extract:
    """A partner's file behind the figures: rows received, accepted, set aside."""

    partenaire: str
    mois: str
    retard_mois: int
    recues: int
    acceptees: int
    ecartees: int


@dataclass(frozen=True)
class Quality:
    """One measure of the linkage; ``valeur`` is points out of 100 when ``est_part``, else a count."""

    mesure: str
    sources: str
    est_part: bool
    est_principale: bool
    valeur: float
    bas: float | None
    haut: float | None
    n: int | None


@dataclass(frozen=True)
class QualityClass:
    """The linkage of one class of persons: out of 10 000, those missed and those linked wrongly, at the ends.

    ``code``: ``age:50_64``, and ``ensemble:ensemble`` for everybody.
    """

    code: str
    manquees: tuple[int, int] | None
    a_tort: tuple[int, int] | None


@dataclass(frozen=True)
class Count:
    """Households of one situation, to 5 (None: secret statistique)."""

    rubrique: str
    modalite: str
    droit: str
    menages: int | None


@dataclass(frozen=True)
class Parameter:
    """A parameter of the correction of one right, as estimated."""

    nom: str
    droit: str
    valeur: float
    bas: float | None
    haut: float | None
    source: str


@dataclass(frozen=True)
class MoreAnswers:
    """Verification answers that would bring a right to ± 3 points; None when no number of them would."""

    droit: str
    reponses: int | None


@dataclass(frozen=True)
class Reference:
    """A national figure in circulation, with its year, its field and what it cannot be compared on."""

    droit: str
    valeur: int | None
    texte: str
    annee: str
    champ: str
    reserve: str
    source: str
    adresse: str


@dataclass(frozen=True)
class EarlierEdition:
    """The headline rates of an edition this one replaces."""

    edition: int
    emis_le: date
    taux: dict[str, int | None]


@dataclass(frozen=True)
class Cover:
    """What identifies the document."""

    territoire: str
    code: str
    periode: str
    mois: tuple[str, str]
    periode_suivante: str
    emis_le: date
    edition: int
    precedentes: tuple[EarlierEdition, ...]
    contact: str
    base_legale: str
    est_demonstration: bool
    est_verifie: bool
    seuil: int
    seuil_eligibles: int
    niveau_intervalle: int
    versions: dict[str, str]

    @property
    def est_revise(self) -> bool:
        """True when an earlier edition of the same period gave other figures."""
        return self.edition > 1


@dataclass(frozen=True)
class Figures:
    """Everything the report publishes."""

    couverture: Cover
    droits: tuple[Right, ...]
    lieux: tuple[Place, ...]
    communes: tuple[Circle, ...]
    parties: tuple[Part, ...]
    profil: tuple[Dimension, ...]
    comparaison: tuple[Group, ...]
    parcours: Path
    agriculteurs: Farmers
    extraits: tuple[Extract, ...]
    corrections: int
    alertes: tuple[str, ...]
    qualite: tuple[Quality, ...]
    qualite_classes: tuple[QualityClass, ...]
    effectifs: tuple[Count, ...]
    parametres: tuple[Parameter, ...]
    verifications: tuple[MoreAnswers, ...]
    references: tuple[Reference, ...]

    def right(self, droit: str) -> Right:
        """The figures of one right."""
        return next(right for right in self.droits if right.droit == droit)
