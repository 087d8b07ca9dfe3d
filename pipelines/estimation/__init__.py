"""The rate of non-take-up, its interval, and who may be contacted."""

from pipelines.estimation.contact import hand_over
from pipelines.estimation.more_answers import widths
from pipelines.estimation.stage import run

__all__ = ["hand_over", "run", "widths"]
