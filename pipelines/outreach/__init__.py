"""Consents, sealed lists, journal."""
