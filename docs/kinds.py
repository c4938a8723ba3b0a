"""A field's kind in a word or two, from its JSON schema."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

PATTERNS = {r"\p{L}": "id", "[A-Z]{3}": "currency", r"\d": "decimal", "[0-9]{1,15}": "decimal"}
FORMATS = {"date": "date", "date-time": "time"}


def kind(schema: Schema, definitions: Schema) -> str:
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return " ".join(map(_code, schema["enum"]))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        kinds = [kind(option, definitions) for option in options if option.get("type") != "null"]
        return "decimal" if {"decimal", "number"} & {*kinds} else " or ".join(dict.fromkeys(kinds)) or "any"
    if "$ref" in schema:
        return _parts(definitions[str(schema["$ref"]).rpartition("/")[2]])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}), definitions)}"
    if schema.get("type") == "string":
        return _text(schema)
    return {"object": "facts by name"}.get(str(schema.get("type", "any")), str(schema.get("type", "any")))


def default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default")
    if value in (None, [], {}):
        return ""
    if isinstance(value, list):
        return _code(",".join(map(str, value)))
    return _code(str(value).lower() if isinstance(value, bool) else value)


def _text(schema: Schema) -> str:
    pattern = str(schema.get("pattern", ""))
    return FORMATS.get(
        str(schema.get("format")), next((name for part, name in PATTERNS.items() if part in pattern), "text")
    )


def _parts(schema: Schema) -> str:
    """A part's fields, those that may be left out with a question mark."""
    required = schema.get("required", ())
    return "{" + ", ".join(f"`{name}`{'' if name in required else '?'}" for name in schema["properties"]) + "}"


def _code(value: object) -> str:
    return f"`{value}`"
