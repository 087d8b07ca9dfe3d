"""The reference of communes and groupings."""
