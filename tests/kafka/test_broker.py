"""The broker itself: it starts, keeps what it was given, and says clearly why it cannot."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.java import BrokerError
from infra.settings import Settings


def produce(settings: Settings, topic: str, value: bytes) -> None:
    with KafkaAdminClient(**connection(settings)) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": -1}})
    producer = KafkaProducer(**connection(settings))
    producer.send(topic, value).get(timeout=30)
    producer.close()


def read(settings: Settings, topic: str) -> bytes:
    options = {"auto_offset_reset": "earliest", "consumer_timeout_ms": 30_000, "group_id": None}
    consumer = KafkaConsumer(topic, **connection(settings), **options)
    try:
        return bytes(next(consumer).value)
    finally:
        consumer.close()


def log_of(broker: Broker) -> str:
    return (broker.directory / "broker.log").read_text()


def test_it_answers_an_admin_client(broker: Broker) -> None:
    with KafkaAdminClient(**connection(broker.settings)) as admin:
        assert [node["port"] for node in admin.describe_cluster()["brokers"]] == [broker.port]


def test_it_survives_a_kill_with_its_data_and_at_its_port(own_broker: Callable[[], Broker]) -> None:
    broker = own_broker()
    before = broker.bootstrap
    produce(broker.settings, "kept", b"to the byte")
    broker.kill()
    assert not broker.is_alive
    broker.start()
    assert broker.bootstrap == before
    assert read(broker.settings, "kept") == b"to the byte"


def test_a_paused_one_stops_when_told(own_broker: Callable[[], Broker]) -> None:
    broker = own_broker()
    broker.pause()
    broker.stop()
    assert not broker.is_alive


def test_a_used_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("localhost", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BrokerError, match=f"Port {port} is in use"):
            Broker(tmp_path, port).start()


def test_a_used_directory_is_refused(own_broker: Callable[[], Broker]) -> None:
    broker = own_broker()
    with pytest.raises(BrokerError, match=r"runs in .* already"):
        Broker(broker.directory).start()
    assert broker.is_alive


def test_what_keeps_it_from_starting_is_told(own_broker: Callable[[], Broker]) -> None:
    broker = own_broker()
    broker.kill()
    (broker.directory / "data" / "meta.properties").write_text("version=1\nnode.id=2\ncluster.id=another\n")
    with pytest.raises(BrokerError, match=r"did not start: .*node id"):
        broker.start()


def test_it_dies_with_who_started_it(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from infra.kafka.broker import Broker
        Broker(Path({str(tmp_path)!r})).start(wait=False)
        print("started", flush=True)
        sys.stdin.read()
    """)
    starter = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert starter.stdout
    assert starter.stdout.readline() == b"started\n"
    broker = Broker(tmp_path)
    assert broker.is_alive
    os.kill(starter.pid, signal.SIGKILL)
    starter.communicate()
    broker.wait_until_gone()


@pytest.mark.parametrize("missing", ["java", "mvn"])
def test_what_is_missing_is_told_with_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in {"java", "mvn"} - {missing}:
        (programs / program).symlink_to(f"/usr/bin/{program}")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerError, match=rf"no {missing}: apt-get install openjdk-17-jre-headless maven"):
        Broker(tmp_path / "broker").start()


def test_a_java_too_old_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "java"
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerError, match=r'17 or later, and .*/java is openjdk version "11'):
        Broker(tmp_path / "broker").start()


def test_a_secured_one_takes_the_right_password(secured_broker: Broker) -> None:
    produce(secured_broker.settings, "secured", b"over TLS")
    assert read(secured_broker.settings, "secured") == b"over TLS"


def test_a_secured_one_refuses_a_wrong_password(secured_broker: Broker) -> None:
    wrong = connection(secured_broker.settings) | {"sasl_plain_password": "guessed", "bootstrap_timeout_ms": 3_000}
    with pytest.raises(KafkaError):
        KafkaAdminClient(**wrong)
    assert "invalid credentials with SASL mechanism SCRAM-SHA-512" in log_of(secured_broker)


def test_a_secured_one_is_known_by_its_authority_alone(
    secured_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    strange = connection(secured_broker.settings) | {"bootstrap_timeout_ms": 3_000}
    del strange["ssl_cafile"]
    with pytest.raises(KafkaError):
        KafkaAdminClient(**strange)
    assert "certificate verify failed" in caplog.text
