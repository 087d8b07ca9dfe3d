"""One person across the files: Splink on the pseudonymised identity."""
