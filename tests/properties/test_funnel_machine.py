"""Any commands on deals, backdated and refused ones among them: rules and figures are those of the slow model."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from commands.bus import Accepted
from projections.query import end_of
from tests.properties.books import Books, entered
from tests.properties.funnel_model import POLICIES, PROBABILITY, REQUIRES, STAGES, Figures, Rules
from tests.unit import given as scene
from tests.unit.given import command, given, when

FIRST = datetime(2026, 5, 1, tzinfo=UTC)
EVER = datetime(2026, 5, 31, tzinfo=UTC)

deals = st.sampled_from(["D1", "D2", "D3"])
stages = st.sampled_from(STAGES)
times = st.integers(0, 9).map(lambda hours: timedelta(hours=hours * 7, seconds=hours % 3))
moments = times.map(lambda since: FIRST + since)
days = st.dates(date(2026, 4, 30), date(2026, 5, 5))
amounts = st.decimals("0.00", "99.99", places=2)
currencies = st.sampled_from(["EUR", "EUR", "USD"])
CLIENTS = ["C1", "C2"]
clients = st.sampled_from(CLIENTS)
names = st.sampled_from(["eve", "kim", None])
ITEMS = [{"product": "lamp", "quantity": "1"}]


class Funnel(RuleBasedStateMachine):
    """``told`` are answers that were given as known at a position: they must stay."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.rules = Rules()
        self.told: list[tuple[int, Any, tuple[date, date], list[Any]]] = []

    @initialize()
    def begin(self) -> None:
        scene.begin()
        self.books.wipe()
        for client in CLIENTS:
            given(command("client.register", "2026-01-01", client=client, name="Anna"))
        listed = [
            {"stage": stage, "name": f"Stage {stage}", "probability": str(PROBABILITY[stage]), "requires": needed}
            for stage, needed in REQUIRES.items()
        ]
        for policy in POLICIES:
            given(command("pipeline.define", pipeline=policy, policy=policy, stages=listed))

    @rule(
        deal=deals,
        at=moments,
        pipeline=st.sampled_from(list(POLICIES)),
        client=clients,
        stage=st.sampled_from(["A", "A", "B", "C"]),
        money=st.none() | st.tuples(amounts, currencies),
        owner=names,
        source=st.sampled_from(["fair", None]),
        items=st.sampled_from([None, ITEMS]),
    )
    def open(self, deal: str, at: datetime, money: tuple[Decimal, str] | None, **told: Any) -> None:
        amount, currency = money or (None, None)
        self.ask("open", deal, at, amount=amount, currency=currency, **told)

    @rule(deal=deals, at=moments, stage=stages)
    def move(self, deal: str, at: datetime, stage: str) -> None:
        self.ask("move", deal, at, stage=stage)

    @rule(deal=deals, at=moments)
    def win(self, deal: str, at: datetime) -> None:
        self.ask("win", deal, at)

    @rule(deal=deals, at=moments, reason=st.sampled_from(["price", "time"]))
    def lose(self, deal: str, at: datetime, reason: str) -> None:
        self.ask("lose", deal, at, reason=reason)

    @rule(deal=deals, at=moments, stage=stages)
    def reopen(self, deal: str, at: datetime, stage: str) -> None:
        self.ask("reopen", deal, at, stage=stage)

    @rule(deal=deals, at=moments, amount=amounts, currency=currencies)
    def estimate(self, deal: str, at: datetime, amount: Decimal, currency: str) -> None:
        self.ask("estimate", deal, at, amount=amount, currency=currency)

    @rule(deal=deals, at=moments, owner=st.sampled_from(["eve", "kim"]))
    def assign(self, deal: str, at: datetime, owner: str) -> None:
        self.ask("assign", deal, at, owner=owner)

    @rule(deal=deals, at=moments)
    def specify(self, deal: str, at: datetime) -> None:
        self.ask("specify", deal, at, items=ITEMS)

    @rule(client=clients, at=moments, kind=st.sampled_from(["call", "email"]), source=names)
    def touch(self, client: str, at: datetime, **told: str | None) -> None:
        fields = {name: cell for name, cell in told.items() if cell}
        given(command("interaction.log", at.isoformat(), client=client, **fields))
        self.rules.accept(len(scene.book()), "touch", client, at, told)

    @rule(client=clients, at=moments, segment=st.sampled_from(["retail", "trade", None]))
    def belong(self, client: str, at: datetime, segment: str | None) -> None:
        given(command("client.change", at.isoformat(), client=client, attributes={"segment": segment}))
        self.rules.accept(len(scene.book()), "belong", client, at, {"segment": segment})

    @rule(as_of=moments | days, back=st.integers(0, 12), period=st.tuples(days, days))
    def look(self, as_of: datetime | date, back: int, period: tuple[date, date]) -> None:
        known_at = max(len(scene.book()) - back, len(CLIENTS) + len(POLICIES))
        first, last = min(period), max(period)
        self.books.project(entered(scene.book()))
        self.told.append((known_at, as_of, (first, last), self.agree(as_of, known_at, (first, last))))

    def teardown(self) -> None:
        if scene.book():
            self.books.project(entered(scene.book()))
            self.agree(EVER, len(scene.book()), (date(2026, 4, 1), date(2026, 6, 1)))
            for known_at, as_of, period, answers in self.told:
                assert self.answers(as_of, known_at, period) == answers

    def ask(self, what: str, deal: str, at: datetime, **told: Any) -> None:
        """It is refused, or happens, as the model says; refused, nothing is appended."""
        fields = {name: str(cell) if name == "amount" else cell for name, cell in told.items() if cell is not None}
        expected = self.rules.refusal(what, deal, at, told)
        before = len(scene.book())
        [outcome] = when(command(f"deal.{what}", at.isoformat(), deal=deal, **fields))
        code = None if isinstance(outcome, Accepted) else outcome.refusal.code
        assert code == expected
        assert len(scene.book()) == before + (expected is None)
        if expected is None:
            self.rules.accept(len(scene.book()), what, deal, at, told)

    def agree(self, as_of: datetime | date, known_at: int, period: tuple[date, date]) -> list[Any]:
        """Every figure of every pipeline is the model's; and what came in less what went out is what stands there."""
        moment = end_of(as_of, ZoneInfo("UTC"))
        expected = []
        for pipeline in POLICIES:
            figures = Figures.seen(pipeline, self.rules.facts, moment, known_at)
            of = {"pipeline": pipeline, "currency": "EUR"}
            expected += [
                {**of, **figures.snapshot()},
                {**of, "groups": figures.groups()},
                {"pipeline": pipeline, **figures.cohort(*period)},
                {"pipeline": pipeline, **figures.win_rate(*period)},
                figures.losses(*period),
                figures.transitions(),
                figures.transitions(*period),
                figures.durations(),
                {"pipeline": pipeline, **figures.cycle(*period)},
                *(
                    figures.attribution(*period, until, method)
                    for until in ("opening", "winning")
                    for method in ("first", "last", "linear")
                ),
            ]
        found = self.answers(as_of, known_at, period)
        assert found == expected
        for snapshot, transitions in zip(found[::15], found[5::15], strict=True):
            for stage in snapshot["stages"]:
                came = sum(row["deals"] for row in transitions if row["to"] == stage["stage"])
                went = sum(row["deals"] for row in transitions if row["from"] == stage["stage"])
                assert came - went == stage["deals"]
        return found

    def answers(self, as_of: datetime | date, known_at: int, period: tuple[date, date]) -> list[Any]:
        found: list[Any] = []
        for pipeline in POLICIES:
            of = {"pipeline": pipeline, "as_of": as_of, "known_at": known_at}
            opened = dict(zip(("opened_from", "opened_to"), period, strict=True))
            closed = dict(zip(("closed_from", "closed_to"), period, strict=True))
            found += [
                self.books.body("/v1/funnel/snapshot", **of),
                self.books.body("/v1/funnel/snapshot", **of, group_by="owner,source,segment"),
                self.books.body("/v1/funnel/cohort", **of, **opened),
                self.books.body("/v1/funnel/win-rate", **of, **closed),
                self.rows("losses", **of, **closed),
                self.rows("transitions", **of),
                self.rows("transitions", **of, **opened),
                self.rows("durations", **of),
                self.books.body("/v1/funnel/cycle", **of, **closed),
                *(
                    self.rows("attribution", **of, **closed, until=until, method=method)
                    for until in ("opening", "winning")
                    for method in ("first", "last", "linear")
                ),
            ]
        return found

    def rows(self, figure: str, **parameters: object) -> list[dict[str, Any]]:
        rows = self.books.items(f"/v1/funnel/{figure}", **parameters)
        return [{name: cell for name, cell in row.items() if name != "line"} for row in rows]


def test_rules_and_figures_are_those_of_the_slow_model(books: Books) -> None:
    run_state_machine_as_test(
        lambda: Funnel(books),  # type: ignore[arg-type, return-value]
        settings=settings(settings.get_profile("grossbuch"), max_examples=40, stateful_step_count=40),
    )
