"""Three roles, three accounts, three secrets: a command refuses to start beside another role's secret."""

import os
from pathlib import Path
from typing import Literal

from pipelines.refusals import RoleRefusal
from pipelines.settings import SETTINGS_FILE, Settings, load

Role = Literal["analyse", "cellule", "garant"]

DEMONSTRATION = "Démonstration : la séparation des rôles est levée, les données sont inventées."


def settings_of(role: Role) -> Settings:
    """The settings ``NONRECOURS_REGLAGES`` names (nonrecours.toml by default), for an account of this role.

    Raises :class:`pipelines.refusals.SettingsRefusal` or :class:`RoleRefusal`.
    """
    settings = load(Path(os.environ.get("NONRECOURS_REGLAGES", SETTINGS_FILE)))
    require(role, settings)
    return settings


def foreign_secrets(role: Role, settings: Settings) -> dict[str, Path]:
    """The secrets this role must not be able to read, by their French name."""
    pseudonymisation = {"la clé de pseudonymisation (garant)": settings.secrets.cle_pseudonymisation}
    vault = {"la clé du coffre (cellule)": settings.secrets.cle_coffre}
    warehouse = {"l'entrepôt (analyse)": settings.dossiers.entrepot}
    return {
        "analyse": pseudonymisation | vault,
        "cellule": pseudonymisation | warehouse,
        "garant": vault | warehouse,
    }[role]


def require(role: Role, settings: Settings) -> None:
    """Raise :class:`RoleRefusal` when this account reads another role's secret, outside a demonstration."""
    if settings.demonstration:
        return
    for name, path in foreign_secrets(role, settings).items():
        if os.access(path, os.R_OK):
            raise RoleRefusal(
                f"Ce compte peut lire {name} : le rôle « {role} » ne doit pas y avoir accès.",
                ou=str(path.name),
                que_faire="Lancer la commande sous le compte de son rôle, ou retirer ce droit de lecture.",
            )
