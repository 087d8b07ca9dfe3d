"""Every table that crosses a boundary, declared once, and the code lists they use.

``TABLES`` are the tables of the data contract; ``WAREHOUSE_TABLES`` those between the stages of the chain.
"""

from schemas.tables import PARTNERS, TABLES, Table, Variant, tables_of
from schemas.warehouse_tables import RAW_MARKS, WAREHOUSE_TABLES, WarehouseTable, check_table

CONTRACT_VERSION = "4"
"""Version of the data contract, written in every manifest."""

ENCODING_VERSION = "2"
"""Version of everything that makes tokens and filters: normalisation, NIR, phonetic table, encoding.

It enters the derivation of every identity subkey, so that two versions share no token at all, and is written
in every manifest. Any change of an output of ``pipelines.source.encode`` needs a new one: the frozen vectors
of ``tests/source/vecteurs`` see to it.
"""

__all__ = [
    "CONTRACT_VERSION",
    "ENCODING_VERSION",
    "PARTNERS",
    "RAW_MARKS",
    "TABLES",
    "WAREHOUSE_TABLES",
    "Table",
    "Variant",
    "WarehouseTable",
    "check_table",
    "tables_of",
]
