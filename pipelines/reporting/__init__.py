"""The managers' report."""

from pipelines.reporting.stage import run

__all__ = ["run"]
