"""JSON in which nothing is said twice: of two amounts in one object the parser would take the last without a word."""

import json
from collections import Counter
from reprlib import repr as shown

import orjson

from domain.refusal import Refusal

BLANKS = b" \t\n\r"


def loads(text: bytes) -> object:
    """What it says. Refusal ``malformed`` if it is not JSON, too deep, or has a name twice in one object."""
    try:
        value: object = orjson.loads(text)
        again = orjson.dumps(value)
    except orjson.JSONDecodeError as error:
        raise Refusal("malformed", f"This is not JSON: {error}") from error
    except orjson.JSONEncodeError as error:
        raise Refusal("malformed", "Objects and lists are too deep in each other.") from error
    if again != text and again.translate(None, BLANKS) != text.translate(None, BLANKS):
        _read_each_name(text)
    return value


def _read_each_name(text: bytes) -> None:
    """Only for what does not come out as it came in: this parser is slower than all else that is done to a command."""
    json.loads(text.decode(), object_pairs_hook=_once, parse_int=str, parse_float=str)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise Refusal("malformed", f"{shown(twice)} stands twice in one object.", field=twice[:64])
    return value
