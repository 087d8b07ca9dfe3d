"""The tables that pass between the stages: core, out and meta, with the check a stage owes its readers."""

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from pipelines.refusals import Refusal
from schemas.fields import column, kind_of
from schemas.tables import SAMPLE_ANSWERS, TABLES

RAW_MARKS = ("extrait_id", "extrait_mois")
"""What a raw table adds to the delivered columns: the extract a row came with."""


@dataclass(frozen=True)
class WarehouseTable:
    """One table of the warehouse. ``est_ouverte``: a stage may add columns of its own (profiles)."""

    name: str
    description: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    est_ouverte: bool = False

    def schema(self) -> pa.DataFrameSchema:
        """Pandera schema: types, ranges, and no empty key."""
        columns = {c: column(c, nullable=c not in self.key) for c in self.columns}
        return pa.DataFrameSchema(columns, strict=not self.est_ouverte, name=self.name)


class TableMismatch(Refusal):
    """A stage wrote a table that is not the declared one: a fault of the program, not of a file."""

    code = 1


def empty_table(name: str) -> pl.DataFrame:
    """A declared table without any row."""
    return pl.DataFrame(schema={c: kind_of(c).dtype for c in WAREHOUSE_TABLES[name].columns})


def check_table(name: str, frame: pl.DataFrame) -> None:
    """Hold a warehouse table against its declaration.

    Raises :class:`TableMismatch` naming the columns that are missing, unexpected, of another type, or hold a
    value that the declaration excludes; no value is quoted. Raises :class:`KeyError` for an undeclared name.
    """
    table = WAREHOUSE_TABLES[name]
    faults = _column_faults(table, frame) or _value_faults(table, frame)
    if faults:
        raise TableMismatch(
            f"La table ne suit pas sa déclaration : {' ; '.join(faults)}.",
            ou=f"entrepôt, table {name}",
            que_faire="Signaler cette anomalie du logiciel : aucune donnée n'est en cause.",
        )


def _column_faults(table: WarehouseTable, frame: pl.DataFrame) -> list[str]:
    faults = [f"colonne absente {c}" for c in table.columns if c not in frame.columns]
    if not table.est_ouverte:
        faults += [f"colonne en trop {c}" for c in frame.columns if c not in table.columns]
    present = [c for c in table.columns if c in frame.columns]
    wrong = [c for c in present if frame.schema[c] != kind_of(c).dtype]
    return faults + [f"{c} est {frame.schema[c]} au lieu de {kind_of(c).dtype}" for c in wrong]


def _value_faults(table: WarehouseTable, frame: pl.DataFrame) -> list[str]:
    try:
        table.schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        columns = {str(e.schema.name) for e in error.schema_errors}
        return [f"valeurs exclues dans {', '.join(sorted(columns))}"]
    if table.key and frame.select(table.key).is_duplicated().any():
        return [f"clé répétée ({', '.join(table.key)})"]
    return []


def _core_states() -> list[WarehouseTable]:
    """The current state of each contract table, as known at the month of the run."""
    seen: dict[str, WarehouseTable] = {}
    for table in TABLES.values():
        unique = table.required_of("delivered") if not table.key_may_miss else ()
        text = f"État courant. {table.description}"
        seen[table.core_name] = WarehouseTable(table.core_name, text, table.delivered_columns, unique)
    return list(seen.values())


def _meta_tables() -> list[WarehouseTable]:
    return [
        WarehouseTable(
            "meta__extraits",
            "Extraits ingérés ; est_utilise : retenu par la dernière exécution.",
            (
                "extrait_id",
                "partenaire",
                "mois",
                "millesime_cle",
                "version_encodage",
                "controle_cle",
                "date",
                "empreinte",
                "rang",
                "est_utilise",
                "est_remplace",
            ),
            ("extrait_id",),
        ),
        WarehouseTable(
            "meta__rejets",
            "Lignes mises de côté, comptées par règle.",
            ("extrait_id", "partenaire", "table_contrat", "regle", "lignes"),
            ("extrait_id", "table_contrat", "regle"),
        ),
        WarehouseTable(
            "meta__lignes",
            "Lignes reçues, acceptées, mises de côté, par table.",
            ("extrait_id", "table_contrat", "lignes_recues", "lignes_acceptees", "lignes_ecartees"),
            ("extrait_id", "table_contrat"),
        ),
        WarehouseTable(
            "meta__codes_inconnus",
            "Codes hors nomenclature, gardés et comptés.",
            ("extrait_id", "table_contrat", "colonne", "modalite", "lignes"),
            ("extrait_id", "table_contrat", "colonne", "modalite"),
        ),
        WarehouseTable(
            "meta__jetons",
            "Jetons vides des fichiers d'identité, lus au pied des fichiers Parquet.",
            ("extrait_id", "table_contrat", "colonne", "lignes", "lignes_vides"),
            ("extrait_id", "table_contrat", "colonne"),
        ),
        WarehouseTable(
            "meta__corrections",
            "Lignes d'un mois déjà livré qu'un extrait plus récent a changées.",
            ("table_contrat", "mois", "lignes_changees"),
            ("table_contrat", "mois"),
        ),
        WarehouseTable(
            "meta__alertes",
            "Alertes de l'ingestion et de la qualité.",
            ("mois", "etape", "gravite", "source", "message"),
        ),
    ]


def _person_tables() -> list[WarehouseTable]:
    """Who is who, and what the linkage leaves aside."""
    return [
        WarehouseTable(
            "core__personnes_liees",
            "Personnes après appariement ; poids : celui du lien, vide pour l'ancre.",
            ("personne_uid", "source", "personne_id", "poids"),
            ("source", "personne_id"),
        ),
        WarehouseTable(
            "core__paires",
            "Paires comparées.",
            (
                "source_g",
                "personne_id_g",
                "source_d",
                "personne_id_d",
                "poids",
                "probabilite",
                "motif",
                "regle",
                "est_retenue",
            ),
            ("source_g", "personne_id_g", "source_d", "personne_id_d"),
        ),
        WarehouseTable(
            "core__personnes_opposees",
            "Enregistrements des personnes qui se sont opposées, retrouvés après appariement.",
            ("source", "personne_id", "objet"),
            ("source", "personne_id", "objet"),
        ),
        WarehouseTable(
            "core__consentements_ambigus",
            "Consentements qui peuvent être de deux personnes : liés à aucune.",
            ("consentement_id", "n_candidats", "ecart_poids"),
            ("consentement_id",),
        ),
    ]


def _linkage_quality_tables() -> list[WarehouseTable]:
    """What the linkage finds, with which model, how well."""
    return [
        WarehouseTable(
            "out__regles_appariement",
            "Ce que chaque règle de blocage trouve, et ce qu'elle est seule à trouver.",
            ("famille", "source_g", "source_d", "liens", "liens_seule"),
            ("famille", "source_g", "source_d"),
        ),
        WarehouseTable(
            "meta__modeles",
            "Probabilités du modèle d'appariement de chaque mois.",
            (
                "mois",
                "comparaison",
                "accord",
                "degre",
                "m",
                "u",
                "poids",
                "est_appris",
                "paires",
                "prior",
                "version_splink",
                "version_comparaisons",
            ),
            ("mois", "comparaison", "accord"),
        ),
        WarehouseTable(
            "out__qualite_appariement",
            "Qualité de l'appariement, par couple de sources et par classe de personnes.",
            ("mesure", "source_g", "source_d", "classe", "modalite", "valeur", "bas", "haut", "n"),
        ),
    ]


def _review_tables() -> list[WarehouseTable]:
    """Pairs read again by people."""
    return [
        WarehouseTable(
            "meta__relecture_tirage",
            "Paires tirées pour la relecture à l'aveugle ; une paire y est une empreinte et ses accords.",
            ("tirage", "rang", "source_g", "source_d", "bande", "n", "motif", "empreinte"),
            ("tirage", "rang"),
        ),
        WarehouseTable(
            "meta__relecture",
            "Réponses des relecteurs, paire par paire.",
            ("tirage", "rang", "bande", "lecteur", "reponse", "date"),
            ("tirage", "rang", "lecteur"),
        ),
    ]


def _eligibility_tables() -> list[WarehouseTable]:
    return [
        WarehouseTable(
            "core__menages",
            "Ménages au sens du RSA, par instrument et variante.",
            (
                "menage_id",
                "instrument",
                "commune_insee",
                "regle",
                "n_adultes",
                "n_enfants",
                "age_reference",
                "poids_variante",
                "menage_base_id",
            ),
            ("menage_id", "instrument"),
            est_ouverte=True,
        ),
        WarehouseTable(
            "core__menages_personnes",
            "Personnes des ménages.",
            ("menage_id", "instrument", "source", "personne_id", "role"),
            ("menage_id", "instrument", "source", "personne_id"),
        ),
        WarehouseTable(
            "core__droits",
            "Droits simulés, par ménage et par mois.",
            (
                "menage_id",
                "instrument",
                "mois",
                "droit",
                "eligible",
                "motif",
                "montant_eur_mois",
                "poids_eligible",
            ),
            ("menage_id", "instrument", "mois", "droit"),
            est_ouverte=True,
        ),
        WarehouseTable(
            "core__droits_anterieurs",
            "Droits simulés des ménages de la CAF, dans les six mois d'avant la période.",
            ("menage_id", "mois", "droit", "eligible", "motif", "montant_eur_mois"),
            ("menage_id", "mois", "droit"),
        ),
        WarehouseTable(
            "core__payes_loin_du_seuil",
            "Foyers à qui la CAF verse le RSA et dont les ressources dépassent de loin le seuil.",
            ("menage_id", "ressources_sur_seuil"),
            ("menage_id",),
        ),
    ]


def _sample_tables() -> list[WarehouseTable]:
    return [
        WarehouseTable(
            "meta__echantillon",
            "Fiches tirées pour l'échantillon de vérification, avec leur strate et leur probabilité.",
            (
                "tirage",
                "mois",
                "partenaire",
                "echantillon_id",
                "personne_id",
                "menage_base_id",
                "volet",
                "strate_tirage",
                "taux_sondage",
                "probabilite_tirage",
            ),
            ("echantillon_id",),
        ),
        WarehouseTable(
            "meta__echantillon_reponses",
            "Réponses des partenaires à l'échantillon ; rang : ordre de lecture.",
            ("partenaire", *SAMPLE_ANSWERS.own, "rang", "date"),
            ("echantillon_id", "rang"),
        ),
    ]


def _situation_tables() -> list[WarehouseTable]:
    """Where each household stands."""
    return [
        WarehouseTable(
            "core__situations",
            "Situation de chaque ménage devant chaque droit, avec son profil.",
            (
                "menage_base_id",
                "strate",
                "droit",
                "eligible",
                "situation",
                "motif",
                "montant_non_reclame_eur_mois",
                "poids",
                "commune_insee",
            ),
            est_ouverte=True,
        ),
    ]


def _rate_tables() -> list[WarehouseTable]:
    """What is estimated, version after version, and what one group is to another."""
    return [
        WarehouseTable(
            "out__taux",
            "Taux de non-recours, avec leur intervalle.",
            (
                "droit",
                "niveau",
                "code_territoire",
                "periode",
                "est_trimestre",
                "groupe",
                "eligibles",
                "non_recourants",
                "taux",
                "taux_bas",
                "taux_haut",
                "euros_mois",
                "methode",
                "est_diffusable",
                "est_verifie",
                "forme",
            ),
        ),
        WarehouseTable(
            "out__taux_revisions",
            "Taux corrigé du territoire, à chaque version : la première, puis chaque révision et sa raison.",
            (
                "periode",
                "droit",
                "version",
                "eligibles",
                "non_recourants",
                "taux",
                "taux_bas",
                "taux_haut",
                "motif",
                "date",
                "extraits",
                "reponses",
            ),
            ("periode", "droit", "version"),
        ),
        WarehouseTable(
            "out__risques",
            "Taux de non-recours de chaque groupe, rapporté à celui d'un groupe de référence.",
            (
                "droit",
                "code_territoire",
                "periode",
                "groupe",
                "reference",
                "rapport",
                "rapport_bas",
                "rapport_haut",
            ),
            ("droit", "code_territoire", "periode", "groupe"),
        ),
    ]


def _account_tables() -> list[WarehouseTable]:
    """What the rates rest on."""
    return [
        WarehouseTable(
            "out__effectifs",
            "Ce qui est exclu et pourquoi, couverture, règles de formation.",
            ("rubrique", "modalite", "droit", "menages"),
        ),
        WarehouseTable(
            "out__parametres_estimation",
            "Paramètres de l'estimation, avec leur source.",
            ("nom", "valeur", "bas", "haut", "source"),
        ),
    ]


def _contact_tables() -> list[WarehouseTable]:
    """Who may be called back, and about which consents to ask."""
    return [
        WarehouseTable(
            "core__a_rappeler_detail",
            "Personnes à rappeler, avec le détail du calcul.",
            ("consentement_id", "droit", "echeance"),
            est_ouverte=True,
        ),
        WarehouseTable(
            "out__a_rappeler",
            "Ce que la cellule reçoit : qui rappeler, pour quel droit, jusqu'à quand.",
            ("consentement_id", "droit", "echeance"),
            ("consentement_id", "droit"),
        ),
        WarehouseTable(
            "out__a_verifier",
            "Consentements dont les fichiers ne disent pas de qui ils sont : à demander à la personne.",
            ("consentement_id", "raison"),
            ("consentement_id",),
        ),
    ]


WAREHOUSE_TABLES: dict[str, WarehouseTable] = {
    table.name: table
    for group in (
        _core_states(),
        _meta_tables(),
        _person_tables(),
        _linkage_quality_tables(),
        _review_tables(),
        _eligibility_tables(),
        _sample_tables(),
        _situation_tables(),
        _rate_tables(),
        _account_tables(),
        _contact_tables(),
    )
    for table in group
}
"""Every declared table of the warehouse, by name."""
