"""Which book is worked on: told before anything is done to it, for who has mistyped a name has another book."""

from pathlib import Path

from psycopg2.extensions import parse_dsn

from infra.embedded.server import default_directory
from infra.postgres.migrate import Ledger
from infra.settings import Settings


class OfAnotherBook(Exception):
    """A setting says what a book is not, and cannot become."""


def home(settings: Settings) -> Path:
    """Of the embedded server, if that is the one."""
    return settings.data or default_directory()


def directory(settings: Settings) -> Path | None:
    """Of the embedded server; None if the server is another."""
    return None if settings.database_url else home(settings)


def sentence(settings: Settings, ledger: Ledger, size: int) -> str:
    """Where it is, never with a password; its name, currency and time zone, and how far it goes."""
    where = directory(settings) or _address(settings.database_url or "")
    what = f"ledger {settings.ledger}, {ledger.book_currency}, {ledger.time_zone}"
    return f"The book in {where}: {what}, {f'positions 1 to {size:,}' if size else 'empty'}."


def check(settings: Settings, ledger: Ledger) -> None:
    """OfAnotherBook if a currency or a time zone is asked for that the book does not have."""
    for name, has in (("book_currency", ledger.book_currency), ("time_zone", ledger.time_zone)):
        asked = getattr(settings, name)
        if name in settings.model_fields_set and asked != has:
            raise OfAnotherBook(
                f"GROSSBUCH_{name.upper()} is {asked}, and the book was made with {has}, which it keeps: "
                f"take the setting away, or name another book (GROSSBUCH_LEDGER, --data)."
            )


def _address(url: str) -> str:
    parts = parse_dsn(url)
    host, port = parts.get("host", "this machine"), parts.get("port", "5432")
    return f"{parts.get('dbname', parts.get('user', ''))} at {host}:{port}"
