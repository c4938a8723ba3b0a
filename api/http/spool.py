"""An answer on its way to its reader: put down as fast as the database gives it, and sent as fast as the reader takes
it. So a slow reader holds neither a connection nor memory, but a file."""

from collections.abc import AsyncIterator, Mapping
from tempfile import SpooledTemporaryFile
from threading import Lock

import structlog
from starlette.responses import Response, StreamingResponse

from api.readers import busy

log = structlog.get_logger(__name__)

SMALL = 250_000
"""Bytes up to which an answer stays in memory."""

MOST = 4_000_000_000
"""Bytes that answers on their way may take, all together."""

CHUNK = 65_536

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
        sized = {**(headers or {}), "content-length": str(self.size)}
        return StreamingResponse(self._chunks(), 200, sized, media_type)

    async def _chunks(self) -> AsyncIterator[bytes]:
        """What has just been written lies in memory still, most likely, so it is read at once."""
        left = self.size
        try:
            while chunk := self._file.read(CHUNK):
                yield chunk
                left -= len(chunk)
        finally:
            if left:
                log.warning("answer not taken to its end", bytes_left=left)
            self.close()


def whole(body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """One that is at hand."""
    if len(body) <= SMALL:
        return Response(body, 200, headers, media_type)
    spool = Spool()
    spool.write(body)
    return spool.response(media_type, headers)
