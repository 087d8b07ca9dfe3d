"""Persons of several sources made one: Splink model, best links, quality, deletion of the identities."""

from pipelines.linkage.certificate import delete_identities, forget
from pipelines.linkage.sources import Extract
from pipelines.linkage.stage import run

__all__ = ["Extract", "delete_identities", "forget", "run"]
