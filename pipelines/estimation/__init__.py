"""The rate of non-take-up, its interval, and who may be contacted."""

from pipelines.estimation.contact import hand_over
from pipelines.estimation.stage import run
from pipelines.estimation.widths import widths

__all__ = ["hand_over", "run", "widths"]
