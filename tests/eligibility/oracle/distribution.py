"""The source distribution of the installed openfisca-france, fetched by pip: its cases come with it."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

FOLDER: Final = Path(sys.prefix) / ".oracle"
UNREACHABLE: Final = "Retrying (Retry("
"""What pip says each time the index does not answer."""


def archive() -> Path:
    """Where the source distribution of the installed version is kept, next to the environment."""
    return FOLDER / f"openfisca_france-{version('openfisca-france')}.tar.gz"


def fetch() -> str:
    """Bring the source distribution; "" when it is there, else the sentence that says why it is not.

    Raises :class:`subprocess.CalledProcessError` when pip failed for any reason but an unreachable index.
    """
    if archive().exists():
        return ""
    wanted = f"openfisca-france=={version('openfisca-france')}"
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "openfisca-france"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(FOLDER), wanted]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PIP_RETRIES": "1"})
    if done.returncode and UNREACHABLE in done.stderr:
        return f"l'index des paquets ne répond pas : {wanted} n'a pas pu être obtenu"
    done.check_returncode()
    return ""


if __name__ == "__main__":
    sys.stderr.writelines(f"{why}\n" for why in [fetch()] if why)
