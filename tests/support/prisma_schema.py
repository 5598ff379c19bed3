"""Reads `schema.prisma` as far as it says what the database must hold: columns, keys, indexes, relations."""

import re
from dataclasses import dataclass, field

TYPES = {
    "String": "text",
    "Int": "integer",
    "Float": "double precision",
    "DateTime": "timestamp(3) without time zone",
    "Json": "jsonb",
    "Boolean": "boolean",
}
ON_DELETE = {"Cascade": "CASCADE", "SetNull": "SET NULL", "Restrict": "RESTRICT"}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    required: bool
    default: str | None


@dataclass(slots=True)
class Model:
    """One model by its database names."""

    table: str
    columns: list[Column] = field(default_factory=list)
    # name -> definition as Postgres prints it after the table's name
    indexes: dict[str, str] = field(default_factory=dict)
    foreign_keys: dict[str, str] = field(default_factory=dict)


def enums(text: str) -> dict[str, list[str]]:
    return {name: body.split() for name, body in re.findall(r"^enum (\w+) \{(.*?)^\}", text, re.M | re.S)}


def models(text: str) -> dict[str, Model]:
    """Every model of a schema, by its table."""
    bodies = dict(re.findall(r"^model (\w+) \{(.*?)^\}", text, re.M | re.S))
    tables = {name: _word(re.search(r'@@map\("(\w+)"\)', body)) for name, body in bodies.items()}
    return {tables[name]: _model(tables[name], body, tables, enums(text)) for name, body in bodies.items()}


def _model(table: str, body: str, tables: dict[str, str], labels: dict[str, list[str]]) -> Model:
    model = Model(table)
    for line in filter(None, (line.partition("//")[0].strip() for line in body.splitlines())):
        if line.startswith("@@"):
            _block(model, line)
            continue
        name, kind, *_ = line.split()
        bare = kind.rstrip("?[]")
        if bare in tables:
            _relation(model, line, tables[bare], optional=kind.endswith("?"))
            continue
        type_ = f'"{bare}"' if bare in labels else TYPES[bare]
        model.columns.append(Column(name, type_, not kind.endswith("?"), _default(line, type_)))
        if " @unique" in line:
            _index(model, [name], unique=True)
        if " @id" in line:
            model.indexes[f"{table}_pkey"] = f"UNIQUE ({_quoted(name)})"
    return model


def _default(line: str, type_: str) -> str | None:
    found = re.search(r"@default\((.*?)\)(?:\s|$)", line)
    if found is None or found[1] == "cuid()":
        return None
    if found[1] == "now()":
        return "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)"
    if type_.startswith('"'):
        return f"'{found[1]}'::{type_}"
    return f"'{found[1][1:-1]}'::text" if found[1].startswith('"') else found[1]


def _block(model: Model, line: str) -> None:
    found = re.match(r"@@(unique|index)\(\[(.*)\]\)", line)
    if found is not None:
        _index(
            model, [column.strip() for column in re.split(r",\s*(?![^(]*\))", found[2])], unique=found[1] == "unique"
        )


def _index(model: Model, columns: list[str], *, unique: bool) -> None:
    names = [column.partition("(")[0] for column in columns]
    printed = [
        _quoted(name) + (" DESC" if "Desc" in column else "") for name, column in zip(names, columns, strict=True)
    ]
    name = f"{model.table}_{'_'.join(names)}_{'key' if unique else 'idx'}"
    model.indexes[name] = f"{'UNIQUE ' if unique else ''}({', '.join(printed)})"


def _relation(model: Model, line: str, parent: str, *, optional: bool) -> None:
    found = re.search(r"@relation\(fields: \[(\w+)\], references: \[(\w+)\](?:, onDelete: (\w+))?", line)
    if found is None:
        return
    action = ON_DELETE[found[3] or ("SetNull" if optional else "Restrict")]
    model.foreign_keys[f"{model.table}_{found[1]}_fkey"] = (
        f"FOREIGN KEY ({_quoted(found[1])}) REFERENCES {parent}({found[2]}) ON UPDATE CASCADE ON DELETE {action}"
    )


def _quoted(name: str) -> str:
    return name if name.islower() else f'"{name}"'


def _word(found: "re.Match[str] | None") -> str:
    if found is None:
        raise ValueError("a model without @@map")
    return found[1]
