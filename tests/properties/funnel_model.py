"""The funnel told once more, slowly and in plain lists: what is refused, and every figure. No code of ours is used."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

STAGES = ["A", "B", "C"]
PROBABILITY = {"A": Decimal("0.1"), "B": Decimal("0.5"), "C": Decimal("0.9")}
REQUIRES = {"A": [], "B": ["amount"], "C": ["owner", "items"]}
POLICIES = {
    "strict": [("A", "B"), ("B", "C")],
    "forward": [("A", "B"), ("B", "C"), ("A", "C")],
    "free": [("A", "B"), ("B", "C"), ("A", "C"), ("B", "A"), ("C", "B"), ("C", "A")],
}

Told = dict[str, Any]


class Fact(NamedTuple):
    """``told`` has what the command had, and a deal's stage after it."""

    position: int
    at: datetime
    what: str
    about: str
    told: Told


class Move(NamedTuple):
    at: datetime
    position: int
    deal: str
    was: str
    state: str
    stage: str
    reason: str | None


def in_order(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.at, fact.position))


@dataclass
class Rules:
    """What has been accepted, in order of position; and what may follow."""

    facts: list[Fact] = field(default_factory=list)

    def of(self, deal: str, *kinds: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.about == deal and (not kinds or fact.what in kinds)]

    def refusal(self, what: str, deal: str, at: datetime, told: Told) -> str | None:
        """The code, or None if it may happen."""
        steps = self.of(deal, "open", "move", "win", "lose", "reopen")
        if what == "open":
            return "already_exists" if steps else self._missing(told["stage"], self._known(what, deal, at, told))
        if not steps:
            return "not_found"
        closed = steps[-1].what in ("win", "lose")
        if closed == (what != "reopen"):
            return "deal_closed" if closed else "deal_open"
        if at < (steps[0] if what in ("estimate", "assign", "specify") else steps[-1]).at:
            return "out_of_order"
        allowed, now = POLICIES[steps[0].told["pipeline"]], steps[-1].told["stage"]
        if what == "move" and (now, told["stage"]) not in allowed:
            return "stage_not_allowed"
        if what == "win" and steps[0].told["pipeline"] == "strict" and now != "C":
            return "stage_not_allowed"
        if what in ("move", "reopen"):
            return self._missing(told["stage"], self._known(what, deal, at, told))
        return None

    def _known(self, what: str, deal: str, at: datetime, told: Told) -> set[str]:
        facts = [fact.told for fact in self.of(deal) if fact.at <= at] + ([told] if what == "open" else [])
        return {name for each in facts for name, cell in each.items() if cell is not None}

    def _missing(self, stage: str, known: set[str]) -> str | None:
        return None if known.issuperset(REQUIRES[stage]) else "requirement_missing"

    def accept(self, position: int, what: str, about: str, at: datetime, told: Told) -> None:
        steps = self.of(about, "open", "move", "reopen")
        stage = {"stage": steps[-1].told["stage"]} if what in ("win", "lose") else {}
        self.facts.append(Fact(position, at, what, about, {**told, **stage}))


def days(spans: Sequence[Fraction], of: int | None = None) -> Decimal | None:
    """The mean, in days of four places, half up."""
    return rounded(sum(spans) / Fraction(of or len(spans)), 4) if spans else None


def median(spans: Sequence[Fraction]) -> Decimal | None:
    return rounded(statistics.median(spans), 4) if spans else None


def p90(spans: Sequence[Fraction]) -> Decimal | None:
    """The inclusive method of statistics is percentile_cont."""
    if len(spans) < 2:
        return days(spans)
    return rounded(statistics.quantiles(spans, n=10, method="inclusive")[-1], 4)


def rounded(value: Fraction, places: int) -> Decimal:
    """Half up, in whole numbers; nothing here is negative."""
    scaled = value * 10**places
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-places)


def share(part: int, whole: int) -> Decimal | None:
    return rounded(Fraction(part, whole), 4) if whole else None


def span(first: datetime, last: datetime) -> Fraction:
    """In days."""
    return Fraction(int((last - first).total_seconds()), 86_400)


@dataclass
class Figures:
    """One pipeline's, by what had happened at a moment as far as it was known at a position."""

    pipeline: str
    facts: list[Fact]

    @classmethod
    def seen(cls, pipeline: str, facts: Sequence[Fact], moment: datetime, known_at: int) -> "Figures":
        return cls(pipeline, in_order([f for f in facts if f.at <= moment and f.position <= known_at]))

    @property
    def deals(self) -> dict[str, Fact]:
        return {f.about: f for f in self.facts if f.what == "open" and f.told["pipeline"] == self.pipeline}

    def moves(self, deal: str) -> list[Move]:
        found: list[Move] = []
        for fact in self.facts:
            if fact.about == deal and fact.what in ("open", "move", "win", "lose", "reopen"):
                stage = fact.told["stage"]
                state = {"win": "won", "lose": "lost"}.get(fact.what, stage)
                was = found[-1].state if found else "start"
                found.append(Move(fact.at, fact.position, deal, was, state, stage, fact.told.get("reason")))
        return found

    def all_moves(self) -> Iterator[Move]:
        for deal in self.deals:
            yield from self.moves(deal)

    def worth(self, deal: str, until: tuple[datetime, int] | None = None) -> Decimal:
        """In euros."""
        last = (Decimal(0), "EUR")
        for fact in self.facts:
            if until and (fact.at, fact.position) > until:
                break
            if fact.about == deal and fact.told.get("amount") is not None:
                last = fact.told["amount"], fact.told["currency"]
        return last[0] if last[1] == "EUR" else Decimal(0)

    def owner(self, deal: str) -> str | None:
        owners = [f.told["owner"] for f in self.facts if f.about == deal and f.told.get("owner")]
        return owners[-1] if owners else None

    def segment(self, client: str) -> str | None:
        segments: list[str | None] = [f.told["segment"] for f in self.facts if f.what == "belong" and f.about == client]
        return segments[-1] if segments else None

    def snapshot(self, belongs: Callable[[str], bool] = lambda _: True) -> Told:
        standing = {deal: self.moves(deal)[-1].state for deal in self.deals if belongs(deal)}

        def figures(state: str) -> Told:
            there = [deal for deal, where in standing.items() if where == state]
            return {"deals": len(there), "amount": sum(map(self.worth, there))}

        return {
            "stages": [{"stage": stage, "name": f"Stage {stage}", **figures(stage)} for stage in STAGES],
            "won": figures("won"),
            "lost": figures("lost"),
            "weighted": sum(figures(stage)["amount"] * PROBABILITY[stage] for stage in STAGES),
        }

    def groups(self) -> list[Told]:
        """By owner, source and segment."""

        def whose(deal: str) -> tuple[str | None, str | None, str | None]:
            opened = self.deals[deal].told
            return self.owner(deal), opened["source"], self.segment(opened["client"])

        keys = sorted(
            {whose(deal) for deal in self.deals}, key=lambda key: [(name is None, name or "") for name in key]
        )
        names = ("owner", "source", "segment")
        return [
            {**dict(zip(names, key, strict=True)), **self.snapshot(lambda deal, key=key: whose(deal) == key)}
            for key in keys
        ]

    def cohort(self, first: date, last: date) -> Told:
        cohort = [self.moves(deal) for deal, opened in self.deals.items() if first <= opened.at.date() <= last]
        ends = [moves[-1].state for moves in cohort]
        won, lost = ends.count("won"), ends.count("lost")
        passed = [
            len(STAGES) if any(m.state == "won" for m in moves) else max(STAGES.index(m.stage) for m in moves)
            for moves in cohort
        ]
        reached = [sum(far >= n for far in passed) for n in range(len(STAGES))]
        visited = [sum(any(m.state == stage for m in moves) for moves in cohort) for stage in STAGES]
        steps = map(share, [*reached[1:], won], reached)
        columns = zip(STAGES, reached, visited, steps, strict=True)
        return {
            "opened": len(cohort),
            "stages": [
                {"stage": s, "name": f"Stage {s}", "reached": r, "visited": v, "step_conversion": c}
                for s, r, v, c in columns
            ],
            "won": won,
            "lost": lost,
            "open": len(cohort) - won - lost,
            "conversion": share(won, len(cohort)),
        }

    def closings(self, outcome: str, first: date, last: date) -> list[Move]:
        return [m for m in self.all_moves() if m.state == outcome and first <= m.at.date() <= last]

    def win_rate(self, first: date, last: date) -> Told:
        won, lost = (len(self.closings(outcome, first, last)) for outcome in ("won", "lost"))
        return {"won": won, "lost": lost, "rate": share(won, won + lost)}

    def losses(self, first: date, last: date) -> list[Told]:
        closings = self.closings("lost", first, last)
        return [
            {
                "stage": stage,
                "reason": reason,
                "deals": len(those),
                "amount": sum(self.worth(m.deal, (m.at, m.position)) for m in those),
            }
            for stage, reason in sorted({(m.stage, m.reason or "") for m in closings})
            if (those := [m for m in closings if (m.stage, m.reason) == (stage, reason)])
        ]

    def transitions(self, first: date = date.min, last: date = date.max) -> list[Told]:
        states = ["start", *STAGES, "won", "lost"]
        moves = [(m.was, m.state) for m in self.all_moves() if first <= self.deals[m.deal].at.date() <= last]
        pairs = [(was, state) for was in states for state in states if (was, state) in moves]
        return [{"from": was, "to": state, "deals": moves.count((was, state))} for was, state in pairs]

    def durations(self) -> list[Told]:
        found = []
        for stage in STAGES:
            closed: list[tuple[str, Fraction]] = []
            still = 0
            for deal in self.deals:
                moves = self.moves(deal)
                for move, after in zip(moves, [*moves[1:], None], strict=True):
                    if move.state == stage and after:
                        closed.append((deal, span(move.at, after.at)))
                    elif move.state == stage:
                        still += 1
            spans = [each for _, each in closed]
            found.append(
                {
                    "stage": stage,
                    "visits": len(spans),
                    "mean_days": days(spans),
                    "median_days": median(spans),
                    "p90_days": p90(spans),
                    "per_deal_mean_days": days(spans, len({deal for deal, _ in closed})),
                    "open_visits": still,
                }
            )
        return found

    def cycle(self, first: date, last: date) -> Told:
        found = {}
        for outcome in ("won", "lost"):
            spans = [span(self.deals[m.deal].at, m.at) for m in self.closings(outcome, first, last)]
            statistics = {"mean_days": days(spans), "median_days": median(spans), "p90_days": p90(spans)}
            found[outcome] = {"deals": len(spans), **statistics}
        return found

    def attribution(self, first: date, last: date, until: str, method: str) -> list[Told]:
        parts: list[tuple[str | None, int, Decimal]] = []
        for winning in self.closings("won", first, last):
            opened = self.deals[winning.deal]
            end = opened.at if until == "opening" else winning.at
            sources = [
                f.told["source"] or f.told["kind"]
                for f in self.facts
                if f.what == "touch" and f.about == opened.told["client"] and f.at <= end
            ] or [opened.told["source"]]
            sources = {"first": sources[:1], "last": sources[-1:], "linear": sources}[method]
            amount = self.worth(winning.deal, (winning.at, winning.position))
            sums = [rounded(Fraction(amount) * n / len(sources), 2) for n in range(len(sources) + 1)]
            amounts = [after - before for before, after in pairwise(sums)]
            assert min(amounts) >= 0
            parts += [(source, winning.position, each) for source, each in zip(sources, amounts, strict=True)]
        return [
            {
                "source": source,
                "deals": len({position for name, position, _ in parts if name == source}),
                "amount": sum(amount for name, _, amount in parts if name == source),
            }
            for source in sorted({name for name, *_ in parts}, key=lambda name: name or "")
        ]
