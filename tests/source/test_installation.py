"""The partner's installation is small: nothing of the chain is needed to pseudonymise."""

import subprocess
import sys
from pathlib import Path

CHAIN_ONLY = (
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "splink",
    "prefect",
    "openfisca_france",
    "scipy",
    "jinja2",
)

PROGRAM = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)
sys.meta_path.insert(0, Absent())
from pathlib import Path
from pipelines.source import pseudonymise, verify, write_workbook
folder = Path({folder!r})
write_workbook(verify(folder, "caf", "2026-06"), folder.parent / "erreurs.xlsx")
counts = pseudonymise(folder, folder.parent / "depot", cle=Path({cle!r}), partenaire="caf", mois="2026-06",
                      correspondance=folder.parent / "correspondance.parquet")
sys.stdout.write(str(counts["lignes_livrees"]))
"""


def test_a_delivery_needs_nothing_of_the_chain(caf: Path, cle: Path) -> None:
    program = PROGRAM.format(absent=CHAIN_ONLY, folder=str(caf), cle=str(cle))
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("20", 0), run.stderr[-2000:]
