"""Campaigns of The Complete Journey as deals: sent to a household, which shopped, then redeemed or let it expire.

The tills' clock is UTC, but the day of a redemption is the stores' own: 790 of the 792 first redemptions have a basket
between 05:00 and 05:00 UTC. A redemption takes the time of that basket; one without a basket, the start of its day.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infra.sources.journey_tables import SECOND, iso, table
from infra.sources.source import Command

KEY = ["campaign_id", "household_id"]
DAY = timedelta(days=1)
STORE_MIDNIGHT = timedelta(hours=5)
PIPELINE: Command = {
    "type": "pipeline.define",
    "command_id": "cj:pipeline",
    "effective_at": "2016-01-01T00:00:00Z",
    "pipeline": "campaign",
    "policy": "forward",
    "stages": [
        {"stage": "sent", "name": "Sent", "probability": "0.05"},
        {"stage": "shopped", "name": "Shopped", "probability": "0.10"},
        {"stage": "redeemed", "name": "Redeemed", "probability": "1"},
    ],
}


def sent() -> Any:
    """One row a household and campaign: campaign_type, start_date, end_date (its last second)."""
    described = table("campaign_descriptions")
    last_second = _later(described["end_date"].cast(SECOND), DAY - timedelta(seconds=1))
    dates = {"start_date": described["start_date"].cast(SECOND), "end_date": last_second}
    told = described.select(["campaign_id", "campaign_type"])
    for name, column in dates.items():
        told = told.append_column(name, column)
    return table("campaigns").join(told, "campaign_id", join_type="inner")


def redemptions(letters: Any) -> Any:
    """Those that answer a letter in time; the others are left out."""
    rows = table("coupon_redemptions", *KEY, "redemption_date")
    answers = rows.join(letters, KEY, join_type="inner")
    return answers.filter(_within(answers["redemption_date"].cast(SECOND), answers["start_date"], answers["end_date"]))


def lives(baskets: Any) -> Any:
    """Each deal with the moments of its life: start_date, shopped and redeemed when it did, end_date."""
    letters = sent()
    visits = pa.table({"household_id": baskets["household"], "at": baskets["at"]})
    deals = letters.join(_shopped(letters, visits), KEY).join(_redeemed(letters, visits), KEY)
    return deals.sort_by([(key, "ascending") for key in ("start_date", *KEY)])


def _shopped(letters: Any, visits: Any) -> Any:
    seen = letters.join(visits, "household_id", join_type="inner")
    seen = seen.filter(_within(seen["at"], seen["start_date"], seen["end_date"]))
    return _first(seen, "at", "shopped")


def _redeemed(letters: Any, visits: Any) -> Any:
    days = _first(redemptions(letters), "redemption_date", "day")
    days = days.set_column(2, "day", days["day"].cast(SECOND))
    seen = days.join(visits, "household_id", join_type="inner")
    opens = _later(seen["day"], STORE_MIDNIGHT)
    seen = seen.filter(_within(seen["at"], opens, _later(opens, DAY - timedelta(seconds=1))))
    dated = days.join(_first(seen, "at", "basket"), KEY)
    return dated.append_column("redeemed", pc.coalesce(dated["basket"], dated["day"])).drop_columns(["day", "basket"])


def _first(rows: Any, column: str, name: str) -> Any:
    return rows.group_by(KEY).aggregate([(column, "min")]).rename_columns([*KEY, name])


def _within(moment: Any, start: Any, end: Any) -> Any:
    return pc.and_(pc.less_equal(start, moment), pc.less_equal(moment, end))


def _later(moments: Any, by: timedelta) -> Any:
    return pc.add(moments, pa.scalar(by, pa.duration("s")))


def happenings(deals: Any, until: str) -> list[tuple[str, Command]]:
    """All that happens to the deals up to a moment, in order of time."""
    moments = ("start_date", "shopped", "redeemed", "end_date")
    columns = [
        *(deals[key].to_pylist() for key in (*KEY, "campaign_type")),
        *(iso(deals[m]).to_pylist() for m in moments),
    ]
    told = ((at, command) for row in zip(*columns, strict=True) for at, command in _life(*row) if at <= until)
    return sorted(told, key=lambda happening: happening[0])


def _life(
    campaign: int, household: int, kind: str, start: str, shopped: str | None, redeemed: str | None, end: str
) -> Iterator[tuple[str, Command]]:
    def happens(what: str, at: str, type_: str, **fields: object) -> tuple[str, Command]:
        head = {"type": type_, "command_id": f"cj:{what}:{campaign}:{household}", "effective_at": at}
        return at, {**head, "deal": f"campaign-{campaign}-{household}", **fields}

    yield happens("sent", start, "deal.open", client=f"h-{household}", pipeline="campaign", stage="sent", source=kind)
    if shopped and (redeemed is None or shopped <= redeemed):
        yield happens("shopped", shopped, "deal.move", stage="shopped")
    if redeemed:
        yield happens("redeemed", redeemed, "deal.move", stage="redeemed")
        yield happens("won", redeemed, "deal.win")
    else:
        yield happens("expired", end, "deal.lose", reason="expired")
