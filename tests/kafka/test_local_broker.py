"""``make kafka`` and ``make kafka-stop``."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from infra.kafka.broker import Broker
from infra.kafka.ports import free_port


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / ".kafka"
    Broker(tmp_path / ".kafka").kill()


def local(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.kafka.local", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_runs_on_without_who_started_it_and_twice_is_as_good_as_once(directory: Path) -> None:
    port = str(free_port())
    first = local("start", "--directory", directory, "--port", port)
    export = f"export KAFKA_BOOTSTRAP=localhost:{port}"
    assert (first.returncode, first.stdout.splitlines()[-1]) == (0, export)
    with KafkaAdminClient(bootstrap_servers=f"localhost:{port}") as admin:
        cluster = admin.describe_cluster()["cluster_id"]

    again = local("start", "--directory", directory)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, export)

    assert "is stopped" in local("stop", "--directory", directory).stdout
    assert "No broker runs" in local("stop", "--directory", directory).stdout

    local("start", "--directory", directory, "--port", port)
    with KafkaAdminClient(bootstrap_servers=f"localhost:{port}") as admin:
        assert admin.describe_cluster()["cluster_id"] == cluster


def test_what_is_wrong_is_told_in_a_line(directory: Path, broker: Broker) -> None:
    done = local("start", "--directory", directory, "--port", str(broker.port))
    assert (done.returncode, done.stderr) == (1, f"kafka: Port {broker.port} is in use.\n")
