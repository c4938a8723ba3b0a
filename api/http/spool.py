"""An answer on its way to its reader: put down as fast as the database gives it, and sent as fast as the reader takes
it. So a slow reader holds neither a connection nor memory, but a file."""

import asyncio
from collections.abc import Mapping
from tempfile import SpooledTemporaryFile
from threading import Lock

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.readers import busy

log = structlog.get_logger(__name__)

SMALL = 250_000
"""Bytes up to which an answer stays in memory."""

MOST = 4_000_000_000
"""Bytes that answers on their way may take, all together."""

CHUNK = 65_536

SLOWEST = 60.0
"""Seconds in which a reader is to take a chunk, or he is let go."""

_total = 0
_counting = Lock()


class Spool:
    """Refusal ``busy`` if there is no room for more."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](max_size=SMALL)
        self.size = 0

    def write(self, *parts: bytes) -> None:
        global _total
        size = sum(map(len, parts))
        with _counting:
            if _total + size > MOST:
                raise busy()
            _total += size
            self.size += size
        self._file.writelines(parts)

    def close(self) -> None:
        global _total
        with _counting:
            _total -= self.size
            self.size = 0
        self._file.close()

    __del__ = close

    def response(self, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
        self._file.seek(0)
        if self.size <= SMALL:
            return Response(self._file.read(), 200, headers, media_type)
        return _Sent(self, {**(headers or {}), "content-length": str(self.size)}, media_type)

    def read(self) -> bytes:
        """The next chunk. It has just been written, so it lies in memory still, most likely."""
        return self._file.read(CHUNK)


class _Sent(Response):
    def __init__(self, spool: Spool, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(None, 200, headers, media_type)
        self._spool = spool

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        left = self._spool.size
        try:
            while left:
                chunk = self._spool.read()
                left -= len(chunk)
                async with asyncio.timeout(SLOWEST):
                    await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
        except TimeoutError:
            log.warning("reader too slow", path=scope["path"], bytes_left=left)
        finally:
            self._spool.close()
