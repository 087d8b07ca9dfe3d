"""The linkage at two sizes: time, memory, pairs, errors, beside the same work in hand-written SQL."""
