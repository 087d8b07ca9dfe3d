"""Statistical secret."""
