"""``grossbuch check``: whether the read models hold what they must, cell by cell, while everything runs."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any

import typer

from api.cli import options
from api.cli.terminal import out, progress, result, say
from api.service import Opening, open_service
from infra.postgres.checks import Checks, Report, as_json, invariants
from infra.postgres.refold import refold
from projections.projection import Projection


def check(
    names: options.Names = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="And every row to the events, which are folded once more")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Violations to tell of an invariant")] = 20,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Check the invariants of the book and of all read models, or of those named. Nobody waits. Status 3 if one is
    broken."""
    chosen = options.projections(names)
    with (
        open_service(options.settings(data), say, opening=Opening.FIND) as service,
        closing(Checks(service.pool.database)) as checks,
    ):
        reports = _checked(checks, chosen, most, shown=not as_json)
        if rebuild:
            refolded = _refolded(checks, chosen, service.queries.log_size(), most, shown=not as_json)
            reports = [report.followed_by(later) for report, later in zip(reports, refolded, strict=True)]
        if not names:
            reports = [checks.book(most), *reports]
    if as_json:
        result(_told(reports))
    else:
        _say(reports)
    if any(each.violations for each in reports):
        raise typer.Exit(3)


def _checked(checks: Checks, chosen: Sequence[Projection], most: int, *, shown: bool) -> Sequence[Report]:
    total = sum(len(invariants(projection)) for projection in chosen)
    with progress("Checking", total, shown=shown) as advance:
        return [checks.run(projection, most, advance) for projection in chosen]


def _refolded(checks: Checks, chosen: Sequence[Projection], size: int, most: int, *, shown: bool) -> Sequence[Report]:
    with progress("Folding again", size * len(chosen), shown=shown) as advance:
        return [refold(checks, projection, most, lambda passed, _: advance(passed)) for projection in chosen]


def _told(reports: Sequence[Report]) -> dict[str, Any]:
    checked = [
        {
            "projection": report.projection,
            "position": report.position,
            "violated": report.violated,
            "seconds": round(report.seconds, 3),
        }
        for report in reports
    ]
    violations = [as_json(each) for report in reports for each in report.violations]
    return {"checked": checked, "violations": violations}


def _say(reports: Sequence[Report]) -> None:
    for report in reports:
        if not report.checked:
            said = "not checked: another version of it is read, until this one is filled"
        else:
            broken = sum(report.violated.values())
            said = f"{len(report.checked)} invariants, {f'{broken} violations' if broken else 'all hold'}"
        out.print(f"{report.projection}, position {report.position}: {said}", markup=False)
    for violation in (each for report in reports for each in report.violations):
        out.print(f"  {violation.sentence}", markup=False, soft_wrap=True)
