"""The OpenAPI document says what the interface does: schemathesis calls it with what it allows, and what it does not.

``GROSSBUCH_TEST_EXAMPLES=200`` looks longer.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.openapi import from_path

from api.openapi.examples import EXAMPLES
from commands.command import command_types, parse
from projections import QUERIES
from tests.e2e.api import Api
from tests.e2e.given import client, invoice, pipeline, product, received, warehouse

EXAMPLES_EACH = int(os.environ.get("GROSSBUCH_TEST_EXAMPLES", "10"))


def no_internal_error(_: object, response: schemathesis.Response, __: schemathesis.Case) -> None:
    """503 is one of the answers: ``min_position`` may not be reached."""
    assert response.status_code != 500


CHECKS = [
    no_internal_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
]


schemathesis.serializer.alias("application/x-ndjson", "text/plain")
described = from_path(Path(__file__).parents[2] / "docs/reference/openapi.json")
"""The published document; tests/unit/test_reference.py holds that it is what the application gives."""


OWN_ADDRESS = r"^/v1/commands/\w+\."
"""Of a command type: what is done there is what /v1/commands does (test_command_addresses.py)."""


@pytest.fixture(scope="module")
def document(shared: Api) -> dict[str, Any]:
    found: dict[str, Any] = shared.http.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def book(shared: Api) -> Api:
    shared.given(client(), pipeline("sales", "free", "A"), product(), warehouse(), received("9", on="2026-05-01"))
    shared.given(invoice("I1", "10.00", due="2026-06-10"))
    return shared


@described.exclude(path_regex=OWN_ADDRESS).parametrize()
@settings(max_examples=EXAMPLES_EACH, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_describes(case: schemathesis.Case, book: Api) -> None:
    if str(case.query.get("min_position", "")).isdigit():
        case.query["min_position"] = 1  # others would only be waited for
    # A batch takes lines too, whatever its content type says: an object is a batch of one.
    lenient = [negative_data_rejection] if case.operation.path.endswith("/batch") else []
    case.call_and_validate(base_url=book.address, checks=CHECKS, excluded_checks=lenient, timeout=30)


def test_the_document_is_a_valid_one() -> None:
    described.validate()


def test_every_schema_is_valid_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema)
    assert {ref.rpartition("/")[2] for ref in references(document)} <= schemas.keys()


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_every_command_has_a_schema_and_every_query_a_path(document: dict[str, Any]) -> None:
    assert command_types().keys() <= document["components"]["schemas"].keys()
    choices = {choice["$ref"].rpartition("/")[2] for choice in document["components"]["schemas"]["Command"]["oneOf"]}
    assert choices == command_types().keys()
    assert {query.path for query in QUERIES} <= document["paths"].keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_taken_by_the_parser_and_the_schema(document: dict[str, Any], name: str) -> None:
    _, fields = EXAMPLES[name]
    assert parse({"type": name, **fields}).type == name
    for schema, example in ((name, {"type": name, **fields}), (f"{name}.body", fields)):
        whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        assert jsonschema_rs.is_valid(whole, example)


def test_every_operation_has_a_short_name_and_is_in_one_described_area(document: dict[str, Any]) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names))
    assert {"receivables_ageing", "invoice_issue", "client", "client_timeline", "commands_batch"} <= {*names}
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for each in operations for tag in each["tags"]} == described


def test_what_may_be_missing_is_not_said_to_be_null(document: dict[str, Any]) -> None:
    assert '"default": null' not in json.dumps(document)


def test_a_problem_tells_its_facts(document: dict[str, Any]) -> None:
    facts = document["components"]["schemas"]["problem.insufficient_stock"]
    assert {"available", "shortfall", "on", "code"} <= {*facts["required"]}
    assert facts["properties"]["available"]["type"] == "string"
    assert facts["properties"]["on"]["format"] == "date"
