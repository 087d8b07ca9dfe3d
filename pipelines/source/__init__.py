"""At the partner: normalise, encode, keys, deliver."""
