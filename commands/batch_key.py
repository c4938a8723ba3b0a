"""What makes a batch once-only as a whole: the key that its sender gave it, and what the batch was."""

from dataclasses import dataclass
from uuid import UUID, uuid5

KEYS = UUID("6a1a1bb9-4c0e-4f0a-9d3c-0d6f7a1c5b52")
"""Ids that follow from keys are like nobody's own."""


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Kept as the id of a command without events beside the first of the batch that is applied. The same key with
    another digest is another batch."""

    key: str
    digest: str

    @property
    def id(self) -> str:
        return str(uuid5(KEYS, self.key))

    def id_of_line(self, number: int) -> str:
        """Of a command that came without one. The key is one line."""
        return str(uuid5(KEYS, f"{self.key}\n{number}"))
