"""What one who calls may make the server keep, and how long it waits for him."""

import resource
from dataclasses import dataclass

RESERVED = 128
"""Descriptors that are no caller's: the database's, the broker's, files."""


@dataclass(frozen=True, slots=True)
class Limits:
    connections: int = 1000
    pending_bytes: int = 256_000_000
    """Of bodies whose requests are not answered yet, of all callers together."""
    head_bytes: int = 65_536
    """A request's, and what else is no body: trailers, extensions of chunks."""
    head_s: float = 10.0
    body_s: float = 20.0
    """And a second more for each ``body_bytes_per_s``: who sends slower is not waited for."""
    body_bytes_per_s: int = 1_000
    idle_s: float = 75.0
    """Between requests, and before the first."""
    untaken_s: float = 60.0
    """An answer of which nothing is taken for so long is given up."""
    parting_s: float = 5.0
    """What is sent after the last answer is thrown away for so long: who closes at once takes the answer back."""

    def within_descriptors(self) -> int:
        """Connections for which there are descriptors."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return self.connections if soft == resource.RLIM_INFINITY else max(1, min(self.connections, soft - RESERVED))
