"""The twelve classes of the estimate: age band × C2S × rural, always in this order."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

AGE_BANDS = ("moins_50", "50_64", "65_plus")
"""Age of the reference person, in years. From 65 on, ASPA comes before the RSA (CASF L.262-10): half of the
households absent from CAF are pensioners, and would take the rate of the 50 to 64 if they shared a class."""

BANDS = len(AGE_BANDS)
CLASSES = BANDS * 4

BAND_OF_CLASS = np.repeat(np.arange(BANDS), 4)
C2S_OF_CLASS = np.tile([0.0, 0.0, 1.0, 1.0], BANDS)
RURAL_OF_CLASS = np.tile([0.0, 1.0], BANDS * 2)

DESIGN: Floats = np.column_stack(
    [
        np.ones(CLASSES),
        BAND_OF_CLASS == 1,
        BAND_OF_CLASS == 2,
        C2S_OF_CLASS,
        RURAL_OF_CLASS,
    ]
).astype(np.float64)
"""Regression columns of each class: 1, 50–64, 65+, C2S, rural. Shape (12, 5)."""


def class_index(band: int, c2s: int, rural: int) -> int:
    """Position of a class in every array of twelve."""
    return band * 4 + c2s * 2 + rural


def by_band(values: Floats) -> Floats:
    """Sum arrays of classes (…, 12) into arrays of age bands (…, 3)."""
    bands: Floats = values.reshape(*values.shape[:-1], BANDS, 4).sum(axis=-1)
    return bands


def of_band(rates: Floats) -> Floats:
    """Repeat arrays of age bands (…, 3) over their classes (…, 12)."""
    return rates[..., BAND_OF_CLASS]
