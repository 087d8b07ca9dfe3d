"""A whole invented territory, with its truth."""
