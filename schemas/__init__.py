"""Every table that crosses a boundary, declared once, and the code lists they use."""
