"""A whole invented territory, with its truth."""

from pipelines.synthetic.simulate import simulate_territory

__all__ = ["simulate_territory"]
