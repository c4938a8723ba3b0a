"""What all cards have in common: patches made of events, a list with search, and one card by its key."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, Field, create_model

from domain.event import Event
from domain.values import Id
from projections.explanation import Facts
from projections.projection import Projection
from projections.query import Assemble, ListParameters, Parameters, Query, Result
from projections.shapes import Card, Cell, Row


class CardListParameters(ListParameters):
    search: Annotated[str | None, Field(max_length=200, description="Part of the id or of the name")] = None


def patch(key: str, event: Event, *fields: str, **more: Cell) -> Row:
    """A card's row: those fields of the event that are set, and what else is known."""
    facts = event.model_dump(mode="json", include=set(fields), exclude_none=True)
    return key, orjson.dumps({**facts, **more}).decode()


def the_card(rows: Sequence[Result], _: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return rows[0] if rows else None


def card_queries(
    path: str,
    card: Card,
    projection: Projection,
    row: type[BaseModel],
    *,
    sql_one: str = "card_one",
    assemble: Assemble = the_card,
) -> tuple[Query, ...]:
    """The list of the cards, and one of them."""
    fields: dict[str, Any] = {card.key: (Id, ...)}
    key: type[Parameters] = create_model(f"{row.__name__}Parameters", __base__=Parameters, **fields)
    what = row.__name__.removesuffix("Card").lower()
    names = {"card": card.name, "key": card.key}
    told = Facts(keys=(card.key,), sql="card")
    return (
        Query(
            path,
            projection.name,
            "card_list",
            CardListParameters,
            row,
            f"All {what}s",
            (card.key,),
            names=names,
            explained_by=told,
        ),
        Query(
            f"{path}/{{{card.key}}}",
            projection.name,
            sql_one,
            key,
            row,
            f"One {what}",
            assemble=assemble,
            names=names,
            explained_by=told,
        ),
    )
