"""The out layer."""
