"""What a book must hold, whoever wrote it, told from its records alone: folded here once more, by rules written down
from docs/reference and not from the product's code."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

Record = Mapping[str, Any]

ON_HAND = {"stock.received": 1, "stock.shipped": -1, "stock.written_off": -1}
RESERVED = {"stock.reserved": 1, "stock.released": -1}


@dataclass
class Verdict:
    """What is wrong, in sentences; and the figures as they must be."""

    wrong: list[str] = field(default_factory=list)
    on_hand: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    reserved: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    owed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    stages: dict[str, str] = field(default_factory=dict)

    def say(self, record: Record, what: str) -> None:
        self.wrong.append(f"position {record['position']}, {record['type']} of {record['stream']}: {what}")


def judge(records: Sequence[Record], stages: Sequence[str]) -> Verdict:
    """Of warehouses that forbid negative stock, and deals that go from stage to stage in this order."""
    verdict = Verdict()
    _in_order(records, verdict)
    _stock(records, verdict)
    _money(records, verdict)
    _deals(records, stages, verdict)
    return verdict


def _in_order(records: Sequence[Record], verdict: Verdict) -> None:
    versions: Counter[str] = Counter()
    for position, record in enumerate(records, 1):
        if record["position"] != position:
            verdict.say(record, f"is where {position} must be")
        versions[record["stream"]] += 1
        if record["version"] != versions[record["stream"]]:
            verdict.say(record, f"is version {record['version']}, and the stream's {versions[record['stream']]}th")
    for before, after in pairwise(records):
        if after["recorded_at"] < before["recorded_at"]:
            verdict.say(after, "became known before the one before it")


def _stock(records: Sequence[Record], verdict: Verdict) -> None:
    promised: dict[str, Decimal] = {}
    for record in records:
        type, said = record["type"], record["payload"]
        if not (type in ON_HAND or type in RESERVED):
            continue
        place, quantity = (said["product"], said["warehouse"]), Decimal(said["quantity"])
        if type == "stock.reserved" and said["reservation"] in promised:
            verdict.say(record, "is a reservation that is there already")
        promise = RESERVED.get(type, 0) * quantity - Decimal(said.get("reserved") or 0)
        verdict.on_hand[place] += ON_HAND.get(type, 0) * quantity
        verdict.reserved[place] += promise
        if promise:
            promised[said["reservation"]] = left = promised.get(said["reservation"], Decimal(0)) + promise
            if left < 0:
                verdict.say(record, f"leaves {left} of the reservation")
        kept = verdict.reserved[place] if type == "stock.reserved" or (type == "stock.shipped" and not promise) else 0
        if verdict.on_hand[place] < kept:  # what is damaged may have been promised
            verdict.say(record, f"leaves {verdict.on_hand[place]} on hand, of which {kept} must be kept")


def _money(records: Sequence[Record], verdict: Verdict) -> None:
    opened: dict[str, Decimal] = {}
    free: dict[str, Decimal] = {}
    for record in records:
        type, said = record["type"], record["payload"]
        amount = Decimal(said.get("amount") or 0)
        if type == "invoice.issued":
            if said["invoice"] in opened:
                verdict.say(record, "is an invoice that is there already")
            opened[said["invoice"]] = amount
            verdict.owed[said["client"]] += amount
        elif type == "payment.received":
            if said["payment"] in free:
                verdict.say(record, "is a payment that is there already")
            free[said["payment"]] = amount
            verdict.owed[said["client"]] -= amount
        elif type in ("payment.allocated", "payment.deallocated"):
            sign = 1 if type == "payment.allocated" else -1
            opened[said["invoice"]] -= sign * amount
            free[said["payment"]] -= sign * amount
        elif type in ("payment.bounced", "payment.refunded"):
            free[said["payment"]] -= amount
            verdict.owed[said["client"]] += amount
        if said.get("invoice") in opened and opened[said["invoice"]] < 0:
            verdict.say(record, f"leaves {opened[said['invoice']]} of the invoice open")
        if said.get("payment") in free and free[said["payment"]] < 0:
            verdict.say(record, f"leaves {free[said['payment']]} of the payment")


def _deals(records: Sequence[Record], stages: Sequence[str], verdict: Verdict) -> None:
    """Strictly to the next stage; lost from any, won from the last; reopened once closed."""
    for record in records:
        type, said = record["type"], record["payload"]
        if not type.startswith("deal."):
            continue
        deal, before = said["deal"], verdict.stages.get(said["deal"], "")
        now = {"deal.won": "won", "deal.lost": "lost"}.get(type) or said.get("stage", before)
        allowed = {
            "deal.opened": before == "",
            "deal.moved": before in stages[:-1] and now == stages[stages.index(before) + 1],
            "deal.won": before == stages[-1],
            "deal.lost": before in stages,
            "deal.reopened": before in ("won", "lost"),
        }
        if not allowed.get(type, True):
            verdict.say(record, f"goes from {before or 'nowhere'} to {now}")
        verdict.stages[deal] = now
