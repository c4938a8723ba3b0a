"""Reasons of write-offs: a list that the company keeps."""

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import Refusal

USUAL = ("damage", "shortage", "expiry", "theft", "transit loss", "sample", "other")


class Listed(Event, type="stock.reasons_listed"):
    """From now on these and no others."""

    reasons: tuple[str, ...]


class Reasons(Aggregate, kind="reasons"):
    """Until the company makes its own list, the usual ones."""

    reasons: tuple[str, ...] = USUAL

    def check(self, reason: str) -> None:
        if reason not in self.reasons:
            message = f"{reason} is not in the company's list of reasons."
            raise Refusal("reason_unknown", message, reason=reason, reasons=list(self.reasons))

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Listed(reasons=reasons):
                return {"reasons": reasons}
        return {}
