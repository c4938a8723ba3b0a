"""``grossbuch migrate``: brings the ledger up to this release, while others go on using it."""

from api.cli import options
from api.cli.terminal import result, say
from api.service import Opening, open_service


def migrate(data: options.Data = None, new: options.New = False, as_json: options.Json = False) -> None:
    """Bring the ledger up to this release. Nobody waits. `serve` and `up` do it themselves; read models that change are
    filled by them and by `consume`."""
    opening = Opening.MIGRATE if new else Opening.UPDATE
    with open_service(options.settings(data), say, opening=opening) as service:
        identity = service.ledger.identity
        ledger = service.settings.ledger
    if as_json:
        result({"ledger": ledger, "identity": identity})
    else:
        say(f"The ledger {ledger} is as this release needs it.")
