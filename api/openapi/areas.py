"""What the interface is about, area by area: the chapters of /docs, and of what is generated from the document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """``words`` are those that its paths and command types begin with."""

    name: str
    description: str
    words: tuple[str, ...]


AREAS = (
    Area("commands", "One command of any type, or many at once", ("commands",)),
    Area("clients", "Clients, the legal entities they trade as, and what was talked about", ("client", "interaction")),
    Area("deals", "Pipelines and the deals in them", ("pipeline", "deal")),
    Area("funnel", "How far deals come, how long that takes, and why they are lost", ("funnel",)),
    Area("products", "What is bought and sold", ("product",)),
    Area("stock", "Warehouses, what is in them, promised and on its way", ("warehouse", "stock")),
    Area("receivables", "Invoices, and what clients owe", ("invoice", "receivable")),
    Area("payments", "Money that came in, and what it pays", ("payment",)),
    Area("periods", "Months that are closed", ("period",)),
    Area("audit", "The events themselves, and which of them are behind a figure", ("audit", "projection")),
    Area("health", "Whether this server takes commands and queries", ("health",)),
)

_OF_WORDS = {word: area.name for area in AREAS for word in area.words}


def names(path: str) -> tuple[str, str]:
    """The area and the operation at a path, as ``/v1/clients/{client}/timeline`` is ``client_timeline`` of clients."""
    _, _, *parts = path.split("/")
    if parts[0] == "commands" and "." in parts[-1]:
        parts = parts[-1].split(".")
    area = _OF_WORDS.get(parts[0]) or _OF_WORDS.get(parts[0].removesuffix("s"), parts[0])
    for place, part in enumerate(parts[1:], 1):
        if part.startswith("{"):
            parts[place - 1 : place + 1] = ["", part[1:-1]]
    return area, "_".join(filter(None, parts)).replace("-", "_")
