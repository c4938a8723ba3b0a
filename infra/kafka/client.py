"""Makes clients of kafka-python so that nothing is left of one that could not be made."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

Client = TypeVar("Client")


def open_client(make: Callable[..., Client], *arguments: Any, **options: Any) -> Client:
    """KafkaError if no broker answers. kafka-python itself would leave a thread and its sockets behind, each time that
    somebody tries to reach a broker that is away."""
    nets: list[KafkaNetClient] = []

    def net(**given: Any) -> KafkaNetClient:
        nets.append(KafkaNetClient(**given))
        return nets[-1]

    try:
        return make(*arguments, kafka_client=net, **options)
    except BaseException:
        for each in nets:
            each.close()
        raise
