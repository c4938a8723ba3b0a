"""The whole retail year through the book: events a second, and the importer's memory at a tenth and at the end."""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter

from api.cli.importing import catch_up, send
from api.service import Service, open_service
from bench import queries
from bench.measure import Row, server
from infra.postgres.connection import Database
from infra.settings import Settings
from infra.sources.completejourney import CompleteJourney
from infra.sources.source import Command, Totals


def main(weeks: int | None = None) -> list[Row]:
    with server() as dsn, open_service(Settings(DATABASE_URL=dsn, ledger="bench_retail")) as service:
        source = Watched(CompleteJourney(weeks))
        started = perf_counter()
        counts = Counter(send(service, source, shown=False))
        imported = perf_counter() - started
        assert not counts["refused"], counts
        started = perf_counter()
        catch_up(service, shown=False)
        projected = perf_counter() - started
        events = service.queries.log_size()
        check(service, source)
        figures = queries.measure(service, Database(dsn, "bench_retail"), QUESTIONS, ids(service), "retail year")
        tenth, end = source.memory[0], source.memory[-1]
        return [
            Row("retail year imported: events/s", f"{events / imported:,.0f}", f"{events:,} events", "", "stated"),
            Row("retail year projected into all read models: events/s", f"{events / projected:,.0f}", "", "", "stated"),
            Row(
                "memory of the importing process, end against a tenth",
                f"{end:.0f} MB",
                f"{tenth:.0f} MB",
                f"{end / tenth:.2f}",
                "1.2",
            ),
            *figures,
        ]


QUARTER = {"from": "2017-04-10", "to": "2017-07-05"}
QUESTIONS: tuple[queries.Question, ...] = (
    ("/v1/funnel/snapshot", {"pipeline": "{pipeline}"}),
    ("/v1/funnel/cohort", {"pipeline": "{pipeline}", "opened_from": "2017-01-01", "opened_to": "2017-12-31"}),
    ("/v1/funnel/durations", {"pipeline": "{pipeline}"}),
    ("/v1/stock/balances", {"product": "{product}"}),
    ("/v1/stock/turnovers", {"product": "{product}", **QUARTER}),
    ("/v1/receivables/ageing", {"client": "{client}"}),
    ("/v1/receivables/ageing", {"client": "{client}", "as_of": "2017-06-30"}),
    ("/v1/receivables/statement", {"client": "{client}", **QUARTER}),
    ("/v1/clients/{client}/timeline", {"client": "{client}", "limit": "50"}),
)


def ids(service: Service) -> dict[str, list[str]]:
    """Some of those that there are."""
    with service.queries.moment() as answering:
        return {
            kind: [row["key"] for row in answering.rows(f"SELECT key FROM {kind} ORDER BY md5(key) LIMIT 500", {})]
            for kind in ("client", "product", "pipeline")
        }


class Watched:
    """A source that notes the resident memory after each tenth of its commands."""

    name = title = "completejourney"

    def __init__(self, source: CompleteJourney) -> None:
        self.source = source
        self.memory: list[float] = []

    def count(self) -> int:
        return self.source.count()

    def totals(self) -> Totals:
        return self.source.totals()

    def commands(self) -> Iterator[Command]:
        commands = self.source.commands()
        tenth = self.count() // 10
        for _ in range(10):
            yield from islice(commands, tenth)
            self.memory.append(resident())
        yield from commands


def resident() -> float:
    """Megabytes of this process that are in memory."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def check(service: Service, source: Watched) -> None:
    """The read models' totals are the file's, to the cent."""
    totals = source.source.totals()
    with service.queries.moment() as answering:
        [stock] = answering.rows(
            "SELECT sum(on_hand_in) AS received, sum(on_hand_out) AS issued FROM stock_turnover", {}
        )
        [money] = answering.rows(
            "SELECT sum(amount_in) FILTER (WHERE kind = 'invoice') AS invoiced,"
            " sum(amount_out) FILTER (WHERE kind = 'payment') AS paid FROM receivables_turnover",
            {},
        )
    assert stock == {"received": totals.received, "issued": totals.units}, (stock, totals)
    assert money == {"invoiced": totals.amount, "paid": totals.paid}, (money, totals)


if __name__ == "__main__":
    print(*main(int(sys.argv[1]) if len(sys.argv) > 1 else None), sep="\n")
