"""Problems as the document tells them: a schema for each code, with its facts, and the answers they come in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from api.codes import FACTS, OF_A_QUERY, Kind, facts_of, status_of

KINDS: Mapping[Kind, Mapping[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "description": "A decimal", "examples": ["12.50"]},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    list: {"type": "array", "items": {"type": "string"}},
}

RULES = tuple(code for code in FACTS if status_of(code) == 422 and code not in OF_A_QUERY)
"""What a command may be refused with that is understood. All its addresses answer the same."""

OF_COMMANDS = ("malformed", "not_found", "conflict", "command_id_reused", "too_large", *RULES, "busy", "unavailable")
OF_QUERIES = ("malformed", "invalid", *OF_A_QUERY, "ahead", "behind", "busy", "unavailable", "superseded")


def _schema(code: str) -> dict[str, Any]:
    facts = facts_of(code)
    always = [name for name, (_, is_always) in facts.items() if is_always]
    return {
        "type": "object",
        "title": code,
        "required": ["type", "title", "status", "code", "detail", *always],
        "properties": {
            "type": {"const": f"urn:grossbuch:problem:{code}", "type": "string"},
            "title": {"type": "string"},
            "status": {"const": status_of(code), "type": "integer"},
            "code": {"const": code, "type": "string"},
            "detail": {"type": "string", "description": "A sentence for people"},
            **{name: dict(KINDS[kind]) for name, (kind, _) in facts.items()},
        },
    }


def _name(code: str) -> str:
    return f"problem.{code}"


def _one_of(codes: Sequence[str]) -> dict[str, Any]:
    references = {code: f"#/components/schemas/{_name(code)}" for code in codes}
    if len(codes) == 1:
        return {"$ref": references[codes[0]]}
    choices = [{"$ref": reference} for reference in references.values()]
    return {"oneOf": choices, "discriminator": {"propertyName": "code", "mapping": references}}


def problems(*codes: str) -> dict[str | int, Any]:
    """The answers that these codes come in, by status."""
    return dict(_answers(codes))


def _answers(codes: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for status, same in groupby(sorted(codes, key=status_of), status_of):
        found = tuple(same)
        schema = {"$ref": "#/components/schemas/Refused"} if found == RULES else _one_of(found)
        description = ", ".join(found) if len(found) < 9 else "A rule says no"
        yield str(status), {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def schemas(used: set[str]) -> dict[str, Any]:
    """Of the codes that some answer names."""
    return {_name(code): _schema(code) for code in FACTS if _name(code) in used or code in RULES} | {
        "Refused": _one_of(RULES)
    }
