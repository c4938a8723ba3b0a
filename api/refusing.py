"""What does not fit its model, as a refusal. A caller is told what is taken, in words; nothing of how it is checked."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from domain.refusal import Refusal
from domain.values import IN_WORDS

MOST_TOLD = 20
LONGEST = 200
"""Characters of one of them: a name that is not known may be as long as the body."""

TIME = "expected a time with its offset (RFC 3339), no finer than a microsecond"
DATE = "expected a date (YYYY-MM-DD)"
WHOLE = "must be a whole number"
SWITCH = "must be true or false"
OBJECT = "must be an object"

WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is nothing of this name here",
    "invalid_key": "a name is text",
    "string_type": "must be text",
    "string_unicode": "must be text in UTF-8",
    "string_too_short": "must have {min_length} characters at the least",
    "string_too_long": "must have {max_length} characters at the most",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "bool_type": SWITCH,
    "bool_parsing": SWITCH,
    "greater_than_equal": "must be {ge} at the least",
    "less_than_equal": "must be {le} at the most",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "too_short": "must have {min_length} at the least",
    "too_long": "must have {max_length} at the most",
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "datetime_type": TIME,
    "datetime_parsing": TIME,
    "datetime_from_date_parsing": TIME,
    "timezone_aware": TIME,
    "date_type": DATE,
    "date_parsing": DATE,
    "date_from_datetime_parsing": DATE,
    "value_error": "{error}",
    "in_words": "{msg}",
}
"""By pydantic's name of what is wrong; tests/unit/test_errors_in_words.py meets them all."""


class Errors(Protocol):
    """pydantic's, and FastAPI's of a request."""

    def errors(self) -> Sequence[Any]: ...


def invalid(error: Errors) -> Refusal:
    """What they say, naming each field."""
    fields = [": ".join(part[:LONGEST] for part in _said(each) if part) for each in error.errors()[:MOST_TOLD]]
    return Refusal("invalid", "; ".join(fields), errors=fields)


def _said(error: Mapping[str, Any]) -> tuple[str, str]:
    facts: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return _path(error["loc"]), IN_WORDS[facts["pattern"]]
    words = WORDS.get(error["type"], "is not what is taken here")
    return _path(error["loc"]), words.format(msg=error["msg"], **facts)


def _path(location: Sequence[str | int]) -> str:
    """From the field on: a request says before it where it stood, and in brackets stands what is no name."""
    parts = location[1:] if location[:1] == ("query",) else location
    return ".".join(str(part) for part in parts if not str(part).startswith("["))
