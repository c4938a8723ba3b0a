"""Which cells of read models differ between what was known at one position and at another, as of a moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from infra.postgres.queries import Queries
from infra.postgres.shape_sql import diff_statement, log_table
from projections.projection import Projection

States = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Changed:
    """A figure of a register's row, a fact of a thing, or a history's row by its type. None: it was not told."""

    projection: str
    table: str
    cell: Mapping[str, str | int | None]
    figure: str
    was: str | States | None
    is_: str | States | None


def changes(
    queries: Queries, projections: Sequence[Projection], before: int, after: int, moment: datetime
) -> Iterator[Changed]:
    """In the order of the projections' shapes and of their cells. Refusal ``behind`` if one of the projections has not
    got as far as both positions; ``detached`` if a month is that would have to be looked at."""
    for projection in projections:
        progress = queries.progress(projection.name)
        if progress.position < max(before, after):
            raise progress.behind(max(before, after))
    logs = [log_table(shape) for projection in projections for shape in projection.shapes]
    given = {"before": before, "after": after, "moment": moment}
    with queries.moment(logs) as answering:
        for projection in projections:
            for shape in projection.shapes:
                for row in answering.rows(diff_statement(shape), given):
                    yield Changed(projection.name, shape.name, row["cell"], row["figure"], row["was"], row["is"])
