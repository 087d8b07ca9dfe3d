"""The reference of communes and groupings."""

from pipelines.territory.reference import (
    URBAN_INHABITANTS,
    Territory,
    delivered_communes,
    known_communes,
    load,
    rural_communes,
)

__all__ = [
    "URBAN_INHABITANTS",
    "Territory",
    "delivered_communes",
    "known_communes",
    "load",
    "rural_communes",
]
