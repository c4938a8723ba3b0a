"""A shape's SQL: the templates of ``shapes/``, filled in with a declaration's columns."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from infra.postgres.connection import read_sql
from projections.shapes import Card, Fact, History, Register, Shape

SHAPES = Path(__file__).with_name("shapes")
SIDES = (("was", "before"), ("is", "after"))

LAYOUTS: Mapping[type[Shape], int] = {Register: 5, History: 1, Card: 6}
"""One count for all: a shape whose tables are laid out anew gets the next number that none of them has had."""

LATE: Mapping[type[Shape], tuple[str, ...]] = {
    Register: ("4_detached", "5_whole", "6_between", "7_balances", "9_flows"),
    Card: ("3_cards",),
}
"""What an earlier layout lacks is made of these, and what it has is left to the release that made it."""


def log_table(shape: Shape) -> str:
    """The table that a shape's rows are copied into."""
    return shape.name + {Register: "_movement", History: "", Card: "_version"}[type(shape)]


def create_statements(shape: Shape, time_zone: str, read_schema: str) -> list[str]:
    return _fill(shape, sorted(_folder(shape).glob("[1-9]_*.sql")), time_zone, read_schema)


def drop_statements(shape: Shape) -> list[str]:
    return _fill(shape, sorted(_folder(shape).glob("0_*.sql")))


def late_statements(shape: Shape, time_zone: str, read_schema: str) -> list[str]:
    """Those of the statements that make what the tables of an earlier layout lack to be asked like these."""
    wanted = LATE.get(type(shape), ())
    files = [file for file in sorted(_folder(shape).glob("[1-9]_*.sql")) if file.stem in wanted]
    return _fill(shape, files, time_zone, read_schema)


def late_names(shape: Shape) -> list[str]:
    """What they make."""
    return [shape.name + file.partition("_")[1] + file.partition("_")[2] for file in LATE.get(type(shape), ())]


def layout(shapes: Iterable[Shape]) -> int:
    """How the tables of these are laid out: another number, and they are to be filled anew."""
    return max(LAYOUTS[type(shape)] for shape in shapes)


@cache
def fold_statements(shape: Shape) -> list[str]:
    """What brings sums and latest facts up to date after rows were copied; takes their ``first`` and ``last`` position,
    their ``least`` and ``greatest`` time, and ``found``, the first column of what the one before gave."""
    return _fill(shape, sorted(_folder(shape).glob("fold/*.sql")))


def filled(shape: Shape, files: Iterable[Path]) -> list[str]:
    """Templates of others, with a shape's names in them."""
    return _fill(shape, list(files))


@cache
def diff_statement(shape: Shape) -> str:
    """What its cells were and are as of a ``moment``, where that differs: known at ``before`` and at ``after``."""
    [statement] = _fill(shape, [_folder(shape) / "diff.sql"])
    return statement


@cache
def lacking_statement(register: Register) -> str:
    """How many cells of a ``month``, from ``starts`` to ``ends``, have turnovers that its movements do not make."""
    [statement] = _fill(register, [_folder(register) / "lacking.sql"])
    return statement


def _folder(shape: Shape) -> Path:
    return SHAPES / type(shape).__name__.lower()


def _fill(shape: Shape, files: list[Path], time_zone: str = "UTC", read_schema: str = "") -> list[str]:
    names = {
        "name": shape.name,
        "read_schema": read_schema,
        "log": log_table(shape),
        "time_zone": _literal(time_zone),
        "first": next(iter(shape.columns)),
        "columns": _each(", ", shape.columns, lambda column: f"{column} {_type(shape, column)}"),
        **_own_names(shape),
    }
    statements = [read_sql(file) for file in files]
    for name, value in names.items():
        statements = [sql.replace(f"{{{name}}}", value) for sql in statements]
    return statements


def _own_names(shape: Shape) -> dict[str, str]:
    match shape:
        case Register():
            return {**_register_names(shape), **_known_balances(shape)}
        case History():
            return {"named_states": _each(", ", shape.states, lambda s: f"'{s}', {s}::text")}
        case Card():
            return {"key": shape.key, **_flat(shape)}
    raise TypeError(shape.name)


def _flat(card: Card) -> dict[str, str]:
    return {
        "flat": "".join(f"{_column(fact)} AS {name}, " for name, fact in card.named_facts()),
        "flat_comments": "".join(
            f"COMMENT ON COLUMN {card.name}s.{name} IS {_literal(fact.meaning)};\n" for name, fact in card.named_facts()
        ),
    }


def _column(fact: Fact) -> str:
    if fact.pieces:
        prefix = f"{fact.pieces}."
        of_it = f"starts_with(k, '{prefix}') AND v <> 'null'"
        put_together = f"jsonb_object_agg(substr(k, {len(prefix) + 1}), v) FILTER (WHERE {of_it})"
        return f"(SELECT coalesce({put_together}, '{{}}') FROM jsonb_each(facts) AS e (k, v))"
    path = f"'{{{','.join(fact.path)}}}'"
    return f"facts #> {path}" if fact.type == "jsonb" else f"(facts #>> {path})::{fact.type}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _known_balances(shape: Register) -> dict[str, str]:
    known = [(r, side, at) for r in shape.resources for side, at in SIDES]
    return {
        "named_dimensions": _each(", ", shape.dimensions, lambda d: f"'{d}', {d}"),
        "known_sums": ", ".join(
            f"coalesce(sum({r}) FILTER (WHERE position <= %({at})s), 0) AS {side}_{r}" for r, side, at in known
        ),
        "known_figures": _each(", ", shape.resources, lambda r: f"('{r}', was_{r}, is_{r})"),
    }


def _register_names(shape: Register) -> dict[str, str]:
    dimensions, resources = shape.dimensions, shape.resources
    flows = [flow for r in resources for flow in (f"{r}_in", f"{r}_out")]
    split = [part for r in resources for part in (f"greatest({r}, 0)", f"greatest(-{r}, 0)")]
    return {
        "dimensions": ", ".join(dimensions),
        "resources": ", ".join(resources),
        "flows": ", ".join(flows),
        "split": ", ".join(split),
        "dimension_columns": _each(", ", dimensions, lambda d: f"{d} {_type(shape, d)}"),
        "resource_columns": _each(", ", resources, lambda r: f"{r} numeric NOT NULL"),
        "turnover_columns": _each(", ", flows, lambda f: f"{f} numeric NOT NULL"),
        "flow_columns": _each(", ", flows, lambda f: f"{f} numeric"),
        "sums": _each(", ", resources, lambda r: f"sum({r}) AS {r}"),
        "flow_sums": _each(", ", flows, lambda f: f"sum({f})"),
        "split_sums": _each(", ", split, lambda part: f"sum({part})"),
        "named_split_sums": ", ".join(f"sum({part}) AS {flow}" for flow, part in zip(flows, split, strict=True)),
        "negated": _each(", ", resources, lambda r: f"-{r}"),
        "net_sums": _each(", ", resources, lambda r: f"sum({r}_in - {r}_out)"),
        "nets": _each(", ", resources, lambda r: f"{r}_in - {r}_out"),
        "additions": _each(", ", resources, lambda r: f"{r} = t.{r} + excluded.{r}"),
        "flow_additions": _each(", ", flows, lambda f: f"{f} = t.{f} + excluded.{f}"),
        "negated_split": _each(", ", split, lambda part: f"-{part}"),
        "flows_unsettled": _each(" OR ", flows, lambda f: f"sum({f}) <> 0"),
        "all_zero": _each(" AND ", resources, lambda r: f"t.{r} = 0"),
        "cell": _each(", ", dimensions, lambda d: f"'{d}', {d}"),
        "wrong_dimensions": _each(", ", dimensions, lambda d: f"wrong.{d}"),
        "figures": _each(", ", resources, lambda r: f"('{r}', {r})"),
        "flow_figures": _each(", ", flows, lambda f: f"('{f}', {f})"),
    }


def _each(separator: str, names: Iterable[str], of: Callable[[str], str]) -> str:
    return separator.join(of(name) for name in names)


def _type(shape: Shape, column: str) -> str:
    type = shape.columns[column]
    return f'{type} COLLATE "C"' if type == "text" else type
