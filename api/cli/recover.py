"""``grossbuch recover``: where topic and read models stand to a book that was set back or copied, and what holds."""

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, Any

import typer

from api.cli import options
from api.cli.terminal import out, progress, result, say
from api.recovering import be_another_book, fill_anew
from api.service import Opening, database
from infra.postgres import topics
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog
from infra.postgres.migrate import Ledger
from infra.postgres.standing import Standing, standing
from projections import PROJECTIONS


def recover(
    book_holds: Annotated[
        bool, typer.Option("--book-holds", help="The book as it is now holds, as another book than it was")
    ] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show whether the topic and the read models have what the book has not; status 3 if so. With --book-holds the
    ledger gets a new identity and goes on with a new topic, and read models that do not agree are filled anew. Nothing
    has to be stopped, and what was broken off may be called again."""
    settings = options.settings(data)
    with ExitStack() as stack:
        found = stack.enter_context(database(settings, say, Opening.FIND))
        pool = stack.enter_context(Pool(found, size=2))
        topic = topics.settled(pool)
        carried, theirs = None, None
        if topic and settings.kafka_bootstrap and not book_holds:
            from api.standing import topic_standing

            carried, theirs = topic_standing(settings, pool, topic)
        read = [standing(pool, projection) for projection in PROJECTIONS]
        told = _told(pool, carried, theirs, read)
        if book_holds:
            wrong = [each for each, stands in zip(PROJECTIONS, read, strict=True) if stands.differs_from]
            with progress("Filling anew", len(wrong) * StoreLog(pool).end(), shown=not as_json) as advance:
                fill_anew(found, pool, wrong, advance)
            identity, new = be_another_book(found, topic)
            told |= {"filled": [each.name for each in wrong], "ledger": identity}
            told |= {"topic": new and new.name, "left": topic and topic.name}
    if as_json:
        result(told)
    else:
        _say(told)
    if not book_holds and any(each and each.differs_from for each in (carried, *read)):
        raise typer.Exit(3)


def _told(pool: Pool, carried: Standing | None, theirs: str | None, read: list[Standing]) -> dict[str, Any]:
    return {
        "book_end": StoreLog(pool).end(),
        "ledger": Ledger.read(pool).identity,
        "topic": carried and {**asdict(carried), "ledger": theirs},
        "projections": [asdict(each) for each in read],
    }


def _say(told: dict[str, Any]) -> None:
    out.print(f"The book ends at {told['book_end']}; it is the ledger {told['ledger']}.", soft_wrap=True)
    if "filled" in told:
        filled = ", ".join(told["filled"]) or "none"
        out.print(f"Filled anew: {filled}.", soft_wrap=True)
        if told["topic"]:
            out.print(f"Its topic is {told['topic']}; {told['left']} is left as it is.", markup=False, soft_wrap=True)
        return
    for each in [told["topic"], *told["projections"]]:
        if each:
            how = f"has from {each['differs_from']} on what the book has not" if each["differs_from"] else "agrees"
            out.print(f"{each['name']}, position {each['position']}: {how}", markup=False, soft_wrap=True)
    if told["topic"] and told["topic"]["ledger"] not in (None, told["ledger"]):
        out.print(f"The topic is of the ledger {told['topic']['ledger']}.", soft_wrap=True)
