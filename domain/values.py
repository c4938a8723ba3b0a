"""The words that all rules share: ids, exact decimals, currencies."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, TypeVar

from iso4217 import Currency as Iso4217
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetPydanticSchema,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core.core_schema import datetime_schema

IN_WORDS: dict[str, str] = {}
"""What each pattern takes, as a caller is told it."""


def spelt(pattern: str, words: str) -> StringConstraints:
    """Text of a pattern, and what that takes in words."""
    IN_WORDS[pattern] = words
    return StringConstraints(pattern=pattern)


def in_words(words: str) -> WrapValidator:
    """For what may have several forms: whatever is wrong with it, the caller is told what is taken."""

    def taken(value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError:
            raise ValueError(f"expected {words}") from None

    return WrapValidator(taken)


# Lengths are told beside the pattern, not in it: a class of Unicode repeated so often matches ten times slower.

#: 1–64 characters of letters of any script, digits and ``. _ - :``; the caller's own.
Id = Annotated[
    str,
    Field(min_length=1, max_length=64),
    spelt(r"^[\p{L}\p{M}\p{Nd}._:\-]*$", "ids are letters, digits, . _ - :"),
]

#: Text for people: what is seen and nothing else, so that a line stays one and reads as it is stored. Of what is not,
#: only the joiners and marks of direction, without which some scripts and emoji cannot be written.
Name = Annotated[
    str,
    Field(min_length=1, max_length=200),
    spelt(r"^([^\p{C}\p{Zl}\p{Zp}]|[\u200c-\u200f])*$", "a line of text has no signs that are not seen"),
]

#: What PostgreSQL can keep.
Plain = Annotated[str, spelt(r"^[^\x00]*$", "no text has a NUL")]
Text = Annotated[Plain, Field(max_length=10_000)]


F = TypeVar("F", str, str | None)


def _sorted(facts: dict[str, F]) -> dict[str, F]:
    """In one order, so that the same facts are the same request."""
    return {name: facts[name] for name in sorted(facts)}


_Fact = Annotated[Plain, Field(max_length=1000)]
_Few = Field(max_length=100)

#: User-defined facts, and changes of them: null takes one away.
Attributes = Annotated[dict[Id, _Fact], _Few, AfterValidator(_sorted)]
AttributeChanges = Annotated[dict[Id, _Fact | None], _Few, AfterValidator(_sorted)]

_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

ZERO = Decimal(0)

#: What no amount and no quantity reaches: fifteen digits before the point.
AMOUNT_LIMIT = Decimal(10) ** 15

D = TypeVar("D", bound=date)


def plain_decimal(value: object) -> Decimal:
    """Read a decimal in plain notation: a string such as ``"12.50"``, or an integer.

    Six decimal places at the most, so that ``str`` never falls back to an exponent.
    A JSON number with a point has been through a float already and is refused. Nothing has no sign: -0.00 is 0.00.
    """
    match value:
        case Decimal():
            value = str(value)
        case bool():
            pass
        case int():
            value = str(value)
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise ValueError('expected a decimal in plain notation as a string, such as "12.50", or an integer')
    number = Decimal(value)
    return number or abs(number)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("must be more than 0")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be less than 0")
    return value


@cache
def _currency(code: str) -> str:
    try:
        if Iso4217(code).exponent is not None:
            return code
    except ValueError:
        pass
    raise ValueError(f"{code} is not a currency of ISO 4217")


_DECIMAL_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"},
            {"type": "integer", "minimum": -(10**15) + 1, "maximum": 10**15 - 1},
        ],
        "examples": ["12.50"],
    }
)

#: Decimals as they come over the wire. Inside, and in events, they are plain ``Decimal``.
WireDecimal = Annotated[Decimal, BeforeValidator(plain_decimal), _DECIMAL_SCHEMA]
PositiveDecimal = Annotated[Decimal, BeforeValidator(plain_decimal), AfterValidator(_positive), _DECIMAL_SCHEMA]
NotNegativeDecimal = Annotated[Decimal, BeforeValidator(plain_decimal), AfterValidator(_not_negative), _DECIMAL_SCHEMA]
Currency = Annotated[str, spelt(r"^[A-Z]{3}$", "a currency is three capital letters"), AfterValidator(_currency)]


def within_calendar(moment: D) -> D:
    """Keeps clear of both ends of the calendar, where a change of time zone overflows."""
    if not 1900 <= moment.year <= 2999:
        raise ValueError("must lie between the years 1900 and 2999")
    return moment


def _no_number(value: object) -> object:
    """A bare number would be taken for seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and not value.lstrip("+-").replace(".", "").isdigit()):
        return value
    raise ValueError("expected a date (YYYY-MM-DD) or a time with its offset (RFC 3339)")


def _day_alone(value: object) -> object:
    """A time is not a day, not even midnight."""
    if isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError("expected a date (YYYY-MM-DD)")
    return value


def _utc(moment: datetime) -> datetime:
    """The offset is the caller's way to write it; PostgreSQL takes none beyond sixteen hours."""
    return moment.astimezone(UTC)


#: What is finer than a microsecond is refused, not cut.
_AwareDatetime = Annotated[
    datetime, GetPydanticSchema(lambda *_: datetime_schema(tz_constraint="aware", microseconds_precision="error"))
]

#: Times carry their offset. Days are those of the ledger's time zone.
Moment = Annotated[_AwareDatetime, BeforeValidator(_no_number), AfterValidator(within_calendar), AfterValidator(_utc)]
Day = Annotated[date, BeforeValidator(_day_alone), BeforeValidator(_no_number), AfterValidator(within_calendar)]


@cache
def minor_units(currency: str) -> int:
    """Decimal places of an amount in this currency: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    return int(Iso4217(currency).exponent or 0)


def scale_of(value: Decimal) -> int:
    """Decimal places that a value needs: 12.50 needs one."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -int(exponent))
