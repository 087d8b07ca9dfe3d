"""The verification sample: drawn, handed to each partner as its own record ids, read back."""

from pipelines.sampling.answers import read_answers, response_rates
from pipelines.sampling.draw import draw

__all__ = ["draw", "read_answers", "response_rates"]
