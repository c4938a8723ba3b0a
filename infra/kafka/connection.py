"""How to reach the broker: the settings, in the words of kafka-python."""

from typing import Any

from infra.settings import Settings

RECONNECT_MS = 1_000
"""kafka-python would let up to 30 seconds pass between two attempts: long after the broker is back."""


def connection(settings: Settings) -> dict[str, Any]:
    """What every client of the broker is given."""
    assert settings.kafka_bootstrap
    given: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "security_protocol": settings.kafka_security_protocol,
        "reconnect_backoff_max_ms": RECONNECT_MS,
        "client_id": "grossbuch",
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        given |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    if settings.kafka_security_protocol.endswith("SSL"):
        files = {name: getattr(settings, f"kafka_{name}") for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")}
        given |= {name: str(path) for name, path in files.items() if path}
    return given
