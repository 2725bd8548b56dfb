# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 byte for byte: requests are bytes, and answers are read by the letter of RFC 9112, so that an answer too many,
or one that runs into the next, is seen. And what a process holds: descriptors and resident memory."""
import contextlib
import os
import pathlib
import re
import socket
import time
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes


class Exchange(NamedTuple):
    """What came back on one connection: whole answers, what remained of a broken one, and how it ended."""
    answers: list
    rest: bytes
    # "closed", "reset", or "open" where the peer said nothing more until the deadline.
    end: str

    @property
    def statuses(self):
        return [answer.status for answer in self.answers]


def connect(port, timeout=10):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def read_until_end(connection, timeout):
    """Everything until the peer closes, and how it ended."""
    received, deadline = [], time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return b"".join(received), "open"
        connection.settimeout(left)
        try:
            piece = connection.recv(1 << 16)
        except TimeoutError:
            return b"".join(received), "open"
        except OSError:
            return b"".join(received), "reset"
        if not piece:
            return b"".join(received), "closed"
        received.append(piece)


def exchange(port, *pieces, half_close=False, timeout=10, heads=()):
    """Sends the pieces on a connection of their own and reads what comes until the server closes. `heads` are the places,
    from 0, of answers to HEAD, which have no body."""
    with connect(port, timeout) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server that refuses early closes while the rest is on its way.
        with contextlib.suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        raw, end = read_until_end(connection, timeout)
    answers, rest = parse_answers(raw, heads, at_end=end == "closed")
    return Exchange(answers, rest, end)


def parse_answers(raw, heads=(), at_end=True):
    """Splits what a server sent into answers; the second value is what is left of one that is not whole."""
    answers, final = [], 0
    while raw:
        head, separator, rest = raw.partition(b"\r\n\r\n")
        if not separator:
            return answers, raw
        status, headers = parse_head(head)
        if 100 <= status < 200:
            body = b""
        elif final in heads or status in (204, 304):
            body, final = b"", final + 1
        else:
            body, rest = parse_body(headers, rest, at_end)
            if body is None:
                return answers, raw
            final += 1
        answers.append(Answer(status, headers, body))
        raw = rest
    return answers, b""


def parse_head(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.([01]) ([1-5]\d\d) [\x20-\x7e]*", first)
    assert match, f"no status line: {first[:200]!r}"
    headers = {}
    for line in lines:
        match_line = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?[ \t]*", line)
        assert match_line, f"no header: {line[:200]!r}"
        name = match_line[1].lower()
        assert name not in headers, f"{name} stands twice"
        headers[name] = match_line[2] or ""
    assert not {"content-length", "transfer-encoding"} <= headers.keys(), "a length and chunks at once"
    assert match[1] == "1" or "transfer-encoding" not in headers, "chunks for a client that does not know them"
    return int(match[2]), headers


def parse_body(headers, rest, at_end):
    """The body and what follows; the body is `None` where it is not whole."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return parse_chunks(rest)
    if "content-length" in headers:
        length = int(headers["content-length"])
        return (rest[:length], rest[length:]) if len(rest) >= length else (None, rest)
    return (rest, b"") if at_end else (None, rest)


def parse_chunks(rest):
    body = b""
    while True:
        line, separator, after = rest.partition(b"\r\n")
        if not separator:
            return None, rest
        size = int(line, 16)
        if len(after) < size + 2:
            return None, rest
        assert after[size:size + 2] == b"\r\n", "a chunk without its end"
        body, rest = body + after[:size], after[size + 2:]
        if size == 0:
            return body, rest


def descriptors(process):
    """How many descriptors a server has open, but for what it keeps for later: connections to its database, and the logs
    of some finished builds."""
    count = 0
    for name in os.listdir(f"/proc/{process.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += not re.search(r"cupel\.sqlite|events\.sse$", os.readlink(f"/proc/{process.pid}/fd/{name}"))
    return count


def resident(process):
    """Bytes of resident memory that are the process's own (what it maps from files does not count)."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024


def settled_descriptors(process, wanted, patience=20):
    """The number of descriptors once it is no more than `wanted`, or when patience ends."""
    deadline = time.monotonic() + patience
    while (count := descriptors(process)) > wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return count


def left_behind(data):
    """Uploads that are being received, and workspaces of builds, which are both empty when nothing goes on."""
    return [str(p) for folder in ("workspaces", "incoming") for p in (data / folder).glob("*") if p.name != ".warm-up"]
