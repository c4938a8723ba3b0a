"""Each code of a refusal: the status it is answered with, and the facts it tells beside its sentence.

A fact that not every refusal of the code tells has a question mark. tests/unit/test_codes.py holds the code to it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

STATUS = {
    "malformed": 400,
    "not_found": 404,
    "timeout": 408,
    "conflict": 409,
    "command_id_reused": 409,
    "too_large": 413,
    "broken_stream": 500,
    "internal": 500,
    "url_too_long": 414,
    "head_too_large": 431,
    "ahead": 503,
    "behind": 503,
    "busy": 503,
    "halted": 503,
    "superseded": 503,
    "unavailable": 503,
    "set_back": 503,
}
"""All other refusals are 422: understood, and against a rule."""

Kind = type[str | int | Decimal | date | datetime | list[str]]

LIMIT: Mapping[str, Kind] = {"limit": int}

FACTS: Mapping[str, Mapping[str, Kind]] = {
    "malformed": {"field?": str, "line?": int},
    "not_found": {"kind?": str, "id?": str},
    "timeout": {},
    "conflict": {"stream?": str, "version?": int, "expected_version?": int},
    "command_id_reused": {},
    "too_large": LIMIT,
    "url_too_long": LIMIT,
    "head_too_large": LIMIT,
    "invalid": {
        "errors?": list,
        "field?": str,
        "places?": int,
        "total?": Decimal,
        "on?": date,
        "client?": str,
        "rows?": int,
        "narrow_by?": list,
        "cells?": list,
        "explained?": list,
    },
    "unknown_command": {"known": list},
    "already_exists": {"kind": str, "id": str},
    "stage_unknown": {"stage": str, "stages": list},
    "stage_not_allowed": {"stage": str, "current": str, "policy": str},
    "requirement_missing": {"stage": str, "missing": list},
    "deal_closed": {"outcome": str},
    "deal_open": {"stage": str},
    "out_of_order": {
        "kind?": str,
        "id?": str,
        "since?": datetime,
        "changed_at?": datetime,
        "opened_at?": datetime,
        "payment?": str,
        "received_at?": datetime,
    },
    "insufficient_stock": {"available": Decimal, "shortfall": Decimal, "on": date},
    "transfer_exceeded": {"transfer": str, "open": Decimal, "shortfall": Decimal},
    "reason_unknown": {"reason": str, "reasons": list},
    "period_closed": {"on": date, "closed_through": date},
    "over_allocation": {
        "shortfall": Decimal,
        "counterparty?": str,
        "payment?": str,
        "invoice?": str,
        "available?": Decimal,
        "allocated?": Decimal,
        "open?": Decimal,
        "recoverable?": Decimal,
    },
    "exceeds_open": {"invoice": str, "open": Decimal, "shortfall": Decimal},
    "exceeds_unapplied": {"payment": str, "available": Decimal, "shortfall": Decimal},
    "has_allocations": {"invoice": str, "allocated": Decimal},
    "invoice_cancelled": {},
    "payment_bounced": {"payment": str},
    "counterparty_retired": {"counterparty": str, "on": date},
    "credit_limit_exceeded": {"limit": Decimal, "exposure": Decimal, "available": Decimal, "shortfall": Decimal},
    "currency_mismatch": {"currency": str},
    "counterparty_mismatch": {"counterparty": str},
    "batch_refused": {},
    "detached": {"register": str, "month": str},
    "too_slow": {},
    "ahead": {"position": int, "log_size": int},
    "halted": {"work": list},
    "behind": {"position?": int, "min_position?": int, "known_at?": int, "projections?": list},
    "busy": {},
    "unavailable": {},
    "superseded": {"projections": list},
    "set_back": {},
    "broken_stream": {"stream": str, "version": int, "found": int},
    "internal": {},
}

OF_A_QUERY = ("detached", "too_slow")
"""Rules that no command is refused by."""


def status_of(code: str) -> int:
    return STATUS.get(code, 422)


def facts_of(code: str) -> Mapping[str, tuple[Kind, bool]]:
    """By name: what each is, and whether it is always told."""
    return {name.removesuffix("?"): (kind, not name.endswith("?")) for name, kind in FACTS[code].items()}
