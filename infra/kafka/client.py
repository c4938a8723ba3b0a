"""Makes clients of kafka-python so that nothing is left of one that could not be made."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import KafkaTimeoutError
from kafka.net.compat import KafkaNetClient

ADVICE = "is KAFKA_BOOTSTRAP right, and KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_PASSWORD, KAFKA_SSL_CAFILE?"

Client = TypeVar("Client")


def open_client(make: Callable[..., Client], *arguments: Any, **options: Any) -> Client:
    """KafkaError if no broker answers as it should: a wrong password is nothing but silence to it. kafka-python itself
    would leave a thread and its sockets behind, each time that somebody tries to reach a broker that is away."""
    nets: list[KafkaNetClient] = []

    def net(**given: Any) -> KafkaNetClient:
        nets.append(KafkaNetClient(**given))
        return nets[-1]

    try:
        return make(*arguments, kafka_client=net, **options)
    except BaseException as error:
        for each in nets:
            each.close()
        if isinstance(error, KafkaTimeoutError):
            raise KafkaTimeoutError(f"{error}; {ADVICE}") from error
        raise
