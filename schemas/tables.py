"""The tables of the data contract: which fields, which key, which row rules, who delivers."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import pandera.polars as pa

from schemas.fields import FILTER_COLUMNS, TOKEN_COLUMNS, column
from schemas.rules import (
    NIL_WITH_AMOUNT,
    PPA_DUE_WHEN_CLOSED,
    RSA_DUE_WHEN_CLOSED,
    SELF_ATTACHED,
    RowRule,
    reversed_period,
)

Variant = Literal["nominative", "delivered", "identite"]

IDENTITY = (
    "nir",
    "nom_naissance",
    "nom_usage",
    "prenoms",
    "date_naissance",
    "sexe",
    "lieu_naissance",
    "adresse",
    "commune_insee",
)
"""Identity columns, nominative side."""

DELIVERED_IDENTITY = ("sexe", "commune_insee", "naissance_annee", "naissance_mois")
"""What of the identity is delivered in clear, no finer than ``pipelines.source.coarsen`` says."""

IDENTITE_CLEAR = ("sexe", "commune_insee", "naissance_annee")
"""Clear columns of the ``__identite`` files."""


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    ``own`` are its columns besides the identity ones, ``key`` identifies a row; ``key_may_miss`` are the key
    columns that may be empty. ``derived`` columns exist in the delivered form only, ``vault`` columns in the
    nominative form only. ``retenues`` are columns of ``own`` that stay at the partner: nothing reads them
    (CRPA L.114-8, « strictement nécessaires »). ``solidaire``: a row set aside takes with it every row of the
    same value there.
    """

    name: str
    partner: str
    description: str
    own: tuple[str, ...]
    key: tuple[str, ...]
    key_may_miss: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    vault: tuple[str, ...] = ()
    rules: tuple[RowRule, ...] = ()
    est_optionnelle: bool = False
    solidaire: str | None = None
    retenues: tuple[str, ...] = ()
    other_partners: tuple[str, ...] = ()

    @property
    def est_identite(self) -> bool:
        """True when the nominative table carries identity columns."""
        return bool(self.identity)

    @property
    def est_mensuelle(self) -> bool:
        """True when the table has one row per month (M-23..M)."""
        return "mois" in self.own

    @property
    def partners(self) -> tuple[str, ...]:
        """Every partner that may deliver this table."""
        return (self.partner, *self.other_partners)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the nominative file: the contract as the partner's service reads it."""
        return (*(c for c in self.own if c not in self.derived), *self.identity, *self.vault)

    @property
    def delivered_columns(self) -> tuple[str, ...]:
        """Columns of the delivered, pseudonymised file."""
        clear = DELIVERED_IDENTITY if self.est_identite else ()
        own = tuple(c for c in self.own if c not in self.retenues)
        return (*own, *(c for c in clear if c not in own))

    @property
    def identite_columns(self) -> tuple[str, ...]:
        """Columns of the ``__identite`` file; empty when the table has none."""
        if not self.est_identite:
            return ()
        return (self.key[0], *IDENTITE_CLEAR, *TOKEN_COLUMNS, *FILTER_COLUMNS)

    def columns_of(self, variant: Variant) -> tuple[str, ...]:
        """Columns of the nominative, delivered or identity form."""
        forms = {
            "nominative": self.columns,
            "delivered": self.delivered_columns,
            "identite": self.identite_columns,
        }
        return forms[variant]

    def key_of(self, variant: Variant) -> tuple[str, ...]:
        """Key of a row in this form; empty when the nominative rows have no identifier yet."""
        if variant == "identite":
            return self.key[:1]
        return tuple(c for c in self.key if c in self.columns_of(variant))

    def required_of(self, variant: Variant) -> tuple[str, ...]:
        """Key columns that may not be empty."""
        return tuple(c for c in self.key_of(variant) if c not in self.key_may_miss)

    def schema(self, variant: Variant) -> pa.DataFrameSchema | None:
        """Pandera schema of this form, None for the identity form of a table without identity."""
        return {"nominative": self.nominative, "delivered": self.delivered, "identite": self.identite}[
            variant
        ]

    @cached_property
    def nominative(self) -> pa.DataFrameSchema:
        """Pandera schema of the typed nominative table."""
        return self._build("nominative")

    @cached_property
    def delivered(self) -> pa.DataFrameSchema:
        """Pandera schema of the delivered table."""
        return self._build("delivered")

    @cached_property
    def identite(self) -> pa.DataFrameSchema | None:
        """Pandera schema of the ``__identite`` file, None when the table has none."""
        return self._build("identite") if self.est_identite else None

    @property
    def identite_name(self) -> str:
        """File name (without suffix) of the identity tokens."""
        return f"{self.name}__identite"

    @property
    def raw_name(self) -> str:
        """Warehouse table of the rows as received: ``raw_<partenaire>__<table>``."""
        return f"raw_{self.partner}__{self._bare_name}"

    @property
    def core_name(self) -> str:
        """Warehouse table of the current state: ``core__<partenaire>_<table>``."""
        return f"core__{self.partner}_{self._bare_name}"

    @property
    def _bare_name(self) -> str:
        for prefix in (f"{self.partner}_", "dep_"):
            if self.name.startswith(prefix):
                return self.name.removeprefix(prefix)
        return self.name

    def _build(self, variant: Variant) -> pa.DataFrameSchema:
        required = self.required_of(variant)
        columns = {c: column(c, nullable=c not in required) for c in self.columns_of(variant)}
        return pa.DataFrameSchema(columns, strict=True, name=self.name, title=self.description)


HOUSEHOLD_BENEFITS = ("aide_logement", "af", "af_base", "cf", "asf", "paje_base", "paje_prepare", "aspa")
"""Benefits due to a household for a month, besides the RSA and the prime d'activité."""

PERSON_BENEFITS = ("aah", "caah", "ass", "asi")
"""Benefits due to one person for a month."""

_RSA = (
    "rsa_etat",
    "rsa_natpf",
    "rsa_demande_le",
    "rsa_motif",
    "rsa_motif_refus",
    "rsa_motif_cloture",
    "rsa_du",
)
_PRESENCE = reversed_period("present_du", "present_au")

CAF_FOYERS = Table(
    name="caf_foyers",
    partner="caf",
    description="Foyers allocataires, par mois : logement, prestations, dossiers RSA et prime d'activité.",
    own=(
        "foyer_id",
        "mois",
        "commune_insee",
        "caf_num",
        "sitfam",
        "sitfam_date",
        "occlog",
        "ressources_source",
        *HOUSEHOLD_BENEFITS,
        *_RSA,
        "ppa_etat",
        "ppa_motif",
        "ppa_due",
        "dtr_phase",
    ),
    key=("foyer_id", "mois"),
    retenues=("caf_num", "ressources_source", "rsa_natpf", "rsa_demande_le", "rsa_motif_refus"),
    rules=(RSA_DUE_WHEN_CLOSED, PPA_DUE_WHEN_CLOSED),
)

CAF_PERSONNES = Table(
    name="caf_personnes",
    partner="caf",
    description="Personnes des foyers allocataires.",
    own=(
        "personne_id",
        "foyer_id",
        "role",
        "present_du",
        "present_au",
        "nati",
        "act",
        "etudiant",
        "enceinte",
    ),
    key=("personne_id", "foyer_id", "present_du"),
    key_may_miss=("present_du",),
    identity=IDENTITY,
    rules=(_PRESENCE,),
)

CAF_PRESTATIONS_PERSONNES = Table(
    name="caf_prestations_personnes",
    partner="caf",
    description="Prestations dues à une personne, par mois.",
    own=("personne_id", "mois", *PERSON_BENEFITS),
    key=("personne_id", "mois"),
)

CAF_RESSOURCES = Table(
    name="caf_ressources",
    partner="caf",
    description="Ressources mensuelles, par personne et par nature. Aucune ligne : inconnu ; 000 : nul.",
    own=("personne_id", "mois", "natress", "montant"),
    key=("personne_id", "mois", "natress"),
    rules=(NIL_WITH_AMOUNT,),
)

CPAM_ASSURES = Table(
    name="cpam_assures",
    partner="cpam",
    description="Assurés, avec leur complémentaire santé solidaire.",
    own=(
        "personne_id",
        "regime",
        "c2s",
        "c2s_debut",
        "c2s_fin",
        "foyer_c2s_id",
        "logement_id",
        "ressources_connues",
        "ne_en_france",
    ),
    key=("personne_id",),
    identity=IDENTITY,
    derived=("logement_id", "ne_en_france"),
    rules=(reversed_period("c2s_debut", "c2s_fin"),),
)

CPAM_RATTACHEMENTS = Table(
    name="cpam_rattachements",
    partner="cpam",
    description="Enfants rattachés, une ligne par enfant et par assuré.",
    own=("enfant_id", "ouvrant_droit_id"),
    key=("enfant_id", "ouvrant_droit_id"),
    rules=(SELF_ATTACHED,),
)

CPAM_RESSOURCES = Table(
    name="cpam_ressources",
    partner="cpam",
    description="Indemnités, pensions et ressources mensuelles connues de l'assurance maladie.",
    own=("personne_id", "mois", "natress", "montant", "arret_debut"),
    key=("personne_id", "mois", "natress"),
    rules=(NIL_WITH_AMOUNT,),
)

DEP_PERSONNES = Table(
    name="dep_personnes",
    partner="departement",
    description="Personnes des dossiers RSA du Département.",
    own=("personne_id", "dossier_id", "role", "present_du", "present_au"),
    key=("personne_id", "dossier_id", "present_du"),
    key_may_miss=("present_du",),
    identity=IDENTITY,
    rules=(_PRESENCE,),
)

DEP_RSA = Table(
    name="dep_rsa",
    partner="departement",
    description="Dossiers RSA du Département, par mois.",
    own=("dossier_id", "mois", "commune_insee", "fonorg", *_RSA),
    key=("dossier_id", "mois"),
    retenues=("rsa_natpf", "rsa_demande_le", "rsa_motif", "rsa_motif_refus", "rsa_motif_cloture"),
    rules=(RSA_DUE_WHEN_CLOSED,),
)

DEP_SUIVIS = Table(
    name="dep_suivis",
    partner="departement",
    description="Suivis sociaux, par personne et dispositif.",
    own=("personne_id", "dispositif", "mois_debut", "mois_fin", "mds"),
    key=("personne_id", "dispositif", "mois_debut", "mds"),
    key_may_miss=("dispositif", "mois_debut", "mds"),
    rules=(reversed_period("mois_debut", "mois_fin"),),
    est_optionnelle=True,
)

CONSENTEMENTS = Table(
    name="consentements",
    partner="cellule",
    description="Consentements à être rappelé, une ligne par événement.",
    own=(
        "consentement_id",
        "finalite",
        "destinataire",
        "evenement",
        "evenement_le",
        "recueilli_par",
        "action_id",
        "canal_recueil",
        "formulaire_version",
        "formulaire_sha256",
        "expire_le",
        "capacite",
        "representant_ref",
    ),
    key=("consentement_id", "finalite", "destinataire", "evenement", "evenement_le"),
    key_may_miss=("finalite", "destinataire", "evenement", "evenement_le"),
    identity=IDENTITY[1:],
    vault=("telephone", "courriel", "adresse_contact", "canal_prefere", "creneau"),
    solidaire="consentement_id",
)

ACTIONS = Table(
    name="actions",
    partner="cellule",
    description="Actions d'aller-vers.",
    own=(
        "action_id",
        "date",
        "commune_insee",
        "lieu",
        "type_action",
        "public",
        "personnes_rencontrees",
        "orientations",
    ),
    key=("action_id",),
)

OPPOSITIONS = Table(
    name="oppositions",
    partner="cellule",
    description="Oppositions au traitement ou au contact ; la ligne est numérotée à la source.",
    own=("consentement_id", "objet", "depuis_le"),
    key=("consentement_id",),
    identity=IDENTITY,
    derived=("consentement_id",),
)

SUITES = Table(
    name="suites",
    partner="cellule",
    description="Suites données aux rappels.",
    own=("consentement_id", "suite", "le"),
    key=("consentement_id", "suite", "le"),
    key_may_miss=("le",),
    est_optionnelle=True,
)

ENQUETES = Table(
    name="enquetes",
    partner="cellule",
    description="Réponses d'enquête, en codes déclarés.",
    own=("enquete_id", "repondant", "question", "reponse", "commune_insee", "poids"),
    key=("enquete_id", "repondant", "question"),
    est_optionnelle=True,
)


def _msa(table: Table) -> Table:
    """The same table, delivered by the MSA where it takes part."""
    name = f"msa_{table.name.split('_', 1)[1]}"
    text = f"{table.description} Livré par la MSA."
    return replace(table, name=name, partner="msa", description=text, est_optionnelle=True)


MSA_TABLES = [
    _msa(table)
    for table in (
        CAF_FOYERS,
        CAF_PERSONNES,
        CAF_PRESTATIONS_PERSONNES,
        CPAM_ASSURES,
        CPAM_RATTACHEMENTS,
        CPAM_RESSOURCES,
    )
]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CAF_FOYERS,
        CAF_PERSONNES,
        CAF_PRESTATIONS_PERSONNES,
        CAF_RESSOURCES,
        CPAM_ASSURES,
        CPAM_RATTACHEMENTS,
        CPAM_RESSOURCES,
        DEP_PERSONNES,
        DEP_RSA,
        DEP_SUIVIS,
        CONSENTEMENTS,
        ACTIONS,
        OPPOSITIONS,
        ENQUETES,
        SUITES,
        *MSA_TABLES,
    )
}
"""Every table of the contract, by name."""

PARTNERS = ("caf", "cpam", "departement", "cellule", "msa")


SAMPLE_ANSWERS = Table(
    name="reponses_echantillon",
    partner="caf",
    description="Formulaire, hors extrait : réponses d'un partenaire à l'échantillon de vérification.",
    own=(
        "echantillon_id",
        "connu_caf",
        "connu_cpam",
        "connu_msa",
        "eligible_rsa",
        "eligible_ppa",
        "mode",
        "verifie_le",
    ),
    key=("echantillon_id", "mode", "verifie_le"),
    key_may_miss=("mode", "verifie_le"),
    est_optionnelle=True,
    other_partners=("cpam",),
)
"""Not an extract: a form that comes back when the answers are known, with no identifier but the number of the
draw. One number may come back twice, when the verification was done again (another mode or month)."""


def tables_of(partner: str) -> list[Table]:
    """Tables a partner may deliver, in the order of the contract."""
    return [table for table in TABLES.values() if partner in table.partners]
