"""README, tutorial and how-to pages are run as they stand: what they tell to type works, what they claim comes out."""

import ast
import csv
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from docs import pictures
from tests.e2e.api import Api
from tests.e2e.cli import run
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.serving import GROSSBUCH, Up

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```\n(.*?)(?=^ *```|\Z)", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^    (\{.*\})$", re.MULTILINE)
"""An answer shown in the text that follows a block: that of the block's last line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line to type, and the answer that the text shows, if it shows one."""

    text: str
    shown: str | None


def lines(page: Path) -> Iterator[Line]:
    for _, language, code, after in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "sh":
            *first, last = code.strip().splitlines()
            yield from (Line(text, None) for text in first)
            shown = SHOWN.search(after.partition("\n#")[0])
            yield Line(last, shown[1] if shown else None)


class Reader:
    """Types what a page says, in a book of its own, and keeps the answers."""

    def __init__(self, api: Api, directory: Path) -> None:
        self._api = api
        self._directory = directory
        self.answers: dict[str, str] = {}

    @property
    def address(self) -> str:
        return self._api.address

    def read(self, page: Path) -> None:
        for line in lines(page):
            answer = self.type(line.text)
            self.answers[line.text] = answer
            if line.text.startswith("curl"):
                check(line, answer)

    def type(self, text: str) -> str:
        """A machine that is busy takes longer than a query waits by itself; that it waits, test_fresh.py tells."""
        eventually(lambda: not any(each["behind_events"] for each in self._api.http.get("/v1/projections").json()))
        here = (
            text.replace("localhost:8420", self._api.address.removeprefix("http://"))
            .replace(".venv/bin/grossbuch", GROSSBUCH)
            .replace("/tmp/first-book", str(self._directory))
        )
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        done = subprocess.run(["bash", "-ec", here], capture_output=True, text=True, timeout=240, env=environment)
        assert done.returncode == 0, f"{text}: {done.stderr}"
        return done.stdout

    def answer(self, *words: str) -> str:
        """The answer to the one line that has all these words."""
        [found] = [answer for text, answer in self.answers.items() if all(word in text for word in words)]
        return found

    def json(self, *words: str) -> Any:
        return json.loads(self.answer(*words))


def check(line: Line, answer: str) -> None:
    if "format=csv" in line.text:
        assert len(answer.splitlines()) > 1, answer
        return
    found = json.loads(answer)
    if line.shown is None or '"code"' not in line.shown:
        assert "code" not in found, f"{line.text}: {answer}"
    if line.shown:
        shown = json.loads(re.sub(r", …\}$", "}", line.shown))
        assert as_shown({name: found[name] for name in shown}, shown) == shown


def as_shown(found: Any, shown: Any) -> Any:
    """What is found, with … where the page shows it."""
    match shown:
        case "…":
            return shown
        case dict() if found.keys() == shown.keys():
            return {name: as_shown(found[name], value) for name, value in shown.items()}
        case list() if len(found) == len(shown):
            return [as_shown(*pair) for pair in zip(found, shown, strict=True)]
    return found


@pytest.fixture
def reader(directory: Path, tmp_path: Path) -> Iterator[Reader]:
    up = Up("--data", str(directory), log=tmp_path / "log")
    with up.start() as api:
        yield Reader(api, directory)
    assert up.stop() == 0


def test_the_readme_s_first_command_and_first_query_work(reader: Reader) -> None:
    reader.read(ROOT / "README.md")
    [owed], [was], [known] = (
        reader.json("curl", f"client=C1{when}'")["items"] for when in ("", "&as_of=2026-06-15", "&known_at=2")
    )
    assert [each["balance"] for each in (owed, was, known)] == ["200.00", "300.00", "300.00"]
    assert was["d1_30"] == "300.00"


def test_the_tutorial_s_first_steps_lead_where_it_says(reader: Reader) -> None:
    reader.read(ROOT / "docs/tutorial/first-steps.md")
    assert standing(reader.json("/v1/funnel/snapshot?pipeline=sales'")) == {"lead": 0, "offer": 1}
    assert standing(reader.json("/v1/funnel/snapshot", "as_of=2026-05-05")) == {"lead": 1, "offer": 0}
    [lamps] = reader.json("/v1/stock/turnovers")["items"]
    assert [lamps[name] for name in ("opening", "received", "issued", "closing")] == ["0", "10", "4", "6"]
    refused = reader.json('"quantity": "7"')
    assert (refused["code"], refused["on"], refused["shortfall"]) == ("insufficient_stock", "2026-05-10", "1")
    [owed] = reader.json("/v1/receivables/ageing?as_of=2026-06-15'")["items"]
    assert (owed["d1_30"], owed["balance"]) == ("200.00", "200.00")
    [item] = csv.DictReader(StringIO(reader.answer("/v1/receivables/open-items")))
    assert (item["open"], item["overdue_days"]) == ("200.00", "5")
    [known] = reader.json("known_at=9")["items"]
    assert known["balance"] == "300.00"
    after = reader.json("/v1/audit/events?after=9")["items"]
    assert [event["type"] for event in after] == ["payment.received", "payment.allocated"]
    [again] = json.loads(reader.type("curl -s 'localhost:8420/v1/receivables/ageing?as_of=2026-06-15'"))["items"]
    assert again == owed


def test_figures_are_explained_as_the_page_says(reader: Reader) -> None:
    page = ROOT / "docs/how-to/ask-why.md"
    reader.read(page)
    shown = [line.strip() for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("    ")]
    for answer in (reader.answer("explain '", "known_at=10"), reader.answer("explain '", "2026-05-31' on_hand")):
        told = [line.strip() for line in answer.splitlines() if line.strip()]
        assert all(line in shown for line in told), answer
    items = reader.json("explain", "d1_30")["items"]
    assert [(each["type"], each["contribution"]) for each in items] == [
        ("invoice.issued", "300.00"),
        ("payment.allocated", "-100.00"),
    ]
    rows = csv.DictReader(StringIO(reader.answer("format=csv")))
    assert sum(float(row["contribution"]) for row in rows) == 200


def test_a_month_is_closed_as_the_page_says(reader: Reader) -> None:
    reader.read(ROOT / "docs/how-to/close-a-month.md")
    owed = reader.json("/v1/receivables/ageing?as_of=2026-05-31'")["items"]
    assert [(row["d1_30"], row["over_90"]) for row in owed] == [("200.00", "0")]
    statement = reader.json("/v1/receivables/statement")
    assert (statement["opening"], statement["closing"]) == ("0", "200.00")
    [lamps] = csv.DictReader(StringIO(reader.answer("/v1/stock/balances")))
    assert lamps["on_hand"] == "6"
    movements = csv.DictReader(StringIO(reader.answer("/v1/stock/movements")))
    assert [(row["reason"], row["quantity"]) for row in movements] == [("", "10"), ("", "-4"), ("count", "-1")]
    assert reader.json("ageing", "client=C2")["items"] == []
    [turnover] = reader.json("/v1/stock/turnovers")["items"]
    assert turnover["closing"] == "4"
    [later] = json.loads(reader.type("curl -s 'localhost:8420/v1/receivables/ageing?as_of=2026-06-01'"))["items"]
    assert later["balance"] == "210.00"


def test_the_reason_of_a_refusal_is_found_where_the_page_says(reader: Reader) -> None:
    reader.read(ROOT / "docs/how-to/find-out-why-a-command-was-refused.md")
    [there] = reader.json("/v1/stock/balances")["items"]
    assert there["on_hand"] == "2"
    [shipment] = reader.json("/v1/stock/movements")["items"]
    assert (shipment["document"], shipment["quantity"]) == ("S1", "-8")
    assert reader.json("dry_run=true")["position"] is None
    assert [event["type"] for event in reader.json("/v1/audit/events")["items"]] == ["client.registered"]


def test_the_past_is_as_the_page_and_its_pictures_say(reader: Reader) -> None:
    reader.read(ROOT / "docs/how-to/ask-about-the-past.md")
    then, now = (reader.json("/v1/stock/balances", f"known_at={position}") for position in (91178, 91180))
    assert (then["items"][0]["on_hand"], now["items"][0]["on_hand"]) == ("203", "234")
    restated = reader.json("/v1/stock/restatements")["items"]
    assert [(row["on"], row["was"], row["is"]) for row in restated] == [
        ("2017-01-03", "206", "197"),
        ("2017-01-05", "197", "237"),
    ]
    assert "add up to it exactly" in reader.answer("grossbuch explain")
    drawn = {path.name: path.read_text(encoding="utf-8") for path in pictures.PICTURES.iterdir()}
    pictures.main(reader.address)
    assert drawn == {path.name: path.read_text(encoding="utf-8") for path in pictures.PICTURES.iterdir()}


def statements(page: Path) -> Iterator[list[str]]:
    """Of each block of SQL."""
    for _, language, code, _ in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "sql":
            yield [text.strip() for text in re.sub(r"--.*", "", code).split(";") if text.strip()]


def test_each_question_in_sql_works_as_it_stands_for_somebody_who_is_a_reader_and_no_more(
    reader: Reader, directory: Path
) -> None:
    page = ROOT / "docs/how-to/query-in-sql.md"
    reader.read(ROOT / "docs/tutorial/first-steps.md")
    reader.read(page)
    assert "Cards client as of now" in reader.answer("dv+")
    assert next(csv.DictReader(StringIO(reader.answer("--csv"))))["client"] == "C1"
    asked, made = statements(page)
    with closing(psycopg2.connect(host=f"{directory}/run", user="grossbuch", dbname="grossbuch")) as administrator:
        administrator.cursor().execute("; ".join(made))
        administrator.commit()
    with closing(psycopg2.connect(host=f"{directory}/run", user="ann", dbname="grossbuch")) as ann:
        for question in asked:
            with ann.cursor() as cursor:
                cursor.execute(question)
                assert cursor.rowcount > 0, question


def test_a_ledger_is_run_on_your_postgresql_by_an_owner_who_may_make_no_roles(dsn: str, tmp_path: Path) -> None:
    given = next(statements(ROOT / "docs/how-to/run-on-your-postgresql.md"))
    for base, made in (("grossbuch", ["CREATE ROLE owner LOGIN", "CREATE DATABASE books"]), ("books", given)):
        with closing(psycopg2.connect(dsn, dbname=base)) as administrator:
            administrator.autocommit = True
            for statement in made:
                administrator.cursor().execute(statement)
    env = {"DATABASE_URL": make_dsn(dsn, user="owner", dbname="books"), "GROSSBUCH_LEDGER": "acme"}
    up = Up(log=tmp_path / "log", env=env)
    with up.start() as api:
        api.given(client())
        assert [row["client"] for row in api.rows("/v1/clients?min_position=1")] == ["C1"]
        run("rebuild", "--all", env=env)
        run("check", "--rebuild", env=env)
        run("sql", "--print", env=env)
    assert up.stop() == 0
    assert "error" not in (tmp_path / "log").read_text()


def standing(snapshot: dict[str, Any]) -> dict[str, int]:
    return {stage["stage"]: stage["deals"] for stage in snapshot["stages"]}


def test_make_has_every_target_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target for page in PAGES for target in re.findall(r"(?:^    |`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert named >= {"run", "test", "check", "install"}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_in_a_page_is_python(page: Path) -> None:
    for indent, language, code, _ in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            ast.parse(re.sub(f"^{indent}", "", code, flags=re.MULTILINE))
