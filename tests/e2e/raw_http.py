"""HTTP by hand: what no client library would send, and a strict reading of what is answered."""

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from time import sleep
from urllib.parse import urlsplit

import httptools

PATIENCE_S = 60.0
JSON = b'{"type": "client.register", "client": "%b", "name": "N"}'


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    whole: bool = False

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def code(self) -> str:
        """Of a problem, which has all that a problem has."""
        assert self.header(b"content-type") == b"application/problem+json", self
        facts = json.loads(self.body)
        assert {"type", "title", "status", "code", "detail"} <= facts.keys()
        assert facts["status"] == self.status
        return str(facts["code"])


class Answers:
    """The answers in a stream of bytes; anything else in it is an error of the parser."""

    def __init__(self) -> None:
        self.all: list[Answer] = []
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.all.append(Answer())

    def on_header(self, name: bytes, value: bytes) -> None:
        self.all[-1].headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.all[-1].status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.all[-1].body += body

    def on_message_complete(self) -> None:
        self.all[-1].whole = True


class Wire:
    """One connection."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        self.socket = socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S)
        self.read: list[Answer] = []

    def send(self, *pieces: bytes) -> bool:
        """False: it was closed over there."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except ConnectionError:
            return False
        return True

    def answers(self, most: int | None = None) -> list[Answer]:
        """Until so many are whole, or nothing comes any more. That one goes on is none."""
        found = Answers()
        while most is None or sum(each.whole and each.status >= 200 for each in found.all) < most:
            try:
                data = self.socket.recv(65_536)
            except ConnectionError:
                break
            if not data:
                break
            found.feed(data)
        assert all(each.whole for each in found.all), found.all
        return [each for each in found.all if each.status >= 200]

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def get(path: str = "/v1/health/live", *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: x", *fields, "", "")).encode()


def post(body: bytes, *fields: str, path: str = "/v1/commands") -> bytes:
    head = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *fields, "", "")
    return "\r\n".join(head).encode() + body


LAST = get("/v1/health/live", "Connection: close")


@dataclass(frozen=True, slots=True)
class Strange:
    """What is sent on one connection, in pieces."""

    number: int
    pieces: Sequence[bytes]

    def sent_to(self, address: str) -> list[Answer]:
        with Wire(address) as wire:
            for piece in self.pieces:
                if not wire.send(piece):
                    break
                sleep(0.001)
            return wire.answers()


def strange(seed: int, count: int) -> Iterator[Strange]:
    """Requests that are more or less wrong, the same for a seed. Each is followed by one that asks for the end."""
    random = Random(seed)
    for number in range(count):
        data = _head(random) + _body(random)
        if random.random() < 0.15:
            data = _distorted(random, data)
        data += LAST
        cuts = sorted(random.randrange(len(data)) for _ in range(random.choice((0, 0, 1, 3))))
        yield Strange(number, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])


def _head(random: Random) -> bytes:
    fields = random.sample(FIELDS, random.choice((0, 1, 1, 2))) + _seldom(random, WRONG_FIELDS)
    if random.random() < 0.02:
        fields += [b"X-%d: %b" % (n, b"v" * random.randrange(50)) for n in range(random.randrange(3000))]
    method = random.choice((b"GET", b"GET", b"POST"))
    target = b"/v1/commands" if method == b"POST" else random.choice(TARGETS)
    for wrong in _seldom(random, METHODS):
        method, target = wrong, random.choice(TARGETS)
    for wrong in _seldom(random, WRONG_TARGETS):
        target = wrong
    if random.random() < 0.4:
        names = random.choices(PARAMETERS, k=random.choice((1, 1, 1, 2, 2, 2000)))
        target += b"?" + b"&".join(name + b"=" + random.choice(VALUES) for name in names)
    version = (*_seldom(random, VERSIONS), b"HTTP/1.1")[0]
    return b"\r\n".join((b" ".join((method, target, version)), b"Host: localhost", *fields))


def _seldom(random: Random, choices: Sequence[bytes]) -> list[bytes]:
    return [random.choice(choices)] if random.random() < 0.08 else []


def _body(random: Random) -> bytes:
    body = random.choice((b"", b"[]", b"{}", b"hello", b"\xff\x00", JSON % b"C%d" % random.randrange(9), b"{}\n" * 99))
    chunks = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    chunked = b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    right = (
        b"\r\n\r\n",
        b"\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
        chunked + chunks + b"0\r\n\r\n",
        chunked + chunks + b"0\r\nIdempotency-Key: late\r\nX: y\r\n\r\n",
        chunked + b'1;x="%b"\r\n{\r\n0\r\n\r\n' % (b"e" * random.choice((9, 900, 90_000))),
    )
    wrong = (
        chunked + b"%b\r\n%b\r\n0\r\n\r\n" % (random.choice(SIZES), body),
        chunked + chunks + b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"\r\nContent-Length: %b\r\n\r\n%b" % (random.choice(LENGTHS), body),
        b"\r\nContent-Length: %d\r\nContent-Length: %b\r\n\r\n%b" % (len(body), random.choice(LENGTHS), body),
        b"\r\nContent-Length: %d" % len(body) + chunked + chunks + b"0\r\n\r\n",
        b"\r\nTransfer-Encoding: %b\r\n\r\n%b0\r\n\r\n" % (random.choice(CODINGS), chunks),
    )
    return random.choice(right if random.random() < 0.7 else wrong)


def _distorted(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data))
    return random.choice(
        (
            data[:at],
            data[:at] + random.randbytes(random.choice((1, 1, 4, 400))) + data[at:],
            data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :],
            data[at:] + data[:at],
            data[:at] + data[at : at + 40] * random.randrange(40) + data[at:],
            data.replace(b"\r\n", random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r"))),
        )
    )


METHODS = (b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND", b"get", b"G\0T", b"", b"PRI")
METHODS += (b"G" * 5000, b"GET,POST", b"\xc3\x9c", b"SOURCE", b"QUERY")
VERSIONS = (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.10", b"http/1.1", b"RTSP/1.0", b"")
TARGETS = (b"/", b"/docs", b"/docs/", b"/openapi.json", b"/asyncapi.json", b"/metrics", b"/v1/clients", b"/v1/clients/")
TARGETS += (
    b"/v1/clients/C1",
    b"/v1/clients/%00",
    b"/v1/clients/%ff%fe",
    b"/v1/clients/%ED%A0%80",
    b"/v1/clients/C%2F1",
)
TARGETS += (b"/v1/commands", b"/v1/commands/", b"/v1/audit/events", b"/v1/projections", b"/v1/%zz", b"/v1/products/P1")
TARGETS += (b"/v1/clients/explain", b"/v1/stock/balances/explain", b"/v1/clients/C1/timeline", b"/v1/deals/D1")
TARGETS += (b"/v1/stock/balances", b"/v1/receivables/ageing", b"/v1/funnel/snapshot", b"//evil.example/v1/clients")
TARGETS += (
    b"/static-offline-docs",
    b"/static-offline-docs/",
    b"/static-offline-docs/%00",
    b"/static-offline-docs/..%2f",
)
TARGETS += (b"/static-offline-docs/%2e%2e/%2e%2e/etc/passwd", b"/../../etc/passwd", b"http://evil.example/v1/clients")
TARGETS += (b"/static-offline-docs/" + b"a" * 3000,)
WRONG_TARGETS = (
    b"*",
    b"",
    b"x",
    b"http://[::1/v1/clients",
    b"evil.example:443",
    b"/\xff\xfe",
    b"/\x00",
    b"/v1/clients#x",
)
WRONG_TARGETS += (b"/v1/clients?" + b"a" * 100_000, b"/" * 9000, b"http://x:99999999/", b"http://", b"/ /")
PARAMETERS = (b"limit", b"as_of", b"known_at", b"min_position", b"wait_ms", b"format", b"cursor", b"after", b"client")
PARAMETERS += (b"dry_run", b"mode", b"stream", b"type", b"", b"%ff", b"%00", b"[]", b"\xff")
VALUES = (
    b"1",
    b"0",
    b"-1",
    b"1e9",
    b"9" * 40,
    b"%ff",
    b"%00",
    b"%ED%A0%80",
    b"2026-01-01",
    b"csv",
    b"C1",
    b"",
    b"\xff",
)
VALUES += (b"NaN", b"2026-13-45", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59-14:00", b"+", b"%2B", b"true", b"=&=")
FIELDS = (b"Host: evil.example", b"Host: [::1", b"Host: a b", b"Host:", b"Host: x:99999999", b"Host: \xff\xfe")
FIELDS += (
    b"Expect: 100-continue",
    b"Expect: tea",
    b"Connection: close",
    b"Connection: keep-alive, Upgrade",
    b"Range: x",
)
FIELDS += (b"Connection: Upgrade\r\nUpgrade: websocket", b"Connection: Upgrade\r\nUpgrade: h2c", b"TE: trailers")
FIELDS += (
    b"Accept: text/csv",
    b"Accept: \xff",
    b"Accept-Encoding: gzip;q=x",
    b"If-Modified-Since: yesterday",
    b"Cookie: =",
)
FIELDS += (b"Idempotency-Key: \xff\xfe", b"Idempotency-Key: " + b"k" * 9000, b"Idempotency-Key:", b"Trailer: Host")
FIELDS += (
    b"Content-Type: application/x-ndjson",
    b"Content-Type: \xff",
    b"Content-Encoding: gzip",
    b"X-Forwarded-For: \xff",
)
FIELDS += (b"X-Forwarded-Proto: javascript", b"X-Forwarded-For: 1, 2, [::", b"Forwarded: for=_x", b"X:" + b" " * 5000)
WRONG_FIELDS = (b"no colon", b": nameless", b"X y: z", b"X : y", b" folded: x", b"X: a\r\n b", b"X\x00: y", b"X: \x00")
WRONG_FIELDS += (b"\xff: x", b"@: (x)", b"X: " + b"v" * 70_000, b"Content-Length: 5", b"Transfer-Encoding: chunked")
WRONG_FIELDS += (b"Upgrade: \x01", b"Idempotency-Key: k\x00")
LENGTHS = (b"-1", b"+5", b"1e3", b"5, 5", b"5 5", b"0x5", b"", b"9" * 30, b"\xb2", b"1000001", b"32000001", b"9" * 19)
SIZES = (b"-1", b"g", b"", b"f" * 16, b"f" * 17, b"0x5", b"5 ", b" 5", b"5;", b'5;a="\r\n"', b"0" * 22 + b"5", b"\xb2")
CODINGS = (
    b"gzip, chunked",
    b"chunked, gzip",
    b"xchunked",
    b"chunked, chunked",
    b"identity",
    b"\x0bchunked",
    b"",
    b"Chunked",
)
