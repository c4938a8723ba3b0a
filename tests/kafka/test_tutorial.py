"""The tutorial's chapter on the stream, typed as it stands: what it says comes out."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.broker import Broker
from infra.kafka.ports import free_port
from tests.e2e.serving import GROSSBUCH
from tests.e2e.test_docs import FENCE

PAGE = Path(__file__).parents[2] / "docs/tutorial/the-stream.md"


@pytest.fixture
def script(broker: Broker, directory: Path, tmp_path: Path) -> str:
    """All that is to be typed, on the tests' broker instead of one of its own, and in places of its own."""
    text = "\n".join(
        code for _, language, code, _ in FENCE.findall(PAGE.read_text(encoding="utf-8")) if language == "sh"
    )
    ours = {
        "make kafka-stop": "true",
        "make kafka": "true",
        "localhost:9092": broker.bootstrap,
        "8421": str(free_port()),
        ".venv/bin/grossbuch": GROSSBUCH,
        "/tmp/stream-book": str(directory),
        "/tmp/": f"{tmp_path}/",
    }
    return re.sub("|".join(ours), lambda found: ours[found[0]], text)


@pytest.fixture
def typed(script: str, tmp_path: Path) -> Iterator[str]:
    """What is shown on the terminal. Whatever was left running is ended."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["GROSSBUCH_LEDGER"] = f"tutorial{os.getpid()}"
    process = subprocess.Popen(
        ["bash", "-c", f"set -mex\n{script}"],
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "trace").open("wb"),
        env=environment,
        start_new_session=True,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=150)
        assert process.returncode == 0, (tmp_path / "trace").read_text()[-2_000:]
        yield said
    finally:
        left = subprocess.run(["pgrep", "-s", str(process.pid)], capture_output=True, text=True)
        for pid in left.stdout.split():
            os.kill(int(pid), signal.SIGKILL)


def test_two_consumers_share_the_work_and_one_takes_over(typed: str, tmp_path: Path) -> None:
    assert '"name":"Anna Schmidt GmbH"' in typed
    assert re.search(r"events\.[0-9a-f-]{36}\.stock\.\d+ +partitions=0-5\b|partitions=0-5 ", typed)
    assert re.search(r"partitions=6-11", typed)
    assert '"name":"Bernd Maier KG"' in typed
    before, after = (json.loads((tmp_path / f"{when}.json").read_text())["items"] for when in ("before", "after"))
    assert before == after != []
