# SPDX-License-Identifier: Apache-2.0
"""Requests that break HTTP's rules or stretch them, byte for byte. Each gets one answer, or none, and never an answer to
bytes that a proxy in front would have taken for something else. The service outlives them all and keeps nothing of them."""
import json
import os
import pathlib
import random
import socket
import struct
import tempfile
import threading
import time

import pytest

from conftest import SEED, THOROUGH, Server, project, tarball
from wire import connect, descriptors, exchange, left_behind, parse_answers, read_until_end, resident, settled_descriptors

SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
# Ends a connection that is still good: its own answer shows that the server was at the start of a request.
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def post(*fields, body=b"", version=b"1.1"):
    return b"POST /build HTTP/" + version + b"\r\nHost: x\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def get(*fields, target=b"/health", method=b"GET", version=b"HTTP/1.1", host=b"Host: x\r\n"):
    return method + b" " + target + b" " + version + b"\r\n" + host + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked"
JSON = b"Content-Type: application/json"


def chunks(body):
    return post(CHUNKED, JSON, body=body)


# Where the end of the request is in doubt, or the request is none: one refusal, or none, and the connection is closed.
# The bytes of a whole good request stand behind each; it is never answered.
REFUSED = {
    "a length and chunks": post(b"Content-Length: 4", CHUNKED, body=b"0\r\n\r\n"),
    "chunks and a length": post(CHUNKED, b"Content-Length: 4", body=b"0\r\n\r\n"),
    "two lengths that differ": post(b"Content-Length: 0", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
    "two equal lengths": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "a list of lengths": post(b"Content-Length: 2, 2", body=b"{}"),
    "a length with plus": post(b"Content-Length: +2", body=b"{}"),
    "a negative length": post(b"Content-Length: -2", body=b"{}"),
    "a length with a space within": post(b"Content-Length: 0 2", body=b"{}"),
    "a hexadecimal length": post(b"Content-Length: 0x2", body=b"{}"),
    "an empty length": post(b"Content-Length:", body=b"{}"),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551618", body=b"{}"),
    "a length with a comment": post(b"Content-Length: 2;x=1", body=b"{}"),
    "chunked that is not last": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "a coding that is not known": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a coding without chunks": post(b"Transfer-Encoding: gzip", body=b"0\r\n\r\n"),
    "identity": post(b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "almost chunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked with a parameter": post(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"),
    "chunked behind a vertical tab": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "chunked in quotation marks": post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "chunked in one header and not in the next": post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "chunked behind a space before the colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "chunked in a folded line": post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": post(CHUNKED, version=b"1.0", body=b"0\r\n\r\n"),
    "a folded header": get(b"X-Folded: one\r\n two"),
    "line ends without CR": get().replace(b"\r\n", b"\n"),
    "a header's end without CR": b"GET /health HTTP/1.1\r\nHost: x\nX-Other: y\r\n\r\n",
    "an end of the headers without CR": b"GET /health HTTP/1.1\r\nHost: x\r\n\n",
    "CR within a header": get(b"X-Split: one\rSet-Cookie: two"),
    "NUL within a header": get(b"X-Nul: one\0two"),
    "NUL within a header's name": get(b"X-N\0ul: one"),
    "a control character within a header": get(b"X-Bell: one\x07"),
    "a space before the colon": get(b"X-Space : one"),
    "a space within a header's name": get(b"X Space: one"),
    "a header without colon": get(b"no colon here"),
    "a header without name": get(b": one"),
    "a header's name that is not ASCII": get("X-Nämé: one".encode()),
    "a space before the first header": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "no host": get(host=b""),
    "two hosts": get(b"Host: y"),
    "a host with a path": get(host=b"Host: x/health\r\n"),
    "a host with a user": get(host=b"Host: a@x\r\n"),
    "an empty host twice": get(b"Host:", host=b"Host:\r\n"),
    "a chunk size beyond 64 bits": chunks(b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": chunks(b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with 0x": chunks(b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size behind a space": chunks(b" 2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size before a space": chunks(b"2 \r\n{}\r\n0\r\n\r\n"),
    "an empty chunk size": chunks(b"\r\n{}\r\n0\r\n\r\n"),
    "a chunk size that is a word": chunks(b"two\r\n{}\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": chunks(b"1\r\n{}\r\n0\r\n\r\n"),
    "a chunk whose end has no CR": chunks(b"2\r\n{}\n0\r\n\r\n"),
    "a chunk size whose end has no CR": chunks(b"2\n{}\r\n0\r\n\r\n"),
    "a chunk extension with a line feed": chunks(b"2;a=\nb\r\n{}\r\n0\r\n\r\n"),
    "a chunk extension with NUL": chunks(b"2;a=\0\r\n{}\r\n0\r\n\r\n"),
    "trailers that are none": chunks(b"2\r\n{}\r\n0\r\nno colon\r\n\r\n"),
    "a length as trailer": chunks(b"2\r\n{}\r\n0\r\nContent-Length: 34\r\n\r\n"),
    "chunked as trailer": chunks(b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a folded trailer": chunks(b"2\r\n{}\r\n0\r\nX: y\r\n z\r\n\r\n"),
    "a method in lower case": get(method=b"get"),
    "a method that is none": get(method=b"G\x01T"),
    "a target with a space": get(target=b"/health /x"),
    "a target with a tab": get(target=b"/health\t"),
    "a target with NUL": get(target=b"/health\0"),
    "a target that is a word": get(target=b"health"),
    "an authority as target": get(target=b"x:80"),
    "an empty target": get(target=b""),
    "a target that is not ASCII": get(target="/gesundhéit".encode()),
    "a target that is not UTF-8": get(target=b"/\xff\xfe"),
    "a backslash as target": get(target=b"\\health"),
    "HTTP/0.9": b"GET /health\r\n",
    "HTTP/0.9 by name": get(version=b"HTTP/0.9"),
    "HTTP/1.2": get(version=b"HTTP/1.2"),
    "HTTP/2.0 by name": get(version=b"HTTP/2.0"),
    "HTTP/3.0": get(version=b"HTTP/3.0"),
    "HTTP/11.1": get(version=b"HTTP/11.1"),
    "HTTP/1.1 with more": get(version=b"HTTP/1.1x"),
    "http in lower case": get(version=b"http/1.1"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "TLS": bytes.fromhex("16030100d6010000d20303") + bytes(200),
    "a header of 1 MB": get(b"X-Long: " + b"x" * (1 << 20)),
    "a header's name of 1 MB": get(b"x" * (1 << 20) + b": y"),
    "100,000 headers": get(*[b"X-%d: y" % i for i in range(100_000)]),
    "a target of 1 MB": get(target=b"/" + b"x" * (1 << 20)),
    "a method of 1 MB": get(method=b"X" * (1 << 20)),
    "trailers of 1 MB": chunks(b"2\r\n{}\r\n0\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n"),
    "100,000 trailers": chunks(b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"),
}

JOB = b"/build/" + b"0" * 32
# Unusual, and clear: the answers by status, and the connection serves the next request.
ANSWERED = {
    "an absolute target": (get(target=b"http://x/health"), [200]),
    "an absolute target without path": (get(target=b"http://x"), [404]),
    "an absolute target of elsewhere": (get(target=b"https://y:1/health?a=b"), [200]),
    "an asterisk": (get(target=b"*", method=b"OPTIONS"), [404]),
    "an asterisk for GET": (get(target=b"*"), [404]),
    "a method that the path does not take": (get(method=b"DELETE"), [405]),
    "a method of others": (get(method=b"PROPFIND"), [405]),
    "TRACE": (get(method=b"TRACE"), [405]),
    "a bad escape in the path": (get(target=b"/build/%zz"), [404]),
    "a bad escape in the query": (get(target=b"/build?nonce=%4"), [405]),
    "an escaped NUL in the path": (get(target=b"/health%00"), [404]),
    "an escaped slash": (get(target=b"/build%2f" + b"0" * 32), [404]),
    "an escaped letter": (get(target=b"/h%65alth"), [404]),
    "dots up": (get(target=b"/build/../health"), [404]),
    "escaped dots up": (get(target=b"/build/%2e%2e/health"), [404]),
    "a dot": (get(target=b"/./health"), [404]),
    "two slashes": (get(target=b"//health"), [404]),
    "a slash at the end": (get(target=b"/health/"), [404]),
    "a backslash": (get(target=b"/\\health"), [404]),
    "a fragment": (get(target=b"/health#x"), [404]),
    "a target of 64 KB": (get(target=b"/" + b"x" * (64 << 10)), [404]),
    "a query of 64 KB": (get(target=b"/health?" + b"x&" * (32 << 10)), [200]),
    "500 headers": (get(*[b"X-%d: y" % i for i in range(500)]), [200]),
    "a header that is not ASCII": (get("X-Name: Zürich".encode()), [200]),
    "an empty line before a request": (b"\r\n\r\n" + get(), [200]),
    "a body where none belongs": (get(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED, [200]),
    "chunks where none belong": (get(CHUNKED) + b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n", [200]),
    "a body for a path that is none": (
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, [404]),
    "leading zeros of a length": (post(b"Content-Length: 0002", JSON, body=b"{}"), [400]),
    "a chunk extension of 1 MB": (chunks(b"2;" + b"x" * (1 << 20) + b"\r\n{}\r\n0\r\n\r\n"), [400]),
    "chunk extensions": (chunks(b"2;a=b;c=\"d\"\r\n{}\r\n0;e\r\n\r\n"), [400]),
    "trailers": (chunks(b"2\r\n{}\r\n0\r\nX-Sum: 1\r\nHost: y\r\n\r\n"), [400]),
    "chunks of one byte": (chunks(b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), [400]),
    "CHUNKED": (post(b"Transfer-Encoding: CHUNKED", JSON, body=b"2\r\n{}\r\n0\r\n\r\n"), [400]),
    "100-continue": (post(b"Expect: 100-continue", JSON, b"Content-Length: 2", body=b"{}"), [100, 400]),
    "100-Continue": (post(b"Expect: 100-Continue", JSON, b"Content-Length: 2", body=b"{}"), [100, 400]),
    "garbage that is accepted": (get(b"Accept: ;;;,,,q=\"\\", b"Accept: */*;q=two"), [200]),
    "an Accept of 60 KB": (get(b"Accept: " + b"text/event-stream;a=b," * 2700), [200]),
    "ranges where none are served": (get(b"Range: bytes=0-0,0-0,5-1"), [200]),
    "an id of another job's path": (get(target=JOB + b"/../../health"), [404]),
    "an id in capitals": (get(target=b"/build/" + b"A" * 32), [404]),
    "HEAD with a body": (get(b"Content-Length: %d" % len(SMUGGLED), method=b"HEAD") + SMUGGLED, [200]),
    "no type": (post(b"Content-Length: 2", body=b"{}"), [415]),
}

# The last request of its connection, because it says so or because what could follow is no request: one answer, and none
# to what stands behind it.
LAST_ONES = {
    "HTTP/1.0": (get(version=b"HTTP/1.0"), 200),
    "HTTP/1.0 without host": (get(version=b"HTTP/1.0", host=b""), 200),
    "HTTP/1.0 that would stay": (get(b"Connection: keep-alive", version=b"HTTP/1.0"), 200),
    "HTTP/1.0 that waits to go on": (
        post(b"Expect: 100-continue", JSON, b"Content-Length: 2", version=b"1.0", body=b"{}"), 400),
    "another protocol of that form": (get(version=b"RTSP/1.0"), 200),
    "a close": (get(b"Connection: close"), 200),
    "a close in capitals": (get(b"Connection: CLOSE"), 200),
    "a close in a list": (get(b"Connection: keep-alive, close"), 200),
    "a close among others": (get(b"Connection: te", b"Connection: close"), 200),
    "an upgrade to a web socket": (get(b"Connection: upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA=="), 200),
    "an upgrade to HTTP/2": (get(b"Connection: upgrade, http2-settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"), 200),
    "an upgrade with a body": (post(b"Connection: upgrade", b"Upgrade: h2c", JSON, b"Content-Length: 2", body=b"{}"), 400),
    "a tunnel": (b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 404),
}


def is_refusal(answer):
    """A refusal of the API, or of what reads HTTP before it, and nothing that a cache would keep."""
    if answer.headers.get("content-type") != "application/json":
        return False
    body = json.loads(answer.body)
    return body["status"] == "failed" and bool(body["error"]) and body["error_type"] == "InvalidRequestError"


@pytest.fixture(scope="module")
def target():
    """A server of this file's own, so that what it holds at the end can be compared with what it held at the start."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data").start()
        server.call("GET", "/health")
        server.open_at_start = descriptors(server.process)
        yield server
        assert server.process.poll() is None, f"the server died: {server.log_text()}"
        server.terminate()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused_and_nothing_behind_it_is_answered(target, name):
    got = exchange(target.port, REFUSED[name] + SMUGGLED)
    assert got.end in ("closed", "reset"), got
    assert len(got.answers) <= 1 and got.rest == b"", got
    # A large one may meet a closed connection before its answer is read.
    assert got.answers or len(REFUSED[name]) > 60_000, got
    for answer in got.answers:
        assert 400 <= answer.status < 500 or answer.status in (501, 505), got
        assert is_refusal(answer), answer


@pytest.mark.parametrize("name", ANSWERED)
def test_what_is_clear_is_answered_once_and_the_connection_goes_on(target, name):
    request, statuses = ANSWERED[name]
    got = exchange(target.port, request + LAST, heads=[0] if request.startswith(b"HEAD") else [])
    assert got.statuses == statuses + [200] and got.end == "closed" and got.rest == b"", got
    for answer in got.answers[:-1]:
        assert answer.status < 400 or is_refusal(answer), answer


@pytest.mark.parametrize("name", LAST_ONES)
def test_after_the_last_request_the_connection_closes(target, name):
    request, status = LAST_ONES[name]
    got = exchange(target.port, request + SMUGGLED)
    assert got.statuses == [status] and got.end in ("closed", "reset") and got.rest == b"", got
    assert got.answers[0].headers["connection"] == "close", got


def test_requests_in_a_row_are_answered_in_order(target):
    """300 requests at once, in pieces that break anywhere; no answer is missing, doubled, or in another's place."""
    choices = [(get(), 200), (get(method=b"HEAD"), 200), (get(target=b"/x"), 404), (get(method=b"PUT"), 405),
               (post(b"Content-Length: 2", body=b"{}"), 415), (post(JSON, b"Content-Length: 2", body=b"{}"), 400),
               (chunks(b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), 400), (get(target=JOB + b"/events"), 404)]
    for seed in range(5):
        chance = random.Random(seed)
        chosen = [chance.choice(choices) for _ in range(300)]
        sent = b"".join(request for request, _ in chosen) + LAST
        marks = sorted(chance.sample(range(len(sent)), [0, 10, 200, 1000, 2000][seed]))
        pieces = [sent[a:b] for a, b in zip([0, *marks], [*marks, len(sent)])]
        heads = [i for i, (request, _) in enumerate(chosen) if request.startswith(b"HEAD")]
        got = exchange(target.port, *pieces, heads=heads, timeout=30)
        assert got.statuses == [status for _, status in chosen] + [200] and got.rest == b"", (seed, len(got.answers), got.rest)


UPLOAD = b"POST /build?nonce=aa HTTP/1.1\r\nHost: x\r\nContent-Type: application/gzip\r\n"


@pytest.mark.parametrize("way", ["end", "close", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_upload_that_breaks_off_anywhere_is_no_job(target, framing, way):
    content = tarball(project({}), top="probe")
    if framing == "length":
        whole = UPLOAD + b"Content-Length: %d\r\n\r\n" % len(content) + content
    else:
        whole = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(content) + content + b"\r\n0\r\n\r\n"
    for cut in [*range(0, len(whole), 7), *range(len(whole) - 12, len(whole))]:
        if way == "end":
            got = exchange(target.port, whole[:cut], half_close=True)
            assert got.end in ("closed", "reset") and got.statuses in ([], [400]), (cut, got)
            assert all(is_refusal(answer) for answer in got.answers), got
            continue
        with connect(target.port) as connection:
            connection.sendall(whole[:cut])
            if way == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert target.call("GET", "/health")[0] == 200
    deadline = time.monotonic() + 20
    while left_behind(target.data) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_behind(target.data) == [] and os.listdir(target.data / "jobs") == []


@pytest.mark.parametrize("request_", [get(), get(method=b"HEAD"), post(b"Content-Length: 2", body=b"{}"), get(target=b"/x")],
                         ids=["GET", "HEAD", "POST", "404"])
def test_a_client_that_leaves_before_its_answer_is_forgotten(target, request_):
    before = descriptors(target.process)
    for number in range(200):
        with connect(target.port) as connection:
            connection.sendall(request_ * (1 + number % 5))
            if number % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert settled_descriptors(target.process, before) <= before


class SlowClients:
    """Clients that send a byte now and then, or nothing, and the time after which the server had enough of each."""
    PATIENCE = 60
    KINDS = {
        "says nothing": b"",
        "does not end its request line": b"GET /" + b"x" * 200,
        "does not end its headers": b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200,
        "sends its headers one by one": b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 50,
        "does not end its upload": UPLOAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 200,
        "does not end its chunks": UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50,
        "does not end a chunk's size": UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200,
        "keeps a connection after its answer": get(),
    }

    def __init__(self, port):
        self.started, self.ended, self.said = time.monotonic(), {}, {}
        self.clients = {}
        for kind, sent in self.KINDS.items():
            for number in range(5):
                self.clients[kind, number] = [connect(port), sent]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.clients and time.monotonic() - self.started < self.PATIENCE + 60:
            for key, client in list(self.clients.items()):
                self.go_on(key, client)
            time.sleep(1)  # that slow they are

    def go_on(self, key, client):
        connection, rest = client
        # The first bytes at once, up to where it becomes slow.
        at_once = len(rest) if key[0].startswith("keeps") else 150 if len(rest) > 250 else 1
        connection.setblocking(False)
        try:
            connection.send(rest[:at_once])
            client[1] = rest[at_once:]
            received = connection.recv(1 << 16)
            self.said.setdefault(key, []).append(received)
            if received:
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.ended[key] = time.monotonic() - self.started
        connection.close()
        del self.clients[key]


@pytest.fixture(scope="module", autouse=True)
def slow():
    """They begin with the first test of this file, so that their time passes while the others run. Their server is their
    own: what they hold is no leak."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data").start()
        server.call("GET", "/health")
        open_at_start = descriptors(server.process)
        clients = SlowClients(server.port)
        yield clients
        clients.thread.join()
        assert settled_descriptors(server.process, open_at_start) <= open_at_start and left_behind(server.data) == []
        server.terminate()


def mutant(chance, requests):
    """A request that another spoilt: bytes changed, left out, doubled, or the halves of two."""
    sent = bytearray(chance.choice(requests))
    for _ in range(chance.choice([1, 1, 1, 2, 5, 20])):
        place = chance.randrange(len(sent) + 1)
        match chance.randrange(5):
            case 0: sent[place:place + 1] = bytes([chance.randrange(256)])
            case 1: sent[place:place] = chance.choice([b"\r", b"\n", b"\r\n", b"\0", b" ", b":", b"\t", b"0\r\n\r\n", b"\xff"])
            case 2: del sent[place:place + chance.randrange(1, 8)]
            case 3: sent[place:place] = sent[place:place + chance.randrange(1, 30)]
            case 4:
                other = chance.choice(requests)
                sent[place:] = other[chance.randrange(len(other)):]
    return bytes(sent)


def test_mutants_of_all_these_requests_end_no_server(target, slow):
    """As many as go into 20 seconds, of those that the slow clients need anyway, and no fewer than 500; thorough runs
    take ten minutes."""
    requests = [r for r in [*REFUSED.values(), *(r for r, _ in ANSWERED.values()), *(r for r, _ in LAST_ONES.values())]
                if len(r) < 5000]
    until = time.monotonic() + (600 if THOROUGH else 20)
    count, lock, failures = [0], threading.Lock(), []

    def is_over():
        now = time.monotonic()
        return failures or now > until and count[0] > 500 or now > until + 180

    def run(number):
        chance = random.Random(SEED + number)
        while not is_over():
            sent = mutant(chance, requests) + mutant(chance, requests)
            try:
                with connect(target.port) as connection:
                    try:
                        connection.sendall(sent)
                        connection.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    raw, end = read_until_end(connection, 20)
                assert end != "open", "an answer never ended"
                # What is answered is answered well; only a reset may cut an answer short. HEAD hides where bodies end.
                if b"HEAD" not in sent and end == "closed":
                    assert parse_answers(raw)[1] == b""
            except Exception as error:
                failures.append((SEED, number, sent, repr(error)))
            with lock:
                count[0] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"CUPEL_SEED={SEED}: {count[0]} mutants")
    assert not failures, failures[0]
    assert count[0] > 500 and target.call("GET", "/health")[0] == 200
    assert left_behind(target.data) == []


def test_slow_clients_are_ended(target, slow):
    slow.thread.join(SlowClients.PATIENCE + 60)
    for kind in SlowClients.KINDS:
        times = [slow.ended.get((kind, number)) for number in range(5)]
        # An upload is answered first, and has some seconds to see that; and machines may be busy.
        last = SlowClients.PATIENCE + 40
        assert all(time is not None and SlowClients.PATIENCE - 2 <= time <= last for time in times), (kind, times)
    print({kind: round(max(slow.ended[kind, number] for number in range(5))) for kind in SlowClients.KINDS})


def test_nothing_of_it_all_is_left(target):
    before = target.open_at_start
    assert settled_descriptors(target.process, before) <= before
    held = resident(target.process)
    print(f"resident memory at the end: {held >> 20} MiB")
    assert held < 200 << 20
    assert os.listdir(target.data / "jobs") == [] and left_behind(target.data) == []
