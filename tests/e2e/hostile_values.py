"""Requests as nobody means them: every field and parameter with what it is not made for. From a seed, without end."""

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any
from urllib.parse import quote

from api.http.audit import Wanted
from api.http.explain import Asked
from api.openapi.commands import command_schemas
from projections import QUERIES

Schema = Mapping[str, Any]

SIGNS = [
    "\0",
    "\x1f",
    "\x7f",
    "\u0085",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\u200b",
    "\uffff",
    "\U0010ffff",
    "\U00010400",
]
TEXTS = [
    *("", " ", "\n", "-0", "-0.00", "0", "1e400", "NaN", "1" * 16, "0.0000001", "9" * 5_000, "x" * 65, "x" * 201),
    *("x" * 10_001, "\U00010400" * 64, "%s %(a)s {0} {a}", "' OR 1=1 --", "../../etc", "=1+1", "null", "true", "\\N"),
    *("2026-02-29", "0000-00-00", "1900-01-01", "2999-12-31", "9999-12-31", "2026-W01", "1780000000"),
    *("2026-05-01T00:00:00", "2026-05-01T00:00:00.1234567Z", "1900-01-01T00:00:00+23:59", "2999-12-31T23:59:59-23:59"),
    *("EUR", "eur", "XAU", "C1", "P1", "W1", "sales", "oldest", *SIGNS, *(f"a{sign}b" for sign in SIGNS)),
]
VALUES = [
    *(json.dumps(text) for text in TEXTS),
    *(
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "0.5",
        "1e400",
        "-0.0",
        "1e15",
        "2147483648",
        "18446744073709551616",
        "9" * 5_000,
    ),
    *("[]", "{}", "[[]]", '[""]', "[null]", '{"a": 1, "a": 2}', '[{"a": 1, "\\u0061": 2}]', "[" * 100 + "]" * 100),
    *("[" * 965 + "]" * 965, '{"a":' * 965 + "1" + "}" * 965, "[" * 100_000, json.dumps(["x"] * 10_000), "{,}", "NaN"),
    *('"\\ud800"', '"\\u0000"', json.dumps({"x" * 100_000: 1}), json.dumps({str(n): "" for n in range(200)})),
]
PLAUSIBLE = {"client": "C1", "product": "P1", "warehouse": "W1", "pipeline": "sales", "currency": "EUR", "stage": "A"}
PLAUSIBLE |= {"figure": "/v1/stock/balances?product=P1", "cell": "on_hand"}


def commands(random: Random) -> Iterator[bytes]:
    """Each field of each command in turn, round after round."""
    schemas = command_schemas()
    types = [name for name, schema in schemas.items() if "const" in schema.get("properties", {}).get("type", {})]
    while True:
        for type in types:
            fields: Schema = schemas[type]["properties"]
            for field in [*fields, "no such field", "x" * 1_000]:
                names = {*schemas[type]["required"], *(name for name in fields if random.random() < 0.2), field}
                yield _object(type, names, field, fields, schemas, random)


def _object(type: str, names: set[str], field: str, fields: Schema, schemas: Schema, random: Random) -> bytes:
    members = [
        (
            name,
            random.choice(VALUES)
            if name == field
            else json.dumps(plausible(name, fields.get(name, {}), schemas, random)),
        )
        for name in sorted(names)
    ]
    if "type" not in (field, *names):
        members.append(("type", json.dumps(type)))
    text = ",".join(f"{json.dumps(name)}:{value}" for name, value in members)
    return f"{{{text}}}".encode() if random.random() < 0.98 else f"{{{text}}}".encode()[: random.randrange(len(text))]


def plausible(name: str, schema: Schema, schemas: Schema, random: Random) -> object:
    """What the field is made for, more or less, so that the others are looked at."""
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    if options := [each for each in choices if each.get("type") != "null"]:
        return plausible(name, options[0], schemas, random)
    if "$ref" in schema:
        part = schemas[schema["$ref"].rpartition("/")[2]]
        return {each: plausible(each, part["properties"][each], schemas, random) for each in part.get("required", ())}
    if "const" in schema or "enum" in schema:
        return schema.get("const") or random.choice(schema["enum"])
    match schema.get("type"):
        case "array":
            return [plausible(name, schema.get("items", {}), schemas, random)]
        case "object":
            return {"size": "big"}
        case "integer" | "number":
            return random.choice([0, 1, 2])
        case "boolean":
            return random.choice([True, False])
    if "[0-9]" in schema.get("pattern", ""):
        return random.choice(["1", "2.50", "0", "-0.00"])
    formats = {"date": "2026-05-01", "date-time": "2026-05-01T10:00:00Z"}
    return formats.get(schema.get("format", "")) or PLAUSIBLE.get(name) or f"{name[:20]}-{random.randrange(100)}"


def batches(random: Random) -> Iterator[bytes]:
    """Lines and arrays of hostile commands, some cut off."""
    lines = commands(random)
    while True:
        chosen = [next(lines) for _ in range(random.randrange(1, 40))]
        body = b"[" + b",".join(chosen) + b"]" if random.random() < 0.5 else b"\r\n".join(chosen)
        yield body if random.random() < 0.8 else body[: random.randrange(len(body))]


def addresses(random: Random) -> Iterator[str]:
    """Each parameter of each query in turn, then those of explanations and of the audit, round after round."""
    asked = [(query.path, query.parameters) for query in QUERIES]
    asked += [("/v1/audit/explain", Asked), ("/v1/audit/events", Wanted)]
    while True:
        for path, model in asked:
            schema = model.model_json_schema()
            for name in [*schema["properties"], "no such parameter"]:
                yield _address(path, name, schema, random)


def _address(path: str, name: str, schema: Schema, random: Random) -> str:
    names = {*schema.get("required", ()), *(each for each in schema["properties"] if random.random() < 0.1)}
    given = {each: _plain(each, schema, random) for each in names - {"min_position", "cursor"}}
    given |= {"wait_ms": "0"} if "wait_ms" in schema["properties"] else {}
    given[name] = random.choice(TEXTS)[:2_000]  # no longer than a server takes an address to be
    in_path = {each: quote(given.pop(each), safe="") for each in names | {name} if f"{{{each}}}" in path}
    return f"{path.format(**in_path)}?{'&'.join(f'{quote(key)}={quote(value)}' for key, value in given.items())}"


def _plain(name: str, schema: Schema, random: Random) -> str:
    match plausible(name, schema["properties"][name], schema.get("$defs", {}), random):
        case list() as several:
            return ",".join(map(str, several))
        case bool() as switch:
            return str(switch).lower()
        case other:
            return str(other)
