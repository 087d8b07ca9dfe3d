"""Every setting of the project, described where it is declared: nonrecours.toml and NONRECOURS_*."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipelines.files import whole_file
from pipelines.refusals import SettingsRefusal

SETTINGS_FILE = Path("nonrecours.toml")

Partner = Literal["caf", "cpam", "departement", "cellule", "msa"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Folders(_Section):
    """Where things are. Relative paths start at the folder of nonrecours.toml."""

    depot: Path = Field(Path("depot"), description="Extraits pseudonymisés reçus des partenaires.")
    entrepot: Path = Field(Path("entrepot/nonrecours.duckdb"), description="Entrepôt DuckDB (rôle analyse).")
    rejets: Path = Field(Path("rejets"), description="Lignes mises de côté : numéro de ligne et règle.")
    sorties: Path = Field(Path("reports/sorties"), description="Rapports, qualité, graphiques d'appariement.")
    passage: Path = Field(Path("passage"), description="La table laissée à la cellule : out__a_rappeler.")
    coffre: Path = Field(Path("coffre"), description="Coffre de la cellule : noms et téléphones, chiffrés.")
    remises: Path = Field(Path("remises"), description="Listes scellées, bordereaux et journal (cellule).")
    echantillons: Path = Field(
        Path("echantillons"), description="Échantillons de vérification tirés, un fichier par partenaire."
    )
    travail: Path = Field(Path("travail"), description="Fichiers temporaires de DuckDB, effacés après.")


class Secrets(_Section):
    """The three secrets; each account can read its own and no other."""

    cle_pseudonymisation: Path = Field(
        Path("secrets/garant/projet.cle"), description="Clé de pseudonymisation (rôle garant)."
    )
    cle_coffre: Path = Field(
        Path("secrets/cellule/coffre.age"), description="Clé privée age du coffre (rôle cellule)."
    )
    cle_coffre_publique: Path = Field(
        Path("secrets/coffre.pub"), description="Clé publique age du coffre (lisible par tous)."
    )
    cle_journal: Path = Field(
        Path("secrets/cellule/journal.cle"), description="Clé de la chaîne du journal (rôle cellule)."
    )
    cle_signature: Path = Field(
        Path("secrets/cellule/signature.pem"),
        description="Clé privée de signature des remises (rôle cellule) ; .pub à côté.",
    )


class Grouping(_Section):
    """A set of communes reported together."""

    code: str = Field(description="Code court, par exemple bassin-31483.")
    nom: str = Field(description="Nom affiché dans le rapport.")
    communes: list[str] = Field(description="Codes COG des communes.")


class Territory(_Section):
    """The territory the rate is about."""

    code: str = Field("200072643", description="Code du territoire (SIREN d'un EPCI, ou code choisi).")
    nom: str = Field("Cœur et Coteaux du Comminges", description="Nom affiché.")
    reference: str = Field(
        "comminges", description="Référence livrée avec le logiciel, ou chemin d'un CSV de communes."
    )
    regroupements: list[Grouping] = Field(
        default_factory=list, description="Regroupements de communes ; vide : bassins de vie."
    )
    couronne: bool = Field(True, description="Les partenaires livrent aussi les communes limitrophes.")


class Partners(_Section):
    """Who delivers what, and how late they may be."""

    attendus: list[Partner] = Field(
        ["caf", "cpam", "departement"], description="Extraits sans lesquels on refuse."
    )
    retard_admis: int = Field(1, ge=0, le=3, description="Âge maximal d'un extrait, en mois.")


class LegalBasis(_Section):
    """CRPA L.114-8; loi 3DS art. 133 and 162; the convention's end stops the chain."""

    base_legale: str = Field(
        "CRPA L.114-8 ; loi 3DS art. 133 et 162", description="Base légale, citée dans le rapport."
    )
    convention_fin: date = Field(date(2027, 12, 31), description="Fin de la convention : refus au-delà.")


class Linkage(_Section):
    """Splink."""

    moteur: Literal["duckdb", "spark"] = Field(
        "duckdb", description="Moteur de Splink : « duckdb », ou « spark » au-delà d'une machine."
    )
    seuil_probabilite: float = Field(0.95, gt=0, lt=1, description="Probabilité à partir de laquelle on lie.")
    graine: int = Field(20260131, description="Graine des tirages (u, blocage).")
    depart: Literal["appris", "mois_precedent"] = Field(
        "appris",
        description="D'où part le modèle : de ses valeurs de départ, ou du modèle du mois précédent.",
    )
    supprimer_identites: bool = Field(
        True, description="Effacer les fichiers d'identité une fois les personnes liées, avec certificat."
    )


class Rights(_Section):
    """RSA and PPA."""

    trimestre_msa_decale_depuis: str = Field(
        "2025-03",
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        description="Premier droit que la MSA calcule sur M-4 à M-2 (avant : M-3 à M-1).",
    )


class Estimation(_Section):
    """The rate and its interval."""

    tirages: int = Field(200, ge=50, description="Tirages de l'intervalle.")
    niveau: float = Field(0.95, gt=0.5, lt=1, description="Niveau de l'intervalle.")
    graine: int = Field(20260228, description="Graine des tirages.")
    seuil_rappel: float = Field(0.5, ge=0, le=1, description="P(droit non pris) pour rappeler.")
    montant_rappel_eur_mois: float = Field(30.0, ge=0, description="Montant minimal pour rappeler, €/mois.")


class Publication(_Section):
    """Statistical secret."""

    seuil: int = Field(5, ge=3, description="Effectif minimal publié (5 sous convention, 11 pour le public).")
    seuil_eligibles: int = Field(20, ge=5, description="Ménages éligibles pour publier un regroupement.")
    contact: str = Field("", description="Contact imprimé sur la couverture du rapport.")


class Organisation(_Section):
    """A recipient of contact lists."""

    code: str = Field(pattern=r"^[A-Z0-9_-]{2,40}$", description="Code, tel qu'écrit dans les consentements.")
    nom: str = Field(description="Nom affiché.")
    cle_publique: str | None = Field(None, description="Clé publique age du destinataire (age1…).")


class Outreach(_Section):
    """Contact lists."""

    destinataires: list[Organisation] = Field(
        default_factory=lambda: [Organisation(code="CELLULE", nom="Cellule d'aller-vers", cle_publique=None)],
        description="Destinataires, par ordre de priorité.",
    )
    formulaires_nommant: list[str] = Field(
        default_factory=lambda: ["2026-1"],
        description="Versions de formulaire qui disent au signataire ce qu'une liste révèle de lui.",
    )
    canaux: list[str] = Field(
        default_factory=lambda: ["TELEPHONE", "COURRIEL", "COURRIER"], description="Canaux de contact admis."
    )
    creneaux: list[str] = Field(
        default_factory=lambda: ["MATIN", "APRES_MIDI", "SOIR"], description="Créneaux admis."
    )
    validite_liste_jours: int = Field(30, ge=1, description="Durée de validité d'une liste, en jours.")


class Settings(BaseSettings):
    """nonrecours.toml, each key replaceable by NONRECOURS_SECTION__CLE."""

    model_config = SettingsConfigDict(
        env_prefix="NONRECOURS_", env_nested_delimiter="__", extra="forbid", toml_file=SETTINGS_FILE
    )

    demonstration: bool = Field(False, description="Données inventées : lève la séparation des rôles.")
    dossiers: Folders = Field(default_factory=Folders, description="Dossiers.")
    secrets: Secrets = Field(default_factory=Secrets, description="Secrets.")
    territoire: Territory = Field(default_factory=Territory, description="Territoire.")
    partenaires: Partners = Field(default_factory=Partners, description="Partenaires.")
    cadre: LegalBasis = Field(default_factory=LegalBasis, description="Cadre légal.")
    appariement: Linkage = Field(default_factory=Linkage, description="Appariement.")
    droits: Rights = Field(default_factory=Rights, description="Droits.")
    estimation: Estimation = Field(default_factory=Estimation, description="Estimation.")
    publication: Publication = Field(default_factory=Publication, description="Publication.")
    aller_vers: Outreach = Field(default_factory=Outreach, description="Aller-vers.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        toml = TomlConfigSettingsSource(settings_cls, settings_cls.model_config.get("toml_file"))
        return init_settings, env_settings, toml


def load(path: Path = SETTINGS_FILE) -> Settings:
    """Read the settings file; relative folders become absolute from the file's folder."""
    return anchored(read(path), path.resolve().parent)


def read(path: Path) -> Settings:
    """The settings as written. Raises :class:`SettingsRefusal` naming the key at fault, never its value."""
    if not path.is_file():
        raise SettingsRefusal(
            "Le fichier de réglages n'existe pas.",
            ou=str(path),
            que_faire="Lancer « nonrecours initialiser » dans ce dossier, ou donner --reglages CHEMIN.",
        )
    try:
        return _settings_class(path)()
    except ValidationError as error:
        keys = ", ".join(sorted({".".join(str(part) for part in e["loc"]) for e in error.errors()}))
        raise SettingsRefusal(
            f"Réglage inconnu ou invalide : {keys}.", ou=str(path), que_faire="Corriger cette clé."
        ) from None
    except ValueError:
        raise SettingsRefusal(
            "Le fichier de réglages n'est pas du TOML lisible.",
            ou=str(path),
            que_faire="Vérifier la syntaxe.",
        ) from None


def add_recipient(path: Path, code: str, nom: str, cle_publique: str) -> None:
    """Declare a recipient of lists in the settings file, last in the order of priority."""
    settings = read(path)
    others = [known for known in settings.aller_vers.destinataires if known.code != code]
    try:
        recipient = Organisation(code=code, nom=nom, cle_publique=cle_publique)
    except ValidationError:
        raise SettingsRefusal(
            "Ce code de destinataire n'est pas admis.",
            ou="code",
            que_faire="Écrire 2 à 40 majuscules, chiffres, tirets.",
        ) from None
    outreach = settings.aller_vers.model_copy(update={"destinataires": [*others, recipient]})
    with whole_file(path) as partial:
        partial.write_text(as_toml(settings.model_copy(update={"aller_vers": outreach})), encoding="utf-8")


def anchored(settings: Settings, root: Path) -> Settings:
    """The same settings, with every relative folder and secret made absolute under ``root``."""
    return settings.model_copy(
        update={
            "dossiers": _anchored_section(settings.dossiers, root),
            "secrets": _anchored_section(settings.secrets, root),
        }
    )


def _anchored_section(section: Any, root: Path) -> Any:
    paths = {name: root / value for name, value in section if isinstance(value, Path)}
    return section.model_copy(update=paths)


def _settings_class(path: Path) -> type[Settings]:
    config = SettingsConfigDict(**{**Settings.model_config, "toml_file": path})
    return type("SettingsOfFile", (Settings,), {"model_config": config, "__module__": __name__})


def as_toml(settings: Settings) -> str:
    """The settings as a commented nonrecours.toml: every key with its description above it."""
    head = _described(Settings, "demonstration") + f"demonstration = {_toml(settings.demonstration)}\n"
    sections = [
        _section_toml(name, getattr(settings, name))
        for name in Settings.model_fields
        if isinstance(getattr(settings, name), _Section)
    ]
    return "\n".join([head, *sections])


def _section_toml(name: str, section: BaseModel) -> str:
    lines, tables = [f"[{name}]\n"], []
    for key, value in section:
        if isinstance(value, list) and value and isinstance(value[0], BaseModel):
            tables.append(_described(type(section), key))
            tables += [f"[[{name}.{key}]]\n" + _pairs(item) for item in value]
        elif value is not None and value != []:
            lines.append(_described(type(section), key) + f"{key} = {_toml(value)}\n")
    return "".join(lines + tables)


def _pairs(item: BaseModel) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in item if value is not None)


def _described(model: type[BaseModel], key: str) -> str:
    return f"# {model.model_fields[key].description}\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value.as_posix() if isinstance(value, Path) else value, ensure_ascii=False)
