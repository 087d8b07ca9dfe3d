"""Benchmarks: measured choices and sizes, outside the chain and outside ``make test``."""
