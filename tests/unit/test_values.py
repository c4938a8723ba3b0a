"""The words that all rules share: ids, exact decimals, currencies, times."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.money import check_amount, check_quantity
from domain.refusal import Refusal
from domain.values import (
    Attributes,
    Currency,
    Day,
    Id,
    Moment,
    Name,
    NotNegativeDecimal,
    PositiveDecimal,
    Text,
    WireDecimal,
    minor_units,
    scale_of,
)


def read(type: Any, value: object) -> Any:
    return TypeAdapter(Annotated[type, ...]).validate_python(value)


def refuses(type: Any, value: object) -> bool:
    with pytest.raises(ValidationError):
        read(type, value)
    return True


@pytest.mark.parametrize("id", ["C1", "a", "Überseehafen", "клиент-7", "顧客:1", "ΑΒΓ_1.2", "हिन्दी", "٣", "x" * 64])
def test_ids_are_in_any_script(id: str) -> None:
    assert read(Id, id) == id


@pytest.mark.parametrize("id", ["", "x" * 65, "a b", "a/b", "a\n", "\na", "a\x00", "a\x1f", "%", "a'b", '"', "😀", "½"])
def test_ids_are_of_letters_digits_and_four_signs(id: str) -> None:
    assert refuses(Id, id)


@pytest.mark.parametrize("id", [1, None, True, ["a"]])
def test_ids_are_text(id: object) -> None:
    assert refuses(Id, id)


@pytest.mark.parametrize("text", ["12.50", "0", "-1", "0.000001", "999999999999999.999999", "007"])
def test_decimals_are_read_as_they_are_written(text: str) -> None:
    assert str(read(WireDecimal, text)) == str(Decimal(text))


@pytest.mark.parametrize("number", [0, -7, 10**15 - 1])
def test_integers_are_decimals(number: int) -> None:
    assert read(WireDecimal, number) == number


@pytest.mark.parametrize("number", [12.5, 1.0, float("nan"), float("inf"), True, None, [], b"1"])
def test_a_float_never_touches_a_decimal(number: object) -> None:
    assert refuses(WireDecimal, number)


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1E+3",
        "1e-3",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "0x1F",
        "١٢",
        "0.0000001",
        "+1",
        "--1",
        "1,5",
        ".5",
        "5.",
        "1_000",
        "",
        " 1",
        "1 ",
        "1\n",
    ],
)
def test_decimals_are_in_plain_notation_only(text: str) -> None:
    assert refuses(WireDecimal, text)


@pytest.mark.parametrize(("given", "zero"), [("-0", "0"), ("-0.00", "0.00"), (Decimal("-0.0"), "0.0")])
@pytest.mark.parametrize("type", [WireDecimal, NotNegativeDecimal])
def test_nothing_has_no_sign(type: Any, given: object, zero: str) -> None:
    assert str(read(type, given)) == zero


@pytest.mark.parametrize("value", [10**15, -(10**15), 10**400, "1" * 16])
def test_decimals_have_fifteen_digits_before_the_point(value: object) -> None:
    assert refuses(WireDecimal, value)


def test_nothing_is_not_positive_and_not_negative() -> None:
    assert read(NotNegativeDecimal, "0.00") == 0
    assert refuses(PositiveDecimal, "0.00")
    assert refuses(NotNegativeDecimal, "-0.01")


@pytest.mark.parametrize("code", ["EUR", "JPY", "KWD"])
def test_currencies_are_those_of_iso_4217(code: str) -> None:
    assert read(Currency, code) == code


@pytest.mark.parametrize("code", ["eur", "EURO", "ABC", "XAU", "", "€", None, 978])
def test_what_is_no_currency_of_money_is_refused(code: object) -> None:
    assert refuses(Currency, code)


@pytest.mark.parametrize(("code", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_decimal_places(code: str, places: int) -> None:
    assert minor_units(code) == places


@pytest.mark.parametrize(("text", "scale"), [("12.50", 1), ("12", 0), ("100", 0), ("0.000", 0), ("-0.001", 3)])
def test_the_scale_is_of_the_places_that_are_needed(text: str, scale: int) -> None:
    assert scale_of(Decimal(text)) == scale


def test_finer_than_its_currency_or_product_is_refused_not_rounded() -> None:
    check_amount(Decimal("1.230"), "EUR")
    check_quantity(Decimal("1.0"), "lamp", 0)
    with pytest.raises(Refusal, match="more decimal places than EUR"):
        check_amount(Decimal("1.234"), "EUR")
    with pytest.raises(Refusal, match="more decimal places than the product"):
        check_quantity(Decimal("1.5"), "lamp", 0)


def test_times_carry_their_offset() -> None:
    assert read(Moment, "2026-06-01T12:00:00+02:00") == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert refuses(Moment, "2026-06-01T12:00:00")


def test_what_is_finer_than_a_microsecond_is_refused_not_cut() -> None:
    assert read(Moment, "2026-06-01T12:00:00.123456Z").microsecond == 123456
    assert refuses(Moment, "2026-06-01T12:00:00.1234567Z")
    assert refuses(Moment, "2026-06-01T12:00:00.123456000Z")


@pytest.mark.parametrize("year", ["1899", "3000", "0001", "9999"])
def test_the_ends_of_the_calendar_are_kept_clear_of(year: str) -> None:
    assert refuses(Moment, f"{year}-06-01T12:00:00Z")
    assert refuses(Day, f"{year}-06-01")


@pytest.mark.parametrize("number", [1780000000, "1780000000", "1780000000.5", "-1", 1.5, True, None])
def test_a_number_is_no_time(number: object) -> None:
    assert refuses(Moment, number)
    assert refuses(Day, number)


def test_a_day_is_a_date() -> None:
    assert read(Day, "2026-02-28") == date(2026, 2, 28)
    assert refuses(Day, "2026-02-29")
    assert refuses(Day, "2026-02-28T00:00:00")


@pytest.mark.parametrize("name", ["", "a\nb", "tab\t", "\x00", "\x7f", "a\u0085b", "a\u2028b", "a\u2029b", "x" * 201])
def test_a_name_is_one_line(name: str) -> None:
    assert refuses(Name, name)


@pytest.mark.parametrize(
    "sign", [*"\u00ad\u200b\u2060\ufeff", *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
)
def test_a_name_hides_nothing_and_is_read_in_the_order_in_which_it_is_stored(sign: str) -> None:
    assert refuses(Name, f"Anna{sign}Schmidt")


@pytest.mark.parametrize("sign", ["\ud800", "\ue000", "\ufdd0", "\uffff", "\u0378", "\U0010ffff"])
def test_a_name_has_no_character_that_is_none(sign: str) -> None:
    assert refuses(Name, f"Anna{sign}Schmidt")


@pytest.mark.parametrize(
    "name", ["می\u200cخواهم", "क्\u200dष", "👨\u200d👩\u200d👧 ❤\ufe0f", "C++\u200e בע״מ", "辻\U000e0100", "客户 🧾 x²"]
)
def test_names_are_in_any_script(name: str) -> None:
    assert read(Name, name) == name


def test_a_text_may_have_lines_and_no_nul() -> None:
    assert read(Text, "one\ntwo\\N\t") == "one\ntwo\\N\t"
    assert refuses(Text, "a\x00b")


def test_attributes_are_few_and_named_by_ids() -> None:
    assert read(Attributes, {"size": "big"}) == {"size": "big"}
    assert refuses(Attributes, {"a b": "big"})
    assert refuses(Attributes, {"size": 1})
    assert refuses(Attributes, {str(n): "" for n in range(101)})
