"""From the dépôt to the raw tables and the current state, checked at the door."""

from pipelines.ingest.quality import quality
from pipelines.ingest.stage import run

__all__ = ["quality", "run"]
