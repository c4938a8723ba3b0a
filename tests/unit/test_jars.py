"""What a broker is made of is fetched once, whole or not at all. Maven is played by a script."""

import multiprocessing
from pathlib import Path

import pytest

from infra.kafka.jars import assemble
from infra.kafka.java import BrokerError

MAVEN = """#!/bin/sh
echo "$*" >>{log}
for word in "$@"; do case "$word" in -DoutputDirectory=*) to="${{word#*=}}" ;; esac; done
{then}
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    maven(tmp_path, 'sleep 0.1; echo jar >"$to/kafka.jar"')
    return tmp_path / "maven.log"


def maven(bin: Path, then: str) -> None:
    (bin / "mvn").write_text(MAVEN.format(log=bin / "maven.log", then=then))
    (bin / "mvn").chmod(0o755)


def fetches(log: Path) -> int:
    return len(log.read_text().splitlines())


def test_they_are_fetched_once(log: Path) -> None:
    first = assemble()
    assert (first / "kafka.jar").read_text() == "jar\n"
    assert assemble() == first
    assert fetches(log) == 1


def test_several_processes_at_once_fetch_once(log: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as processes:
        asked = [processes.apply_async(assemble) for _ in range(3)]
        found = {each.get(60) for each in asked}
    assert len(found) == 1
    assert fetches(log) == 1


def test_the_tools_are_beside_not_among_them(log: Path) -> None:
    assert assemble(tools=True) != assemble()
    assert ["-Ptools" in line for line in log.read_text().splitlines()] == [True, False]


def test_half_a_fetch_is_told_and_tried_again(log: Path) -> None:
    maven(log.parent, 'echo half >"$to/kafka.jar"; echo "no route to the repository"; exit 1')
    with pytest.raises(BrokerError, match="no route to the repository"):
        assemble()
    maven(log.parent, 'echo jar >"$to/clients.jar"')
    assert [jar.name for jar in assemble().iterdir()] == ["clients.jar"]


def test_another_pom_asks_for_other_jars(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = assemble()
    pom = tmp_path / "pom.xml"
    pom.write_text("<kafka.version>9.9.9</kafka.version>")
    monkeypatch.setattr("infra.kafka.jars.POM", pom)
    second = assemble()
    assert second.name.startswith("kafka-9.9.9-")
    assert second != first
    assert fetches(log) == 2
