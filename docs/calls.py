"""What a command may record, and the codes it may be refused with, read off the code by following its calls.

A call leads to what its name stands for in its module, to a method of ``self``, or to each method of that name in the
modules that the command knows. So nothing is missed that the code says in so many words, and now and then a code is
named that only another command can meet.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from textwrap import dedent
from types import FunctionType, ModuleType

import commands
from commands.book import Book
from commands.command import Command
from domain.aggregate import Aggregate
from domain.event import Event
from domain.refusal import Refusal

ROOMS = ("domain", "commands")
ASIDE: set[type] = {Book, Command, Aggregate, Refusal}
"""What all commands have to do with; the book is told apart by its methods."""

COMMON = {"conflict", "invalid", "period_closed"}
"""Any command may be refused so."""


@dataclass(slots=True)
class Reach:
    events: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)


@cache
def reach(command: type[Command]) -> Reach:
    found = Reach()
    known = _known(inspect.getmodule(command))
    left: list[tuple[FunctionType, type | None]] = [*_method(command, "execute")]
    seen: set[object] = set()
    while left:
        function, owner = left.pop()
        if (function, owner) in seen:
            continue
        seen.add((function, owner))
        tree = ast.parse(dedent(inspect.getsource(function)))
        found.events |= {event.type for event in _made(tree, function)}
        for node in ast.walk(tree):
            for called, cls in _called(node, function, owner, known):
                left.append((called, cls))
                found.codes.update(_handed(node, called))
            found.codes.update(_refused(node, function))
    found.codes -= COMMON
    return found


def _called(
    node: ast.AST, function: FunctionType, owner: type | None, known: list[type]
) -> Iterator[tuple[FunctionType, type | None]]:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            called = function.__globals__.get(name)
            if isinstance(called, FunctionType) and _ours(called):
                yield called, None
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if owner:
            yield from _method(owner, name)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if not _is(value, "book"):
            named = function.__globals__.get(value.id) if isinstance(value, ast.Name) else None
            for cls in [named] if isinstance(named, type) else known:
                yield from _method(cls, name)


def _refused(node: ast.AST, function: FunctionType) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=code), *_]):
            if function.__globals__.get(name) is Refusal:
                yield str(code)
        case ast.Call(func=ast.Attribute(value=value, attr=method), args=args, keywords=keywords):
            if _is(value, "book") and method in ("get", "owner"):
                yield "not_found"
            claims = len(args) > 2 or any(each.arg == "claims" for each in keywords)
            if _is(value, "book") and method == "record" and claims:
                yield "already_exists"


def _handed(node: ast.AST, called: FunctionType) -> Iterator[str]:
    """A code that the caller chooses."""
    parameters = [name for name in inspect.signature(called).parameters if name != "self"]
    if isinstance(node, ast.Call):
        for name, value in zip(parameters, node.args, strict=False):
            if name == "code" and isinstance(value, ast.Constant):
                yield str(value.value)


def _made(tree: ast.AST, function: FunctionType) -> Iterator[type[Event]]:
    """Event types that are named, other than to say what something is."""
    told: set[int] = set()
    for node in ast.walk(tree):
        for part in (
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            node.cls if isinstance(node, ast.MatchClass) else None,
            node if isinstance(node, ast.Call) and _is(node.func, "isinstance") else None,
        ):
            told |= {id(each) for each in ast.walk(part)} if part else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in told:
            named = function.__globals__.get(node.id)
            if isinstance(named, type) and issubclass(named, Event):
                yield named


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _method(cls: type, name: str) -> Iterator[tuple[FunctionType, type]]:
    method: object = inspect.getattr_static(cls, name, None)
    method = getattr(method, "__func__", None) or getattr(method, "fget", None) or method
    if isinstance(method, FunctionType) and _ours(method) and name not in ("evolve", "after"):
        yield method, cls


def _ours(function: FunctionType) -> bool:
    return function.__module__.partition(".")[0] in ROOMS


def _known(module: ModuleType | None) -> list[type]:
    """The domain's classes in the modules that this one has names of, and that these have names of."""
    modules: set[ModuleType] = set()
    left = [module]
    while left:
        if (each := left.pop()) and each not in modules and each.__name__.partition(".")[0] in ROOMS:
            modules.add(each)
            left += map(inspect.getmodule, vars(each).values())
    classes = [cls for each in modules for cls in vars(each).values() if isinstance(cls, type)]
    mine = {cls for cls in classes if cls.__module__.startswith("domain.") and not issubclass(cls, Event)} - ASIDE
    return sorted(mine, key=lambda cls: (cls.__module__, cls.__qualname__))


def made(command: type[Command]) -> set[str]:
    """The fields whose id is made if it is missing."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(dedent(inspect.getsource(command.execute)))):
        match node:
            case ast.BoolOp(values=[ast.Attribute(attr=name), ast.Call(func=ast.Attribute(attr="new_id"))]):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr="begin_new"), args=[_, ast.Attribute(attr=name)]):
                found.add(name)
    return found


@cache
def streams() -> dict[str, tuple[type[Aggregate], ...]]:
    """The aggregates that record an event type: those that change by it, else those that decide on it."""
    changed: dict[str, set[type[Aggregate]]] = {}
    decided: dict[str, set[type[Aggregate]]] = {}
    for cls in _known(commands):
        if issubclass(cls, Aggregate):
            for name, method in vars(cls).items():
                if isinstance(method, FunctionType):
                    _note(cls, method, changed if name == "evolve" else decided)
    types = sorted(changed.keys() | decided.keys())
    return {type: tuple(sorted(changed.get(type) or decided[type], key=lambda cls: cls.kind)) for type in types}


def _note(cls: type[Aggregate], method: FunctionType, types: dict[str, set[type[Aggregate]]]) -> None:
    for node in ast.walk(ast.parse(dedent(inspect.getsource(method)))):
        if isinstance(node, ast.Name):
            named = method.__globals__.get(node.id)
            if isinstance(named, type) and issubclass(named, Event) and named is not Event:
                types.setdefault(named.type, set()).add(cls)
