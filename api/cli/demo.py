"""``grossbuch demo``: a few weeks of real retail trade and a small wholesale company, shown as tables, then served."""

from typing import Annotated

import typer

from api.cli import importing, options
from api.cli.serve import listen
from api.cli.terminal import out, say, table
from api.querying import ask
from api.rendering import flat
from api.service import Opening, Service, open_service
from infra.sources.completejourney import CompleteJourney
from infra.sources.source import DERIVED
from infra.sources.wholesale import Wholesale
from projections import QUERIES

WEEKS = 3

SHOWN = (
    ("The campaign funnel", "/v1/funnel/snapshot", {"pipeline": "campaign", "as_of": "2017-03-31"}, "stages"),
    ("The wholesale funnel", "/v1/funnel/snapshot", {"pipeline": "wholesale", "as_of": "2017-03-31"}, "stages"),
    (
        "Stock of the wholesale company, by product",
        "/v1/stock/balances",
        {"warehouse": "w-north", "limit": "10"},
        "items",
    ),
    (
        "Stock of a store in January",
        "/v1/stock/turnovers",
        {"warehouse": "store-367", "from": "2017-01-01", "to": "2017-01-31", "limit": "10"},
        "items",
    ),
    (
        "Receivables by age on 31 March 2017",
        "/v1/receivables/ageing",
        {"as_of": "2017-03-31", "currency": "EUR", "limit": "30"},
        "items",
    ),
)


def demo(
    data: options.Data = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, show_default="8420")] = None,
    full: Annotated[bool, typer.Option("--full", help="The whole retail year")] = False,
    stay: Annotated[bool, typer.Option(help="Go on serving")] = True,
) -> None:
    """Import real trade, print funnel, stock and ageing, and go on serving them."""
    settings = options.settings(data, port=port)
    with open_service(settings, say, opening=Opening.MAKE) as service:
        for source in (Wholesale(), CompleteJourney(None if full else WEEKS)):
            importing.send(service, source)
        importing.catch_up(service)
        for title, path, parameters, what in SHOWN:
            show(service, title, path, parameters, what)
        out.print(
            f"Opening stock of the retail data is derived: the document {DERIVED!r} marks it. "
            "Ids and dates of the data are real.",
            markup=False,
        )
        if stay:
            service.projecting.start()
            listen(service)


def show(service: Service, title: str, path: str, parameters: dict[str, str], what: str) -> None:
    """The same question and answer as over HTTP, as a table, with the address that gives it."""
    query = next(query for query in QUERIES if query.path == path)
    found = ask(service.queries, service.ledger, query, query.parameters.model_validate(parameters))
    assert found
    rows = [flat(row) for row in (found.body[what] if found.items is None else found.items)]
    columns = [column for column in query.row.model_fields if any(row.get(column) is not None for row in rows)]
    table(title, columns, rows)
    if found.items is None:
        rest = {name: found.body[name] for name in ("won", "lost") if name in found.body}
        out.print("  " + "   ".join(f"{name}: {value['deals']} ({value['amount']})" for name, value in rest.items()))
    asked = "&".join(f"{name}={value}" for name, value in parameters.items())
    out.print(f"  http://{service.settings.host}:{service.settings.port}{path}?{asked}\n", markup=False, soft_wrap=True)
