"""The qualite layer."""
