"""The delivered identity, measured: accuracy of the linkage, and what an attacker without the key learns."""
