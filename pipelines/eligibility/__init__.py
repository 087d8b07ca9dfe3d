"""Entitlement to RSA and PPA: one month, all households, computed with OpenFisca-France."""

from pipelines.eligibility.legislation import months_past_last_scale, system
from pipelines.eligibility.rights import simulate
from pipelines.eligibility.stage import run

__all__ = ["months_past_last_scale", "run", "simulate", "system"]
