"""The data dictionary, in French, and one Frictionless Table Schema per delivered table.

Both are generated from the declarations of ``schemas.fields`` and ``schemas.tables``.
Source: https://specs.frictionlessdata.io/table-schema/
"""

import json
from pathlib import Path
from typing import Any

from schemas.fields import FIELDS, delivered_kind_of, kind_of, list_of, metadata_of
from schemas.kinds import MONTANT, Kind
from schemas.nomenclatures import all_lists
from schemas.rules import GENERAL_RULES
from schemas.tables import IDENTITY, SAMPLE_ANSWERS, TABLES, Table, Variant
from schemas.warehouse_tables import WAREHOUSE_TABLES, WarehouseTable

DICTIONARY = "dictionnaire.md"
TABLE_SCHEMA = "https://specs.frictionlessdata.io/schemas/table-schema.json"

Json = dict[str, Any]

_INTRODUCTION = """# Dictionnaire des données

Page produite par `nonrecours dictionnaire` : ne pas la modifier à la main.

Une table est un fichier, CSV (séparateur `;` `,` tabulation ou `|` ; UTF-8 ou Windows-1252 ; virgule ou point
décimal) ou Parquet. L'ordre des colonnes est libre. Une cellule vide veut dire *inconnu*, jamais zéro. Une
colonne inconnue est refusée ; un code hors nomenclature est gardé et compté. Les montants sont ceux dus *au
titre* du mois, et non versés pendant le mois.

Colonnes : **clé** = identifie la ligne ; **nominatif** = fichier qui reste chez le partenaire ; **livré** =
fichier pseudonymisé remis au Département.
"""


def write_dictionary(folder: Path) -> list[Path]:
    """Write the dictionary and one ``<table>.schema.json`` per delivered table; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / DICTIONARY
    page.write_text(dictionary_text(), encoding="utf-8")
    return [page, *(_write_schema(folder, table) for table in (*TABLES.values(), SAMPLE_ANSWERS))]


def dictionary_text() -> str:
    """The whole dictionary: contract tables, rules, code lists, tables of the warehouse."""
    parts = [
        _INTRODUCTION,
        *(_table_section(table) for table in (*TABLES.values(), SAMPLE_ANSWERS)),
        _identity_section(),
        _rules_section(),
        *_list_sections(),
        *(_warehouse_section(table) for table in _result_tables()),
    ]
    return "\n".join(parts)


def table_schema(table: Table, variant: Variant = "delivered") -> Json:
    """Frictionless Table Schema of a table: fields, constraints, primary key."""
    return {
        "$schema": TABLE_SCHEMA,
        "name": table.name,
        "title": table.description,
        "fields": [
            _frictionless(name, table.required_of(variant), variant) for name in table.columns_of(variant)
        ],
        "missingValues": [""],
    } | ({} if table.key_may_miss else {"primaryKey": list(table.key_of(variant))})


def _write_schema(folder: Path, table: Table) -> Path:
    path = folder / f"{table.name}.schema.json"
    text = json.dumps(table_schema(table), ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _frictionless(name: str, required: tuple[str, ...], variant: Variant) -> Json:
    kind = _kind(name, variant)
    described = {"name": name, "type": kind.frictionless, "description": FIELDS[name].description}
    extra = {key: value for key in ("unite", "liste") if (value := metadata_of(name).get(key))}
    constraints = _constraints(name, kind, name in required)
    return described | extra | ({"constraints": constraints} if constraints else {})


def _kind(name: str, variant: Variant) -> Kind:
    return kind_of(name) if variant == "nominative" else delivered_kind_of(name)


def _constraints(name: str, kind: Kind, required: bool) -> Json:
    found: Json = {"required": True} if required else {}
    if kind.pattern and kind.frictionless == "string":
        found["pattern"] = kind.pattern
    if kind is MONTANT:
        found["minimum"] = 0
    if bounds := metadata_of(name).get("bornes"):
        found |= {"minimum": bounds[0], "maximum": bounds[1]}
    return found


def _table_section(table: Table) -> str:
    lines = [f"\n## `{table.name}`\n", f"{table.description}\n", _facts(table)]
    lines += [
        "| colonne | type | unité ou liste | description | nominatif | livré |",
        "|---|---|---|---|---|---|",
    ]
    names = [c for c in dict.fromkeys((*table.columns, *table.delivered_columns)) if c not in IDENTITY[:5]]
    if table.est_identite:
        lines.append("| *identité* | texte | | voir « Colonnes d'identité » | oui | non |")
    lines += [_column_line(name, table) for name in names]
    lines += [f"\nUne ligne est mise de côté si : {rule.description}" for rule in table.rules]
    return "\n".join(lines)


def _facts(table: Table) -> str:
    mandatory = "facultative" if table.est_optionnelle else "obligatoire"
    window = " Mensuelle : M-23 à M." if table.est_mensuelle else ""
    return f"Partenaire : {', '.join(table.partners)}. Table {mandatory}.{window}\n"


def _column_line(name: str, table: Table) -> str:
    marks = metadata_of(name)
    mark = " (**clé**)" if name in table.key else ""
    detail = marks.get("unite") or (f"`{marks['liste']}`" if marks.get("liste") else "")
    sides = (name in table.columns, name in table.delivered_columns)
    nominative, delivered = ("oui" if present else "non" for present in sides)
    return (
        f"| `{name}`{mark} | {kind_of(name).name} | {detail} | {FIELDS[name].description} "
        f"| {nominative} | {delivered} |"
    )


def _identity_section() -> str:
    lines = ["\n## Colonnes d'identité\n", "Elles ne quittent pas le partenaire.\n"]
    lines += ["| colonne | description |", "|---|---|"]
    lines += [f"| `{name}` | {FIELDS[name].description} |" for name in IDENTITY]
    lines += [
        "\nLivrés en clair : `sexe`, `commune_insee`, `naissance_annee`, et `naissance_mois` pour les moins "
        "de 26 ans. Les jetons et filtres du fichier `<table>__identite` ne servent qu'à l'appariement :\n",
        "| colonne | description |",
        "|---|---|",
    ]
    tokens = [name for name in FIELDS if name.startswith(("jeton_", "filtre_"))]
    return "\n".join(lines + [f"| `{name}` | {FIELDS[name].description} |" for name in tokens])


def _rules_section() -> str:
    lines = ["\n## Règles de mise à l'écart\n", "| règle | ce qu'elle dit |", "|---|---|"]
    return "\n".join(lines + [f"| `{code}` | {text} |" for code, text in GENERAL_RULES.items()])


def _list_sections() -> list[str]:
    used = {list_of(name) for name in FIELDS}
    return [
        "\n".join(
            [
                f"\n## Liste `{nomenclature.name}`\n",
                "| code | libellé |",
                "|---|---|",
                *(f"| `{code}` | {text} |" for code, text in nomenclature.codes.items()),
            ]
        )
        for nomenclature in all_lists().values()
        if nomenclature.name in used
    ]


def _result_tables() -> list[WarehouseTable]:
    """The tables that no contract table explains already."""
    states = {table.core_name for table in TABLES.values()}
    return [table for name, table in WAREHOUSE_TABLES.items() if name not in states]


def _warehouse_section(table: WarehouseTable) -> str:
    lines = [f"\n## Entrepôt : `{table.name}`\n", f"{table.description}\n"]
    lines += ["| colonne | type | unité ou liste | description |", "|---|---|---|---|"]
    for name in table.columns:
        detail = metadata_of(name).get("unite") or list_of(name) or ""
        lines.append(f"| `{name}` | {kind_of(name).name} | {detail} | {FIELDS[name].description} |")
    return "\n".join(lines)
