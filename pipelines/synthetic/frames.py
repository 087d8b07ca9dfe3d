"""The frames of the invented territory: what the other modules of ``synthetic`` may count on."""

from dataclasses import dataclass, fields

import polars as pl

KEY = pl.Int64

COLUMNS: dict[str, dict[str, type[pl.DataType]]] = {
    "personnes": {
        "personne": KEY,
        "sexe": pl.Int8,
        "naissance": pl.Date,
        "deces": pl.Date,
        "lieu_naissance": pl.String,
        "nati": pl.String,
        "pere": KEY,
        "mere": KEY,
    },
    "unions": {
        "personne": KEY,
        "conjoint": KEY,
        "debut": pl.String,
        "fin": pl.String,
        "est_mariage": pl.Boolean,
    },
    "membres": {
        "menage": KEY,
        "personne": KEY,
        "role": pl.String,
        "present_du": pl.String,
        "present_au": pl.String,
    },
    "menages_mois": {
        "menage": KEY,
        "mois": pl.String,
        "commune_insee": pl.String,
        "logement": KEY,
        "est_territoire": pl.Boolean,
        "occlog": pl.String,
        "sitfam": pl.String,
        "sitfam_date": pl.String,
        "aide_logement": pl.Float64,
        "af": pl.Float64,
        "af_base": pl.Float64,
        "cf": pl.Float64,
        "asf": pl.Float64,
        "paje_base": pl.Float64,
        "paje_prepare": pl.Float64,
        "aspa": pl.Float64,
        "est_agricole": pl.Boolean,
    },
    "etats": {
        "personne": KEY,
        "mois": pl.String,
        "act": pl.String,
        "etudiant": pl.Int8,
        "enceinte": pl.Int8,
        "regime": pl.String,
    },
    "prestations": {
        "personne": KEY,
        "mois": pl.String,
        "aah": pl.Float64,
        "caah": pl.Float64,
        "ass": pl.Float64,
        "asi": pl.Float64,
    },
    "ressources": {"personne": KEY, "mois": pl.String, "natress": pl.String, "montant": pl.Float64},
    "droits": {
        "menage": KEY,
        "mois": pl.String,
        "droit": pl.String,
        "eligible": pl.String,
        "motif": pl.String,
        "montant_eur_mois": pl.Float64,
    },
    "dossiers": {
        "menage": KEY,
        "mois": pl.String,
        "est_au_caf": pl.Boolean,
        "caf_num": pl.String,
        "ressources_source": pl.String,
        "dtr_phase": pl.Int8,
        "fonorg": pl.String,
        "rsa_etat": pl.String,
        "rsa_natpf": pl.String,
        "rsa_demande_le": pl.String,
        "rsa_motif": pl.String,
        "rsa_motif_refus": pl.String,
        "rsa_motif_cloture": pl.String,
        "rsa_du": pl.Float64,
        "ppa_etat": pl.String,
        "ppa_motif": pl.String,
        "ppa_due": pl.Float64,
    },
    "c2s": {
        "personne": KEY,
        "mois": pl.String,
        "c2s": pl.Int8,
        "c2s_debut": pl.String,
        "c2s_fin": pl.String,
        "foyer_c2s": KEY,
    },
    "sans_assurance": {"personne": KEY},
}
"""Columns and types of every frame, in order; months ``AAAA-MM``, amounts in euros per month."""


@dataclass(frozen=True)
class World:
    """A whole invented territory with its truth, month by month.

    A *ménage* is an RSA household: adult, spouse or partner, dependants under 25. Persons who appear in no
    ``membres`` row are the dead or absent spouses and parents that names are taken from. ``unions`` has one
    row per person and partner, so two rows per couple. ``dossiers`` has one row per household and month of
    the delivered window, whether or not CAF knows it; at the MSA (``fonorg``) ``est_au_caf`` is false.
    ``sans_assurance`` lists the few persons no insurer knows: they belong in no CPAM or MSA extract.
    """

    personnes: pl.DataFrame
    unions: pl.DataFrame
    membres: pl.DataFrame
    menages_mois: pl.DataFrame
    etats: pl.DataFrame
    prestations: pl.DataFrame
    ressources: pl.DataFrame
    droits: pl.DataFrame
    dossiers: pl.DataFrame
    c2s: pl.DataFrame
    sans_assurance: pl.DataFrame

    def __post_init__(self) -> None:
        """Hold every frame to its declared columns and types."""
        for field in fields(self):
            frame: pl.DataFrame = getattr(self, field.name)
            if dict(frame.schema) != COLUMNS[field.name]:
                raise TypeError(f"frame {field.name} of the world has not its declared columns")
