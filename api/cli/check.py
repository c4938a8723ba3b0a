"""``grossbuch check``: whether the read models hold what they must, cell by cell, while everything runs."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any

import typer

from api.checking import rebuilt
from api.cli import options
from api.cli.terminal import out, progress, result, say
from api.service import Service, open_service
from infra.postgres.checks import Checks, Report, Violation, as_json, invariants
from projections.projection import Projection


def check(
    names: options.Names = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Fill them anew beside, compare, throw away")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Violations to tell of an invariant")] = 20,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Check the invariants of all read models, or of those named. Nobody waits. Status 3 if one is broken."""
    chosen = options.projections(names)
    with open_service(options.settings(data), say) as service:
        reports = _checked(service, chosen, most, shown=not as_json)
        differing = _rebuilt(service, chosen, most, shown=not as_json) if rebuild else []
    if as_json:
        result(_told(reports, differing))
    else:
        _say(reports, differing)
    if differing or any(each.violations for each in reports):
        raise typer.Exit(3)


def _checked(service: Service, chosen: Sequence[Projection], most: int, *, shown: bool) -> Sequence[Report]:
    total = sum(len(invariants(projection)) for projection in chosen)
    with closing(Checks(service.pool.database)) as checks, progress("Checking", total, shown=shown) as advance:
        return [checks.run(projection, most, advance) for projection in chosen]


def _rebuilt(service: Service, chosen: Sequence[Projection], most: int, *, shown: bool) -> Sequence[Violation]:
    size = service.queries.log_size()
    with progress("Filling anew", size * len(chosen), shown=shown) as advance:
        return rebuilt(service.pool.database, service.pool, chosen, size, most, advance)


def _told(reports: Sequence[Report], differing: Sequence[Violation]) -> dict[str, Any]:
    checked = [
        {
            "projection": report.projection,
            "position": report.position,
            "violated": report.violated,
            "seconds": round(report.seconds, 3),
        }
        for report in reports
    ]
    violations = [*(each for report in reports for each in report.violations), *differing]
    return {"checked": checked, "violations": [as_json(each) for each in violations]}


def _say(reports: Sequence[Report], differing: Sequence[Violation]) -> None:
    for report in reports:
        if not report.checked:
            said = "not checked: another version of it is read, until this one is filled"
        else:
            broken = sum(report.violated.values())
            said = f"{len(report.checked)} invariants, {f'{broken} violations' if broken else 'all hold'}"
        out.print(f"{report.projection}, position {report.position}: {said}", markup=False)
    for violation in [*(each for report in reports for each in report.violations), *differing]:
        out.print(f"  {violation.sentence}", markup=False, soft_wrap=True)
