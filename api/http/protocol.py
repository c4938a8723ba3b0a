"""HTTP/1.1 on one connection: uvicorn's, with an end to each thing that a caller may send or leave undone."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.http.problems import answer
from domain.refusal import Refusal
from infra.telemetry import REFUSED_AT_THE_DOOR

if TYPE_CHECKING:
    from api.http.server import Callers

PIECE = 1024
"""What the parser is fed at once. It cannot be stopped in between, and one read may hold thousands of requests."""


class Protocol(HttpToolsProtocol):
    """Requests are answered one after the other; who sends more meanwhile is not read.

    What is wrong with a request before it is whole is told in its turn, as the last thing on the connection.
    """

    server_state: "Callers"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = self.server_state.limits
        self._unfed = b""
        self._overhead = 0  # bytes since the parser last told of something whole
        self._in_head = False
        self._running: RequestResponseCycle | None = None
        self._refusal: Refusal | None = None
        self._pending = 0
        self._grace = 1 / self._limits.body_bytes_per_s
        self._due = inf
        self._overdue: Callable[[Protocol], None] = Protocol._leave
        self._untaken, self._taken_at = 0, inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self._limits.idle_s, Protocol._leave)
        if len(self.connections) > 2 * self.server_state.most:
            transport.abort()
        elif len(self.connections) > self.server_state.most:
            self._refuse(Refusal("busy", "There are too many connections. Come again a little later."))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running:
            self._give_up(self._running)
        self._release()
        self.pipeline.clear()
        self._unfed = b""

    def shutdown(self) -> None:
        """A request that is still arriving has a while, and no more for each byte."""
        super().shutdown()
        self._grace = 0
        self._due = min(self._due, self.loop.time() + self._limits.body_s)

    def look(self, now: float) -> None:
        """Whether something is overdue."""
        untaken = self.transport.get_write_buffer_size()
        if not untaken or untaken != self._untaken:
            self._untaken, self._taken_at = untaken, now
        if now > self._taken_at + self._limits.untaken_s:
            self._leave()
        elif now > self._due:
            self._due = inf
            self._overdue(self)

    def data_received(self, data: bytes) -> None:
        if self._refusal is None:
            self._unfed += data
            self._feed()

    def _feed(self) -> None:
        data, fed = self._unfed, 0
        while fed < len(data) and not self.pipeline and self._refusal is None:
            piece = data[fed : fed + PIECE]
            fed += len(piece)
            self._parse(piece)
        self._unfed = data[fed:] if self._refusal is None else b""
        if self._unfed:
            self.flow.pause_reading()

    def _parse(self, piece: bytes) -> None:
        self._overhead += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(piece[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            found = error.__context__
            self._refuse(
                found if isinstance(found, Refusal) else Refusal("malformed", f"This is not HTTP/1.1. {error}".strip())
            )
        if self._refusal is None and self._overhead > (most := self._limits.head_bytes):
            code = "url_too_long" if len(self.url) > self._overhead // 2 else "head_too_large"
            self._refuse(Refusal(code, f"A request has {most} bytes at the most beside its body.", limit=most))

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Nobody here speaks another protocol, and the parser takes the body for it. Java's HttpClient asks for one."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(Refusal("malformed", "This is no proxy."))
            return
        fields = b"".join(b"%b: %b\r\n" % (name, value) for name, value in self.headers if name != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self._overhead = 0
        self._parse(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, fields))
        if rest and self._refusal is None:
            self._parse(rest)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._wait(self._limits.head_s, Protocol._too_slow)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers come too late to count
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self._in_head, self._overhead = False, 0
        if self.expect_100_continue:
            self.cycle.keep_alive = False  # answered at once, its body may come or not
        self._wait(inf if self.pipeline else self._limits.body_s, Protocol._too_slow)

    def on_body(self, body: bytes) -> None:
        self._overhead = 0
        if self.cycle.response_complete:
            return
        super().on_body(body)
        self._due += len(body) * self._grace
        self._pending += len(body)
        self.server_state.pending += len(body)
        if self.server_state.pending > self._limits.pending_bytes:
            raise Refusal("busy", "There is too much at once. Come again a little later.")

    def on_message_complete(self) -> None:
        if self._in_head:  # an upgrade
            return
        super().on_message_complete()
        self._overhead = 0
        self.cycle.more_body = False
        self._wait(self._limits.idle_s if self.cycle.response_complete else inf, Protocol._leave)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._running = None
        self._release()
        if self.transport.is_closing():
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            if cycle.more_body:
                self._wait(self._limits.body_s, Protocol._too_slow)
            self._start_asgi_task(cycle, app)
        elif self._refusal:
            self._part(self._refusal)
        elif self.cycle.more_body:
            self._wait(self._limits.parting_s, Protocol._leave)
        elif not self._in_head:
            self._wait(self._limits.idle_s, Protocol._leave)
        self.flow.resume_reading()
        self._feed()

    def _refuse(self, refusal: Refusal) -> None:
        """The last word, after the answers to what came before."""
        self._refusal, self._unfed, self._due = refusal.with_traceback(None), b"", inf
        broken = self.cycle if self.cycle and self.cycle.more_body and not self._in_head else None
        if broken and broken.response_complete:
            self._leave()
            return
        if broken and broken.response_started:
            broken.keep_alive = False
        elif broken is self._running and broken:
            self._give_up(broken)
            self._running = None
        elif broken:
            self.pipeline.popleft()
        if self._running is None and not self.pipeline:
            self._part(refusal)

    def _part(self, refusal: Refusal) -> None:
        """Whoever still sends is let finish for a while: who is cut off in the middle does not read the answer."""
        self._release()
        if self.transport.is_closing():
            return
        REFUSED_AT_THE_DOOR.labels(refusal.code).inc()
        response = answer(refusal, {"Connection": "close"})
        fields = (*self.server_state.default_headers, *response.raw_headers)
        head = STATUS_LINE[response.status_code] + b"".join(b"%b: %b\r\n" % field for field in fields)
        self.transport.write(b"%b\r\n%b" % (head, bytes(response.body)))
        self.transport.write_eof()
        self._wait(self._limits.parting_s, Protocol._leave)
        self.flow.resume_reading()

    def _give_up(self, cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()

    def _too_slow(self) -> None:
        self._refuse(Refusal("timeout", "The request did not arrive in time."))

    def _wait(self, seconds: float, overdue: Callable[["Protocol"], None]) -> None:
        self._due, self._overdue = self.loop.time() + seconds, overdue

    def _release(self) -> None:
        self.server_state.pending -= self._pending
        self._pending = 0

    def _leave(self) -> None:
        self.transport.abort()
