"""Java's own measuring programs, on the same broker."""

import re
import subprocess

from bench.kafka.bare import new_topic
from bench.kafka.stage import Stage
from infra.kafka.jars import assemble
from infra.kafka.java import java

MESSAGES = 500_000
TRANSACTION_MS = 200


def produced(on: Stage, size: int) -> float:
    """Messages a second, in transactions."""
    topic = new_topic(on)
    said = _run(
        on,
        "ProducerPerformance",
        *("--topic", topic, "--num-records", f"{MESSAGES}", "--record-size", f"{size}", "--throughput", "-1"),
        *("--transactional-id", topic, "--transaction-duration-ms", f"{TRANSACTION_MS}"),
        *("--command-property", "acks=all"),
    )
    return float(re.findall(r"([\d.]+) records/sec", said)[-1])


def consumed(on: Stage, topic: str, number: int) -> float:
    """Messages a second, read committed."""
    said = _run(
        on,
        "ConsumerPerformance",
        *("--topic", topic, "--num-records", f"{number}", "--hide-header"),
        *("--command-property", "isolation.level=read_committed"),
    )
    return float(said.split(",")[-1])


def _run(on: Stage, program: str, *words: str) -> str:
    command = [java(), "-cp", f"{assemble(tools=True)}/*", f"org.apache.kafka.tools.{program}"]
    done = subprocess.run(
        [*command, "--bootstrap-server", on.broker.bootstrap, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
