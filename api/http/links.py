"""Where a list goes on, as a header (RFC 8288)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request


def to_next(request: Request, **place: object) -> Mapping[str, str]:
    """The same question at this place of the list; nothing if it ends here. Without the host, which a caller may have
    made up."""
    if None in place.values():
        return {}
    query = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)) | {
        name: str(at) for name, at in place.items()
    }
    return {"Link": f'<{quote(request.scope["path"])}?{urlencode(query)}>; rel="next"'}
