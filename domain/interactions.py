"""Interactions: every meeting, call, message and letter."""

from domain.aggregate import Aggregate, Changes, Entry
from domain.event import Event
from domain.refusal import already_exists


class Logged(Event, type="interaction.logged"):
    interaction: str
    client: str
    kind: str
    direction: str | None = None
    subject: str | None = None
    body: str | None = None
    participants: list[str] = []
    deal: str | None = None
    source: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None
    thread: str | None = None


class Interaction(Aggregate, kind="interaction"):
    client: str = ""

    @property
    def order_key(self) -> str:
        return f"client-{self.client}" if self.client else self.stream

    def log(self, event: Logged) -> Logged:
        if self.exists:
            raise already_exists("interaction", self.id)
        return event

    def evolve(self, entry: Entry) -> Changes:
        match entry.event:
            case Logged(client=client):
                return {"client": client}
        return {}
