"""The rate of non-take-up, its interval, and who may be contacted."""

from pipelines.estimation.stage import run

__all__ = ["run"]
