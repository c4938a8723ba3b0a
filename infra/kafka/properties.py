"""What a single broker is told: server.properties."""

from pathlib import Path
from typing import NamedTuple

from infra.kafka.ports import HOST

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class Security(NamedTuple):
    """SASL_SSL with SCRAM-SHA-512. The broker is a user, too: it talks to itself."""

    username: str
    password: str
    keystore: Path
    ca: Path


PATIENCE_MS = {"broker.session.timeout.ms": 3_000, "broker.heartbeat.interval.ms": 500}
"""One that was killed is back in 5 seconds, by Kafka's own setting in 12: until its old session is over it waits."""

ALONE = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": "false",
    "controller.listener.names": "CONTROLLER",
    # Taken whole at each start; Kafka's own 128 MB do not always fit into a small heap.
    "log.cleaner.dedupe.buffer.size": 16 << 20,
    **PATIENCE_MS,
}


def properties(data: Path, port: int, controller_port: int, security: Security | None) -> str:
    protocol = "SASL_SSL" if security else "PLAINTEXT"
    told = {
        **ALONE,
        "log.dirs": data,
        "listeners": f"CLIENTS://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{HOST}:{port}",
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        **(_secured(security) if security else {}),
    }
    return "".join(f"{name}={value}\n" for name, value in told.items())


def _secured(security: Security) -> dict[str, object]:
    login = f'{SCRAM} required username="{security.username}" password="{security.password}";'
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": login,
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": security.keystore,
        "ssl.keystore.password": security.password,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": security.ca,
    }
