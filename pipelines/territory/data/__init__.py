"""Reference files of the territory room; sources in SOURCES.md."""
