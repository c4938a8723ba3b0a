"""The document of the topic is served beside OpenAPI's (tests/kafka/test_wire.py reads a topic by it)."""

import json

from docs.generate import REFERENCE
from tests.e2e.api import Api


def test_it_is_the_one_in_the_reference_with_the_topic_of_the_ledger(api: Api) -> None:
    served = api.http.get("/asyncapi.json").json()
    topic = served["channels"]["events"]["parameters"]["topic"]
    assert topic["default"].endswith(".events")
    assert topic["default"] != "grossbuch.events"
    topic["default"] = "grossbuch.events"
    assert served == json.loads((REFERENCE / "asyncapi.json").read_text())
