"""Statistical secret: what may leave the house, decided before any report is written."""

from pipelines.disclosure.stage import run

__all__ = ["run"]
