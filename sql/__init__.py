"""SQL files: one file builds one table, named like the file."""
