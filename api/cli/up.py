"""``grossbuch up``: everything in one process, on an embedded PostgreSQL unless DATABASE_URL says otherwise. Without
KAFKA_BOOTSTRAP read models are fed by the store; with it, by the topic."""

from api.checking import patrolling
from api.cli import options
from api.cli.serve import Host, Port, listen
from api.cli.terminal import say
from api.relaying import relaying
from api.service import open_service


def up(data: options.Data = None, host: Host = None, port: Port = None) -> None:
    """Start everything in one process and stay."""
    settings = options.settings(data, host=host, port=port)
    with (
        open_service(settings, say) as service,
        relaying(settings, service.pool, service.health),
        patrolling(settings, service.pool.database),
    ):
        service.projecting.start()
        listen(service)
