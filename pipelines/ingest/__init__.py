"""From the deposit to raw and core tables: read, check, set aside."""
