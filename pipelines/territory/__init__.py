"""The reference of communes and groupings."""

from pipelines.territory.reference import Territory, known_communes, load

__all__ = ["Territory", "known_communes", "load"]
