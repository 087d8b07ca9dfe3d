"""At the partner: normalise, encode under key, deliver. Nothing of the chain is needed here."""

from pipelines.source.deliver import pseudonymise
from pipelines.source.keys import create_key
from pipelines.source.verify import verify, write_workbook

__all__ = ["create_key", "pseudonymise", "verify", "write_workbook"]
