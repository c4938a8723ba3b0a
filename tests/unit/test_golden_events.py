"""Every version of every event type that was ever written has a file in tests/golden, and can be read for ever."""

import json
from pathlib import Path

import pytest

import domain  # noqa: F401  registers the event types
from domain.event import decode, event_types

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = sorted(GOLDEN.glob("*.json"))


def test_each_version_of_each_event_type_has_a_golden_file() -> None:
    wanted = {f"{type}.v{n}" for type, cls in event_types().items() for n in range(1, cls.version + 1) if "." in type}
    assert wanted - {file.stem for file in FILES} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_event_is_read_as_the_current_version(file: Path) -> None:
    type, _, version = file.stem.rpartition(".v")
    event = decode(type, int(version), file.read_text())
    assert event.type == type
    if int(version) == event.version:
        assert event.model_dump(mode="json", exclude_none=True) == json.loads(file.read_text())
