"""The managers' report."""
