"""Every column, declared once by its name: type, description, unit, code list, source.

Same name, same quantity, in every table. Tables are selections of these fields (``schemas.tables`` for the
contract, ``schemas.warehouse_tables`` for the warehouse).
"""

from typing import Any

import pandera.polars as pa

from schemas.kinds import (
    BOOLEEN,
    CODE,
    COMMUNE_INSEE,
    DATE,
    DRAPEAU,
    ENTIER,
    ENTIER_COURT,
    ENTIER_LONG,
    IDENTIFIANT,
    JETON,
    MOIS,
    MONTANT,
    PETIT_ENTIER,
    REEL,
    TEXTE,
    Kind,
)

Bounds = tuple[float, float]

FIELDS: dict[str, pa.Column] = {}


def kind_of(name: str) -> Kind:
    """Kind of a declared column."""
    kind: Kind = metadata_of(name)["kind"]
    return kind


def metadata_of(name: str) -> dict[str, Any]:
    """Unit, code list, source and privacy marks of a declared column."""
    return dict(FIELDS[name].metadata or {})


def list_of(name: str) -> str | None:
    """Name of the code list of a column, None when it has none."""
    found: str | None = metadata_of(name).get("liste")
    return found


def is_keyed(name: str) -> bool:
    """True for an identifier that is replaced at source by a keyed form, a token."""
    return bool(metadata_of(name).get("pseudonyme"))


def delivered_kind_of(name: str) -> Kind:
    """Kind of a column once delivered: a token, for what is keyed at source."""
    return JETON if is_keyed(name) else kind_of(name)


def column(name: str, *, nullable: bool = True) -> pa.Column:
    """A fresh Pandera column of this field, to put in a schema."""
    declared = FIELDS[name]
    return pa.Column(
        declared.dtype,
        checks=list(declared.checks),
        nullable=nullable,
        name=name,
        description=declared.description,
        metadata=declared.metadata,
    )


def _declare(name: str, kind: Kind, description: str, bornes: Bounds | None = None, **marks: Any) -> None:
    if name in FIELDS:
        raise ValueError(f"column declared twice: {name}")
    FIELDS[name] = pa.Column(
        kind.dtype,
        checks=kind.checks() + ([pa.Check.in_range(*bornes)] if bornes else []),
        nullable=True,
        name=name,
        description=description,
        metadata={"kind": kind, "bornes": bornes, **marks},
    )


def _euros_month(name: str, description: str, **marks: Any) -> None:
    _declare(name, MONTANT, description, unite="€/mois", **marks)


def _code(name: str, liste: str, description: str, **marks: Any) -> None:
    _declare(name, CODE, description, liste=liste, **marks)


# Identifiers. ``pseudonyme``: replaced at source by a keyed form, checked as such in delivered files.
_declare("personne_id", IDENTIFIANT, "Personne, dans le système du partenaire.", pseudonyme=True)
_declare("foyer_id", IDENTIFIANT, "Foyer allocataire.", pseudonyme=True)
_declare("dossier_id", IDENTIFIANT, "Dossier RSA du Département.", pseudonyme=True)
_declare("enfant_id", IDENTIFIANT, "Enfant rattaché (un personne_id).", pseudonyme=True)
_declare("ouvrant_droit_id", IDENTIFIANT, "Assuré auquel l'enfant est rattaché.", pseudonyme=True)
_declare("foyer_c2s_id", IDENTIFIANT, "Foyer déclaré pour la C2S ; vide si aucun.", pseudonyme=True)
_declare(
    "logement_id",
    IDENTIFIANT,
    "Adresse normalisée sous clé, valable dans cette seule livraison ; dérivée à la source.",
    pseudonyme=True,
)
_declare(
    "consentement_id",
    IDENTIFIANT,
    "Consentement (ou ligne d'opposition, numérotée à la source).",
    pseudonyme=True,
)
_declare("action_id", IDENTIFIANT, "Action d'aller-vers.", pseudonyme=True)
_declare("echantillon_id", IDENTIFIANT, "Enregistrement de l'échantillon de vérification.")
_declare("enquete_id", IDENTIFIANT, "Enquête.")
_declare("repondant", IDENTIFIANT, "Répondant, renuméroté à la source.", pseudonyme=True)
_declare("representant_ref", IDENTIFIANT, "Référence du mandat du représentant.", pseudonyme=True)

# Identity: nominative side only, except what ``schemas.tables`` keeps in clear.
# ``tolere``: what is implausible counts as missing, the row stays.
_declare("nir", TEXTE, "NIR, 13 ou 15 caractères ; vide, provisoire ou faux possible.", tolere=True)
_declare("nom_naissance", TEXTE, "Nom de naissance, tel que saisi.", tolere=True)
_declare("nom_usage", TEXTE, "Nom d'usage, tel que saisi.", tolere=True)
_declare("prenoms", TEXTE, "Prénoms, séparés par des espaces ou des virgules.", tolere=True)
_declare(
    "date_naissance", TEXTE, "Date de naissance AAAA-MM-JJ ; 00 ou 99 pour une part inconnue.", tolere=True
)
_code("sexe", "SEXE", "Sexe.", tolere=True)
_declare("lieu_naissance", TEXTE, "Commune COG de naissance, ou pays 99xxx.", tolere=True)
_declare("adresse", TEXTE, "Adresse, texte libre.", tolere=True)
_declare(
    "commune_insee",
    COMMUNE_INSEE,
    "Commune (COG) de résidence. Livrée, hors fichiers d'identité : sous 2 000 habitants, la plus peuplée de "
    "ces petites communes du même regroupement.",
    source="INSEE, code officiel géographique",
)
_declare(
    "naissance_annee",
    ENTIER,
    "Année de naissance : exacte quand le mois est livré, et dans les fichiers d'identité ; sinon année "
    "convenue, commune à une tranche d'âge (0-2, 3-17, 18-24 ans) ou à une classe d'années de naissance.",
    (1880, 2100),
    tolere=True,
)
_declare(
    "naissance_mois",
    PETIT_ENTIER,
    "Mois de naissance, à l'approche des âges où un droit peut changer : 0, 3, 18, 25 et 26 ans.",
    (1, 12),
    tolere=True,
)
_declare("ne_en_france", DRAPEAU, "Né en France (lieu de naissance) ; dérivé à la source.")

# Periods.
_declare("mois", MOIS, "Mois décrit par la ligne.")
_declare("present_du", MOIS, "Premier mois de présence. Livré : vide quand il précède M-8.")
_declare(
    "present_au", MOIS, "Dernier mois de présence ; vide : encore présent. Livré : M-9 quand il précède M-8."
)
_declare("mois_debut", MOIS, "Premier mois du suivi.")
_declare("mois_fin", MOIS, "Dernier mois du suivi ; vide : en cours.")

# CAF.
_code("caf_num", "NUMORG", "Caisse gestionnaire (NUMORG).", source="CNAF")
_code(
    "sitfam",
    "SITFAM",
    "Situation familiale. Livrée : ISO pour une séparation ou un veuvage de moins de deux ans, sinon vide.",
    source="CNAF",
)
_declare(
    "sitfam_date",
    MOIS,
    "Mois de la situation familiale. Livré avec elle.",
    source="CNAF",
)
_code("occlog", "TYPEOCCLOG", "Type d'occupation du logement.", source="CNAF")
_code("ressources_source", "RESSOURCES_SOURCE", "D'où viennent les ressources du foyer ce mois-ci.")
_euros_month("aide_logement", "Aide au logement due.")
_euros_month("af", "Allocations familiales dues, majoration pour âge comprise.")
_euros_month("af_base", "Allocations familiales dues, sans majoration pour âge.")
_euros_month("cf", "Complément familial dû, majoration comprise.")
_euros_month("asf", "Allocation de soutien familial due.")
_euros_month("paje_base", "Allocation de base de la Paje due.")
_euros_month("paje_prepare", "PreParE due.")
_euros_month("aspa", "Aspa due.")
_code("rsa_etat", "ETATDOSRSA", "État du dossier RSA ; vide sans dossier.", source="CNAF")
_code("rsa_natpf", "NATPF", "Nature du RSA.", source="CNAF")
_declare("rsa_demande_le", MOIS, "Mois de la demande de RSA.")
_code("rsa_motif", "MOTISUSVERSRSA", "Motif de suspension du versement du RSA.", source="CNAF")
_code("rsa_motif_refus", "MOTIREFURSA", "Motif de refus du RSA.", source="CNAF")
_code("rsa_motif_cloture", "MOTICLORSA", "Motif de clôture du RSA.", source="CNAF")
_euros_month("rsa_du", "RSA dû au titre du mois.")
_code("ppa_etat", "ETATDOSRSA", "État du dossier de prime d'activité ; vide sans dossier.", source="CNAF")
_code("ppa_motif", "MOTISUSVERSRSA", "Motif de suspension de la prime d'activité.", source="CNAF")
_euros_month("ppa_due", "Prime d'activité due au titre du mois.")
_declare("dtr_phase", PETIT_ENTIER, "Mois du trimestre propre du foyer (1 à 3) ; vide sans dossier.", (1, 3))
_code("role", "ROLEPERS", "Rôle de la personne dans le foyer ou le dossier.", source="CNAF")
_code("nati", "NATI", "Nationalité, en trois groupes.", source="CNAF")
_code("act", "ACT", "Activité (liste ouverte).", source="CNAF", est_ouverte=True)
_declare("etudiant", DRAPEAU, "Étudiant.")
_declare("enceinte", DRAPEAU, "Grossesse en cours.")
_euros_month("aah", "Allocation aux adultes handicapés due ; 0 si aucune.")
_euros_month("caah", "Complément d'AAH dû ; 0 si aucun.")
_euros_month("ass", "Allocation de solidarité spécifique due ; 0 si aucune.")
_euros_month("asi", "Allocation supplémentaire d'invalidité due ; 0 si aucune.")
_code("natress", "NATRESS", "Nature de la ressource.", source="CNAF")
_euros_month("montant", "Montant de la ressource.")

# CPAM.
_code("regime", "REGIME", "Régime d'assurance maladie.")
_code("c2s", "C2S", "Complémentaire santé solidaire.")
_declare("c2s_debut", MOIS, "Premier mois de la C2S.")
_declare("c2s_fin", MOIS, "Dernier mois de la C2S ; vide : ouverte.")
_declare("ressources_connues", DRAPEAU, "L'assurance maladie détient les ressources mensuelles.")
_declare("arret_debut", MOIS, "Mois de début de l'arrêt de travail, s'il est connu.")

# Département.
_code("fonorg", "FONORG", "Organisme payeur du RSA.", source="CNAF")
_code("dispositif", "DISPOSITIF", "Dispositif suivi.")
_declare("mds", CODE, "Maison des solidarités (code).")

# Cellule.
_code("finalite", "FINALITE", "À quel sujet la personne accepte d'être rappelée.")
_declare("destinataire", CODE, "Organisme destinataire (code des réglages).")
_code("evenement", "EVENEMENT", "Ce que la personne a dit.")
_declare("evenement_le", DATE, "Jour où elle l'a dit.")
_declare("recueilli_par", CODE, "Agent ou organisme qui a recueilli (code).", pseudonyme=True)
_code("canal_recueil", "CANAL_RECUEIL", "Comment le consentement a été recueilli.")
_declare("formulaire_version", TEXTE, "Version du formulaire.")
_declare("formulaire_sha256", TEXTE, "Empreinte du formulaire signé.")
_declare("expire_le", DATE, "Fin de validité ; vide pour REFUSE et RETIRE.")
_code("capacite", "CAPACITE", "Pour soi-même ou par un représentant.")
_declare("telephone", TEXTE, "Téléphone ; coffre seulement.", tolere=True)
_declare("courriel", TEXTE, "Courriel ; coffre seulement.", tolere=True)
_declare("adresse_contact", TEXTE, "Adresse de contact ; coffre seulement.", tolere=True)
_declare("canal_prefere", CODE, "Canal préféré (code des réglages) ; coffre seulement.")
_declare("creneau", CODE, "Créneau préféré (code des réglages) ; coffre seulement.")
_declare("date", DATE, "Jour de l'action, ou de la livraison.")
_declare("lieu", CODE, "Lieu de l'action (code du territoire).")
_declare("type_action", CODE, "Type d'action (code des réglages).")
_code("public", "PUBLIC", "Public visé.")
_declare("personnes_rencontrees", ENTIER, "Personnes rencontrées.", (0, 1_000_000), unite="personnes")
_declare("orientations", ENTIER, "Personnes orientées.", (0, 1_000_000), unite="personnes")
_code("objet", "OBJET_OPPOSITION", "À quoi la personne s'oppose.")
_declare("depuis_le", DATE, "Depuis quel jour.", tolere=True)
_code("volet", "VOLET", "Volet de l'échantillon de vérification.")
_declare("connu_caf", DRAPEAU, "Connu de la CAF ; NA ou vide : pas de réponse.", sans_reponse=True)
_declare("connu_cpam", DRAPEAU, "Connu de la CPAM ; NA ou vide : pas de réponse.", sans_reponse=True)
_declare("connu_msa", DRAPEAU, "Connu de la MSA ; NA ou vide : pas de réponse.", sans_reponse=True)
_declare(
    "eligible_rsa",
    DRAPEAU,
    "Éligible au RSA à chacun des trois mois du trimestre ; NA ou vide : pas de réponse.",
    sans_reponse=True,
)
_declare(
    "eligible_ppa",
    DRAPEAU,
    "Éligible à la prime d'activité à chacun des trois mois du trimestre ; NA ou vide : pas de réponse.",
    sans_reponse=True,
)
_code(
    "mode",
    "MODE_VERIFICATION",
    "Comment la réponse a été obtenue ; NA ou vide : pas de réponse.",
    sans_reponse=True,
)
_declare("verifie_le", MOIS, "Mois de la vérification ; NA ou vide : pas de réponse.", sans_reponse=True)
_declare("question", CODE, "Question (code déclaré).")
_declare("reponse", CODE, "Réponse (code déclaré).")
_declare("poids", REEL, "Poids statistique ; poids du lien, pour une personne liée.")
_code("suite", "SUITE", "Suite donnée au rappel.")
_declare("le", DATE, "Jour de la suite.")

# Identity tokens and filters (linkage page), read by linkage alone.
_TOKENS = {
    "jeton_nir": "NIR définitif et valide",
    "jeton_nir_prenom": "NIR définitif et premier prénom phonétique",
    "jeton_nir_provisoire": "NIR provisoire",
    "jeton_date_commune": "date de naissance, commune de résidence",
    "jeton_naissance_prenom_lieu_date": "nom de naissance et prénom phonétiques, lieu, date",
    "jeton_naissance_prenom_date": "nom de naissance et prénom phonétiques, date",
    "jeton_naissance_prenom_chiffres": "nom de naissance et prénom phonétiques, chiffres de la date, lieu",
    "jeton_naissance_prenom_commune": "nom de naissance et prénom phonétiques, commune, lieu",
    "jeton_naissance_initiale_date": "nom de naissance phonétique, initiale du prénom, date",
    "jeton_naissance_debut_prenom_date": "trois lettres du nom de naissance, prénom phonétique, date",
    "jeton_usage_prenom_date": "nom d'usage et prénom phonétiques, date",
    "jeton_usage_prenom_chiffres": "nom d'usage et prénom phonétiques, chiffres de la date, lieu",
    "jeton_usage_prenom_commune": "nom d'usage et prénom phonétiques, commune, lieu",
    "jeton_usage_initiale_date": "nom d'usage phonétique, initiale du prénom, date",
    "jeton_usage_debut_prenom_date": "trois lettres du nom d'usage, prénom phonétique, date",
}
FILTERS = {"naissance": "nom de naissance", "usage": "nom d'usage", "prenoms": "prénoms"}
FILTER_WORDS = 8

for _name, _text in _TOKENS.items():
    _declare(_name, JETON, f"Jeton sous clé : {_text}.")
for _name, _text in FILTERS.items():
    for _word in range(FILTER_WORDS):
        _declare(
            f"filtre_{_name}_{_word}", ENTIER_LONG, f"Filtre de Bloom salé : {_text}, mot {_word} de 64 bits."
        )
    _declare(f"filtre_{_name}_bits", ENTIER_COURT, f"Bits à 1 du filtre : {_text}.", (0, 512))

TOKEN_COLUMNS: tuple[str, ...] = tuple(_TOKENS)
FILTER_COLUMNS: tuple[str, ...] = tuple(
    f"filtre_{name}_{part}" for name in FILTERS for part in (*range(FILTER_WORDS), "bits")
)

# Warehouse.
_code("source", "SOURCE", "Partenaire d'où vient la ligne ; référence, pour un paramètre.", est_ouverte=True)
_code("source_g", "SOURCE", "Partenaire de l'enregistrement de gauche.")
_code("source_d", "SOURCE", "Partenaire de l'enregistrement de droite.")
_declare("personne_id_g", IDENTIFIANT, "Enregistrement de gauche.", pseudonyme=True)
_declare("personne_id_d", IDENTIFIANT, "Enregistrement de droite.", pseudonyme=True)
_declare("personne_uid", ENTIER_LONG, "Personne, après appariement.")
_declare("probabilite", REEL, "Probabilité que les deux enregistrements soient une même personne.", (0, 1))
_declare("motif", TEXTE, "Motif : accords observés d'une paire, ou raison d'un résultat inconnu.")
_declare("regle", TEXTE, "Code de la règle qui a produit la ligne (rejet, blocage, formation du ménage).")
_declare("est_retenue", BOOLEEN, "La paire est retenue comme lien.")
_declare("comparaison", TEXTE, "Ce que le modèle compare : noms, date, commune…")
_declare("accord", TEXTE, "Degré d'accord d'une comparaison.")
_declare("degre", ENTIER_LONG, "Rang de l'accord, 0 pour le pire.")
_declare("raison", CODE, "Pourquoi un consentement est à vérifier.")
_declare("m", REEL, "Part des paires d'une même personne à ce degré d'accord.", (0, 1))
_declare("u", REEL, "Part des paires de deux personnes à ce degré d'accord.", (0, 1))
_declare("prior", REEL, "Part des paires possibles qui sont une même personne.", (0, 1))
_declare("paires", ENTIER_LONG, "Liens faits à ce degré d'accord.")
_declare("est_appris", BOOLEEN, "Appris des fichiers du mois, et non repris d'une valeur de départ.")
_declare("famille", TEXTE, "Règle de blocage, noms de naissance et d'usage confondus.")
_declare("liens", ENTIER_LONG, "Liens que la règle trouve.")
_declare("liens_seule", ENTIER_LONG, "Liens que la règle est seule à trouver.")
_declare("version_splink", TEXTE, "Version de Splink.")
_declare("version_comparaisons", TEXTE, "Empreinte des comparaisons déclarées.")
_declare("n_candidats", ENTIER_LONG, "Personnes qui peuvent être l'auteur d'un consentement.")
_declare("ecart_poids", REEL, "Avance du meilleur candidat sur le second.", unite="bits")
_declare("mesure", TEXTE, "Mesure de qualité.")
_declare("classe", TEXTE, "Critère qui partage les personnes (âge, sexe…) ; « ensemble » : toutes.")
_declare("tirage", TEXTE, "Tirage : marque de l'appariement relu, ou mois et rang d'un échantillon.")
_declare("bande", TEXTE, "Bande de poids du lien relu ; « refusees » : paires non retenues.")
_declare("lecteur", TEXTE, "Relecteur ; « arbitre » tranche les désaccords.")
_declare("valeur", REEL, "Valeur.")
_declare("bas", REEL, "Borne basse de l'intervalle.")
_declare("haut", REEL, "Borne haute de l'intervalle.")
_declare("n", ENTIER_LONG, "Effectif sur lequel la mesure est faite.")
_declare("nom", TEXTE, "Nom du paramètre.")
_declare("menage_id", TEXTE, "Ménage, dans une variante de calcul.")
_declare("menage_base_id", TEXTE, "Ménage, quelle que soit la variante.")
_code("instrument", "INSTRUMENT", "Données sur lesquelles le droit est simulé.")
_declare("n_adultes", ENTIER, "Adultes du ménage.", unite="personnes")
_declare("n_enfants", ENTIER, "Enfants du ménage.", unite="personnes")
_declare(
    "age_reference",
    ENTIER,
    "Âge de l'adulte le plus âgé : par classe après 26 ans, sans classe à cheval sur 50 ni 65 ans.",
    unite="ans",
)
_declare("poids_variante", REEL, "Part de cette variante quand un ménage est calculé de deux façons.", (0, 1))
_code("droit", "DROIT", "Droit.")
_code("eligible", "ELIGIBLE", "Éligibilité simulée.")
_declare("montant_eur_mois", REEL, "Montant simulé.", unite="€/mois")
_declare("ressources_sur_seuil", REEL, "Ressources comptées par le RSA, rapportées au montant forfaitaire.")
_declare("poids_eligible", REEL, "Part éligible du ménage, de 0 à 1.", (0, 1))
_code("strate", "STRATE", "Strate de l'estimation.")
_declare("strate_tirage", TEXTE, "Strate du tirage : ce que le partenaire sait déjà de la fiche.")
_declare("taux_sondage", REEL, "Part tirée des ménages de la strate qui n'étaient pas au repos.", (0, 1))
_declare("probabilite_tirage", REEL, "Probabilité que le ménage soit tiré, toutes étapes comprises.", (0, 1))
_code("situation", "SITUATION", "Situation du ménage devant le droit.")
_declare("montant_non_reclame_eur_mois", REEL, "Montant non réclamé.", unite="€/mois")
_code("niveau", "NIVEAU", "Niveau territorial.")
_declare("code_territoire", TEXTE, "Code du territoire, du regroupement ou de la commune.")
_declare("periode", TEXTE, "Période : 2026-T2, ou premier_dernier mois.")
_declare("est_trimestre", BOOLEEN, "La période est un trimestre civil.")
_declare("groupe", TEXTE, "Groupe de ménages : ensemble, age:50+, …")
_declare("eligibles", REEL, "Ménages éligibles.", unite="ménages")
_declare("non_recourants", REEL, "Ménages éligibles qui ne perçoivent pas.", unite="ménages")
_declare("taux", REEL, "Taux de non-recours, de 0 à 1.")
_declare("taux_bas", REEL, "Borne basse du taux.")
_declare("taux_haut", REEL, "Borne haute du taux.")
_declare("euros_mois", REEL, "Montants non réclamés, en tout.", unite="€/mois")
_code("methode", "METHODE", "Comment le taux est obtenu.")
_declare("reference", TEXTE, "Groupe auquel un autre est comparé.")
_declare("rapport", REEL, "Taux du groupe divisé par celui du groupe de référence.")
_declare("rapport_bas", REEL, "Borne basse du rapport.")
_declare("rapport_haut", REEL, "Borne haute du rapport.")
_declare("version", ENTIER_LONG, "Version d'un taux : 1 pour la première estimation de la période.")
_declare("extraits", TEXTE, "Extraits employés : partenaire, mois, identifiant.")
_declare("reponses", ENTIER_LONG, "Réponses à l'échantillon connues alors.", unite="réponses")
_declare("est_diffusable", BOOLEEN, "Admis par les seuils de diffusion.")
_declare("est_verifie", BOOLEEN, "Appuyé sur l'échantillon de vérification.")
_declare("forme", TEXTE, "Forme de l'estimateur.")
_declare("rubrique", TEXTE, "Rubrique de comptage.")
_declare("modalite", TEXTE, "Modalité de la rubrique.")
_declare("menages", REEL, "Nombre de ménages.", unite="ménages")
_declare("echeance", DATE, "Jour jusqu'auquel rappeler.")

# Metadata of ingestion.
_declare("extrait_id", TEXTE, "Extrait livré.")
_declare("extrait_mois", MOIS, "Mois de l'extrait.")
_code("partenaire", "SOURCE", "Partenaire qui a livré.")
_declare("millesime_cle", TEXTE, "Millésime de la clé de pseudonymisation.")
_declare("version_encodage", TEXTE, "Version de l'encodage des jetons et des filtres.")
_declare("controle_cle", TEXTE, "Empreinte de la clé, celle lue à la cérémonie.")
_declare("est_utilise", BOOLEEN, "Extrait retenu par la dernière exécution.")
_declare("est_remplace", BOOLEEN, "Un extrait plus récent du même mois le remplace.")
_declare("rang", ENTIER_LONG, "Ordre d'ingestion.")
_declare("etape", TEXTE, "Étape de la chaîne.")
_declare("table_contrat", TEXTE, "Table du contrat.")
_declare("colonne", TEXTE, "Colonne.")
_declare("lignes", ENTIER_LONG, "Nombre de lignes.", unite="lignes")
_declare("lignes_vides", ENTIER_LONG, "Lignes où la colonne est vide.", unite="lignes")
_declare("lignes_recues", ENTIER_LONG, "Lignes reçues.", unite="lignes")
_declare("lignes_acceptees", ENTIER_LONG, "Lignes acceptées.", unite="lignes")
_declare("lignes_ecartees", ENTIER_LONG, "Lignes mises de côté.", unite="lignes")
_declare("lignes_changees", ENTIER_LONG, "Lignes d'un mois déjà livré qui ont changé.", unite="lignes")
_code("gravite", "GRAVITE", "Gravité de l'alerte.")
_declare("message", TEXTE, "Alerte, sans valeur ni identifiant.")
_declare("empreinte", TEXTE, "SHA-256 de ce que le manifeste déclare des fichiers.")
