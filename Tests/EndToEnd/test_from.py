# SPDX-License-Identifier: Apache-2.0
"""Where a reader of an event stream may begin: every form of `from` and `Last-Event-ID`, and what must come."""
import concurrent.futures
import json
import re
import socket

import pytest

from conftest import project, tarball

# What is written, and how many events it skips; `None` where it is refused.
NUMBERS = [
    ("0", 0), ("1", 1), ("2", 2), ("007", 7), ("00", 0),
    ("{last}", "last"), ("{end}", "end"), ("{beyond}", "end"),
    ("4294967295", "end"), ("4294967296", "end"), ("9007199254740993", "end"), ("9223372036854775807", "end"),
    ("9223372036854775808", None), ("18446744073709551615", None), ("18446744073709551616", None),
    ("1" + "0" * 40, None),
    ("-1", None), ("-0", None), ("+1", None), ("1e3", None), ("1.0", None), ("1,0", None), ("1_0", None), ("0x1", None),
    ("1;from=2", None), ("null", None), ("NaN", None), ("Infinity", None), ("true", None), ("[1]", None), ('"1"', None),
    ("١", None), ("１", None), ("²", None), ("1\x00", None), ("1\n", None), ("1 2", None),
]
QUERIES = [
    ("", 0), ("?", 0), ("?other=1", 0), ("?FROM=1", 0), ("?&&from=1&", 1), ("?from=1&other=%20", 1), ("?from=%31", 1),
    ("?%66rom=2", 2), ("?from=%30%31", 1), ("?from=", None), ("?from", None), ("?from=1&from=2", None),
    ("?from=1&from=1", None),
    ("?from=1&%66rom=1", None), ("?from=%201", None), ("?from=1%20", None), ("?from=+1", None), ("?from=%", None),
    ("?from=%3", None), ("?from=%zz", None), ("?from=%ff", None), ("?from==1", None), ("?from=1=", None),
]
PLACES = {"last": lambda count: count - 1, "end": lambda count: count}


def encoded(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def request(server, path, *headers, method="GET"):
    """Status, headers and body, by a client that sends exactly what it is given."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        rest, body = body, b""
        while match := re.match(rb"([0-9a-fA-F]+)\r\n", rest):
            size = int(match[1], 16)
            body += rest[match.end():match.end() + size]
            rest = rest[match.end() + size + 2:]
    pairs = [line.split(":", 1) for line in head.decode().split("\r\n")[1:]]
    names = {name.lower(): value.strip() for name, value in pairs}
    return int(head.split()[1]), names, body


@pytest.fixture(scope="module", params=["good", "failed"])
def job(request, server):
    """(id, the blocks of its stream) of a build that has ended."""
    files = project({}) if request.param == "good" else {"README": "nothing to build"}
    job, events, outcome = server.build(tarball(files, top="probe"))
    assert outcome["status"] == {"good": "ok", "failed": "failed"}[request.param]
    blocks = [block + b"\n\n" for block in server.raw_events(job).split(b"\n\n")[:-1]]
    assert len(blocks) == len(events) and b'"complete"' in blocks[-1]
    return job, blocks


def written(text, blocks):
    """A number with its place in this stream."""
    count = len(blocks)
    return text.replace("{last}", f"{count - 1}").replace("{end}", f"{count}").replace("{beyond}", f"{count + 1}")


def expect(answer, blocks, skipped):
    status, headers, body = answer
    if skipped is None:
        assert status == 400 and headers["content-type"] == "application/json", (status, body)
        said = json.loads(body)
        assert said["status"] == "failed" and said["error_type"] == "InvalidRequestError" and said["error"]
        return
    assert status == 200 and headers["content-type"] == "text/event-stream", (status, body)
    skipped = PLACES[skipped](len(blocks)) if skipped in PLACES else skipped
    assert body == b"".join(blocks[skipped:])


@pytest.mark.parametrize("text, skipped", NUMBERS, ids=[ascii(text) for text, _ in NUMBERS])
def test_a_number_in_the_query(server, job, text, skipped):
    id, blocks = job
    expect(request(server, f"/build/{id}/events?from={encoded(written(text, blocks))}"), blocks, skipped)


@pytest.mark.parametrize("query, skipped", QUERIES, ids=[query for query, _ in QUERIES])
def test_the_form_of_the_query(server, job, query, skipped):
    id, blocks = job
    expect(request(server, f"/build/{id}/events{query}"), blocks, skipped)


@pytest.mark.parametrize("text, last", NUMBERS, ids=[ascii(text) for text, _ in NUMBERS])
def test_a_number_as_the_last_event_that_was_seen(server, job, text, last):
    id, blocks = job
    if re.search(r"[\x00-\x1f]", text):
        # No header can hold that: it is no HTTP.
        assert request(server, f"/build/{id}/events", f"Last-Event-ID: {text}")[0] in (200, 400)
        return
    skipped = {None: None, "last": "end", "end": "end"}[last] if not isinstance(last, int) else last + 1
    expect(request(server, f"/build/{id}/events", f"Last-Event-ID: {written(text, blocks)}"), blocks, skipped)


@pytest.mark.parametrize("query, headers, skipped", [
    ("?from=3", ["Last-Event-ID: 0"], 1),
    ("?from=0", ["Last-Event-ID: {last}"], "end"),
    ("?from={last}", ["last-event-id: 1"], 2),
    ("?from=1", ["Last-Event-ID: "], 1),
    ("", ["Last-Event-ID: "], 0),
    ("", ["Last-Event-ID:   1   "], 2),
    ("", ["Last-Event-ID: %31"], None),
    ("", ["Last-Event-ID: 0", "Last-Event-ID: 0"], None),
    ("?from=1", ["Last-Event-ID: -1"], None),
    ("?from=-1", ["Last-Event-ID: 1"], None),
    ("?from=1&from=1", ["Last-Event-ID: 1"], None),
], ids=str)
def test_the_header_goes_before_the_query(server, job, query, headers, skipped):
    id, blocks = job
    answer = request(server, f"/build/{id}/events{written(query, blocks)}", *[written(h, blocks) for h in headers])
    expect(answer, blocks, skipped)


@pytest.mark.parametrize("start", [0, 1, "last", "end"])
def test_ids_count_from_the_first_event_that_is_sent(server, job, start):
    id, blocks = job
    skipped = PLACES[start](len(blocks)) if start in PLACES else start
    numbered = b"".join(b"id: %d\n%s" % (number, block) for number, block in enumerate(blocks) if number >= skipped)
    status, _, body = request(server, f"/build/{id}/events?from={skipped}", "Accept: text/event-stream")
    assert status == 200 and body == numbered
    if skipped:
        resumed = request(server, f"/build/{id}/events", "Accept: text/event-stream", f"Last-Event-ID: {skipped - 1}")
        assert resumed[2] == numbered


@pytest.mark.parametrize("id", ["0" * 32, "f" * 31, "f" * 33, "F" * 32, "%30" * 32, "..", "", "*", "0" * 32 + "%00"])
@pytest.mark.parametrize("query", ["", "?from=0", "?from=-1", "?from=1&from=1", "?from=99999999999999999999"])
def test_a_job_that_never_was_is_not_found_whatever_else_is_asked(server, id, query):
    status, _, body = request(server, f"/build/{id}/events{query}")
    assert status == 404 and json.loads(body)["error_type"] == "InvalidRequestError"


@pytest.mark.parametrize("query, status", [
    ("", 200), ("?from=1", 200), ("?from=99999", 200), ("?from=-1", 400), ("?from", 400)])
def test_head_answers_as_get_without_a_body(server, job, query, status):
    id, _ = job
    got, headers, _ = request(server, f"/build/{id}/events{query}")
    answer = request(server, f"/build/{id}/events{query}", method="HEAD")
    assert answer[0] == got == status and answer[2] == b"" and answer[1]["content-type"] == headers["content-type"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_are_refused_before_the_query_is_read(server, job, method):
    status, headers, _ = request(server, f"/build/{job[0]}/events?from=-1", method=method)
    assert status == 405 and headers["allow"] == "GET, HEAD"


def test_readers_ahead_of_a_running_build_wait_for_their_event(server):
    """Each begins beyond what there is, and gets the stream from its event on, as a later reader does."""
    ticking = """
        fn main() {
            for i in 0..30 {
                println!("cargo:warning=tick {i}");
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }"""
    job = server.submit(tarball(project({"build.rs": ticking}), top="probe"))
    starts = [0, 1, 3, 10, 20, 34, 1000, 2**62, 2**63 - 1]
    with concurrent.futures.ThreadPoolExecutor(2 * len(starts)) as pool:
        by_query = [pool.submit(request, server, f"/build/{job}/events?from={n}") for n in starts]
        by_header = [pool.submit(request, server, f"/build/{job}/events", f"Last-Event-ID: {n}") for n in starts]
        head = request(server, f"/build/{job}/events?from=1000", method="HEAD")
    assert head[0] == 200 and head[2] == b""
    blocks = [block + b"\n\n" for block in server.raw_events(job).split(b"\n\n")[:-1]]
    assert sum(b"tick" in block for block in blocks) >= 30
    for start, query, header in zip(starts, by_query, by_header):
        assert query.result()[::2] == (200, b"".join(blocks[start:])), start
        assert header.result()[::2] == (200, b"".join(blocks[start + 1:])), start
