"""Any commands on deals, backdated and refused ones among them: rules and figures are those of the slow model."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from commands.bus import Accepted
from tests.properties.books import Books, entered
from tests.properties.funnel_model import POLICIES, PROBABILITY, REQUIRES, STAGES, Figures, Rules
from tests.properties.moments import end_of
from tests.unit import given as scene
from tests.unit.given import command, given, when

FIRST = datetime(2026, 5, 1, tzinfo=UTC)
EVER = datetime(2027, 1, 1, tzinfo=UTC)
ALL = (date(2026, 1, 1), date(2027, 1, 1))

deals = st.sampled_from(["D1", "D2", "D3", "D1", "D2", "D3", "D4"])
stages = st.sampled_from(STAGES)
moments = st.integers(0, 9).map(lambda n: FIRST + timedelta(hours=n * 7, seconds=n % 3))
#: Often such as are so long after the deal's last step: others are mostly out of order.
since = st.sampled_from([timedelta(hours=hours, seconds=hours % 3) for hours in (0, 0, 7, 31, 72)])
times = st.one_of(since, since, moments)
days = st.dates(date(2026, 4, 30), date(2026, 5, 12))
money = st.tuples(st.decimals("0.00", "99.99", places=2), st.sampled_from(["EUR", "EUR", "USD"]))
CLIENTS = ["C1", "C2"]
clients = st.sampled_from(CLIENTS)
names = st.sampled_from(["eve", "kim", None])
ITEMS = [{"product": "lamp", "quantity": "1"}]
Time = datetime | timedelta
Told = dict[str, Any]
Change = tuple[str, str, Time, Told]


@st.composite
def openings(draw: st.DrawFn) -> Told:
    amount, currency = draw(money) if draw(st.booleans()) else (None, None)
    return {
        "pipeline": draw(st.sampled_from(["free", *POLICIES])),
        "client": draw(clients),
        "stage": draw(st.sampled_from(["A", "A", "A", "B", "C"])),
        "amount": amount,
        "currency": currency,
        "owner": draw(names),
        "source": draw(st.sampled_from(["fair", None])),
        "items": draw(st.sampled_from([None, ITEMS])),
    }


TOLD: dict[str, st.SearchStrategy[Told]] = {
    "open": openings(),
    "move": st.fixed_dictionaries({"stage": stages}),
    "win": st.just({}),
    "lose": st.fixed_dictionaries({"reason": st.sampled_from(["price", "time"])}),
    "reopen": st.fixed_dictionaries({"stage": stages}),
    "estimate": money.map(lambda both: {"amount": both[0], "currency": both[1]}),
    "assign": st.fixed_dictionaries({"owner": st.sampled_from(["eve", "kim"])}),
    "specify": st.just({"items": ITEMS}),
    "touch": st.fixed_dictionaries({"kind": st.sampled_from(["call", "email"]), "source": names}),
    "belong": st.fixed_dictionaries({"segment": st.sampled_from(["retail", "trade", None])}),
}


@st.composite
def changes(draw: st.DrawFn) -> Change:
    what = draw(st.sampled_from([*TOLD, *["move", "win", "lose", "reopen", "estimate", "touch"] * 2, "move", "move"]))
    about = draw(clients if what in ("touch", "belong") else deals)
    return what, about, draw(times), draw(TOLD[what])


class Funnel(RuleBasedStateMachine):
    """``told`` are answers that were given as known at a position: they must stay."""

    def __init__(self, books: Books) -> None:
        super().__init__()
        self.books = books
        self.rules = Rules()
        self.told: list[tuple[int, Any, tuple[date, date], list[Any]]] = []
        self.begin()

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

    @initialize(openings=st.tuples(*[st.tuples(moments, openings())] * 3))
    def open_some(self, openings: tuple[tuple[datetime, Told], ...]) -> None:
        for deal, (at, told) in zip(("D1", "D2", "D3"), openings, strict=True):
            self.ask("open", deal, at, **{**told, "stage": "A"})

    @rule(changes=st.lists(changes(), min_size=12, max_size=30))
    def change(self, changes: list[Change]) -> None:
        for what, about, at, told in changes:
            match what:
                case "touch":
                    self.happen("interaction.log", what, at, told, client=about)
                case "belong":
                    self.happen("client.change", what, at, {}, client=about, attributes=told)
                case _:
                    self.ask(what, about, at, **told)

    @rule(as_of=moments | days, back=st.integers(0, 12), period=st.tuples(days, days))
    def look(self, as_of: datetime | date, back: int, period: tuple[date, date]) -> None:
        known_at = max(len(scene.book()) - back, len(CLIENTS) + len(POLICIES))
        first, last = min(period), max(period)
        self.books.project(entered(scene.book()))
        self.told.append((known_at, as_of, (first, last), self.agree(as_of, known_at, (first, last))))

    def teardown(self) -> None:
        if scene.book():
            self.books.project(entered(scene.book()))
            self.agree(EVER, len(scene.book()), ALL)
            for known_at, as_of, period, answers in self.told:
                assert self.answers(as_of, known_at, period) == answers

    def time(self, deal: str, at: Time) -> datetime:
        steps = self.rules.of(deal, "open", "move", "win", "lose", "reopen")
        return at if isinstance(at, datetime) else at + (steps[-1].at if steps else FIRST)

    def happen(self, type: str, what: str, at: Time, told: Told, client: str, **more: Any) -> None:
        """What nothing forbids."""
        at = self.time("D1", at)
        fields = {name: cell for name, cell in told.items() if cell}
        given(command(type, at.isoformat(), client=client, **fields, **more))
        self.rules.accept(len(scene.book()), what, client, at, told or more["attributes"])

    def ask(self, what: str, deal: str, at: Time, **told: Any) -> None:
        """It is refused, or happens, as the model says; refused, nothing is appended."""
        at = self.time(deal, at)
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
        settings=settings(settings.get_profile("grossbuch"), max_examples=40, stateful_step_count=10),
    )
