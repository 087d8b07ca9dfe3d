"""The non-take-up rate, its correction and its interval."""
