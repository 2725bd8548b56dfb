# SPDX-License-Identifier: Apache-2.0
"""Results: whole, in parts, resumed, too early, too late, by many at once, and by clients that leave."""
import concurrent.futures
import hashlib
import os
import pathlib
import random
import resource
import socket
import tempfile
import threading
import time

import pytest

from conftest import Server, project, tarball, unpack
from wire import connect, descriptors, exchange, resident, settled_descriptors

SIZE = 8 << 20


@pytest.fixture(scope="module")
def target():
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data").start()
        yield server
        assert server.process.poll() is None, f"the server died: {server.log_text()}"
        server.terminate()


def large_project():
    """A project whose artifact does not get smaller by compression."""
    return tarball(project({
        "src/main.rs": 'static NOISE: &[u8] = include_bytes!("noise"); fn main() { println!("{}", NOISE[std::env::args().count()]); }',
        "src/noise": random.Random(5).randbytes(SIZE)}), top="probe")


@pytest.fixture(scope="module")
def finished(target):
    """(path of the result, its bytes, its tag)."""
    job, _, outcome = target.build(large_project())
    assert outcome == {"status": "ok"}, outcome
    status, headers, whole = target.result(job)
    assert status == 200 and len(whole) > SIZE and len(unpack(whole)["artifacts/probe"]) > SIZE
    return f"/build/{job}/result", whole, headers["etag"]


def test_the_whole_says_what_it_is(target, finished):
    path, whole, tag = finished
    status, headers, body = target.call("GET", path)
    assert (status, body) == (200, whole)
    assert headers["content-type"] == "application/gzip" and int(headers["content-length"]) == len(whole)
    assert headers["accept-ranges"] == "bytes" and headers["etag"] == tag and tag.startswith('"') and tag.endswith('"')
    assert headers["content-disposition"] == 'attachment; filename="project.tar.gz"'


@pytest.mark.parametrize("name, header, wanted", [
    ("the first byte", "bytes=0-0", (0, 1)),
    ("the last byte", "bytes=-1", (-1, None)),
    ("from the middle", f"bytes={SIZE // 2}-", (SIZE // 2, None)),
    ("more than there is", "bytes=0-99999999999", (0, None)),
    ("more than 64 bits", "bytes=7-18446744073709551617", (7, None)),
    ("a longer end than there is", "bytes=-99999999999", (0, None)),
    ("across two pieces", f"bytes={(256 << 10) - 1}-{256 << 10}", ((256 << 10) - 1, (256 << 10) + 1)),
    ("capital letters", "Bytes=1-2", (1, 3)),
    ("spaces", "bytes= 1 - 2 ", (1, 3)),
])
def test_a_part_is_that_part(target, finished, name, header, wanted):
    path, whole, tag = finished
    status, headers, body = target.call("GET", path, headers={"range": header})
    part = whole[wanted[0]:wanted[1]]
    assert status == 206 and body == part and headers["etag"] == tag, (status, headers)
    start = wanted[0] % len(whole)
    assert headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"


@pytest.mark.parametrize("header", [
    "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1x", "bytes=0x0-1", "bytes=--1", "bytes=+1-2", "bytes=1.0-2", "bytes 0-1", "0-1",
    "bytes=5-1", "bytes=0-0,2-2", "bytes=0-,0-", "bytes=5-1,0-0", "lines=0-1", "bytes=0-1;q=1", "bytes=٠-١",
    "bytes=" + ",".join(["0-"] * 1000), "bytes=" + ",".join(f"{i}-{i}" for i in range(5000)),
], ids=lambda header: header[:24])
def test_what_is_no_single_part_is_the_whole_once(target, finished, header):
    path, whole, _ = finished
    status, headers, body = target.call("GET", path, headers={"range": header.encode()})
    assert (status, body) == (200, whole) and "content-range" not in headers


@pytest.mark.parametrize("first", ["bytes={0}-", "bytes={0}-{0}", "bytes=18446744073709551616-", "bytes=-0"])
def test_a_part_beyond_the_end_is_refused_with_the_size(target, finished, first):
    path, whole, _ = finished
    status, headers, body = target.call("GET", path, headers={"range": first.format(len(whole))})
    assert status == 416 and headers["content-range"] == f"bytes */{len(whole)}" and len(body) < 500


def test_if_range_decides_between_the_part_and_the_whole(target, finished):
    path, whole, tag = finished
    for condition, status in ((tag, 206), ('"other"', 200), (f"W/{tag}", 200), (tag.strip('"'), 200),
                              ("Mon, 30 Nov 2026 11:00:00 GMT", 200), ("", 200), ("*", 200), (f"{tag}, {tag}", 200)):
        got, _, body = target.call("GET", path, headers={"range": "bytes=3-5", "if-range": condition})
        assert got == status and body == (whole[3:6] if status == 206 else whole), condition
    assert target.call("GET", path, headers={"range": "bytes=99999999999-", "if-range": '"other"'})[0] == 200


def test_if_none_match_spares_the_download(target, finished):
    path, whole, tag = finished
    for condition, status in ((tag, 304), (f"W/{tag}", 304), ("*", 304), (f'"a", {tag}', 304), (f'"a",W/{tag}', 304),
                              ('"other"', 200), (tag.strip('"'), 200), (f"x{tag}", 200), (tag[:-1] + 'x"', 200), ("", 200)):
        got, headers, body = target.call("GET", path, headers={"if-none-match": condition})
        assert got == status and body == (b"" if status == 304 else whole), condition
        assert headers["etag"] == tag
    assert target.call("GET", path, headers={"if-none-match": tag, "range": "bytes=0-0"})[0] == 304


def test_head_is_get_without_the_body(target, finished):
    path, whole, tag = finished
    head = target.call("HEAD", path)
    get = target.call("GET", path)
    assert head[0] == 200 and head[2] == b""
    assert {k: v for k, v in head[1].items() if k != "date"} == {k: v for k, v in get[1].items() if k != "date"}
    assert target.call("HEAD", path, headers={"if-none-match": tag})[0] == 304
    # Parts are defined for GET alone (RFC 9110, section 14.2).
    status, headers, _ = target.call("HEAD", path, headers={"range": "bytes=0-0"})
    assert status == 200 and int(headers["content-length"]) == len(whole)
    raw = f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    assert exchange(target.port, raw, heads=[0]).statuses == [200, 200], "a body after HEAD"


def test_other_methods_change_nothing(target, finished):
    path, whole, _ = finished
    for method in ("PUT", "POST", "PATCH", "DELETE", "OPTIONS"):
        status, headers, _ = target.call(method, path, b"x" if method != "OPTIONS" else None)
        assert status == 405 and headers["allow"] == "GET, HEAD"
    assert target.call("GET", path)[2] == whole


def partial(port, path, count, headers=""):
    """The first bytes of a download, which then breaks off."""
    with connect(port) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        body = b""
        while b"\r\n\r\n" not in body or len(body.split(b"\r\n\r\n", 1)[1]) < count:
            piece = connection.recv(1 << 16)
            assert piece, "the download ended early"
            body += piece
    return body.split(b"\r\n\r\n", 1)[1]


def test_a_download_that_breaks_off_again_and_again_is_resumed(target, finished):
    path, whole, tag = finished
    before = descriptors(target.process)
    moments, got = random.Random(9), b""
    while len(got) < len(whole):
        count = min(moments.randint(1, 1 << 20), len(whole) - len(got))
        got += partial(target.port, path, count, f"Range: bytes={len(got)}-\r\nIf-Range: {tag}\r\n")
    assert got == whole
    assert settled_descriptors(target.process, before + 2) <= before + 2, "a download that broke off is still open"


def test_a_hundred_at_once_get_the_same(target, finished):
    path, whole, _ = finished
    memory, before = resident(target.process), descriptors(target.process)
    digests = set()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        for status, _, body in pool.map(lambda _: target.call("GET", path), range(100)):
            digests.add((status, hashlib.sha256(body).hexdigest()))
    assert digests == {(200, hashlib.sha256(whole).hexdigest())}
    growth = resident(target.process) - memory
    print(f"100 downloads of {len(whole) >> 20} MiB: resident memory grew by {growth >> 20} MiB")
    assert growth < 200 << 20
    assert settled_descriptors(target.process, before + 2) <= before + 2


def test_a_hundred_who_leave_and_a_hundred_who_stall_cost_little(target, finished):
    path, whole, _ = finished
    before, memory = descriptors(target.process), resident(target.process)
    for count in range(100):
        partial(target.port, path, count)
    stalled = []
    for _ in range(100):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", target.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stalled.append(connection)
    assert target.call("GET", path)[2] == whole
    growth = resident(target.process) - memory
    print(f"100 stalled downloads: resident memory grew by {growth >> 10} KiB")
    for connection in stalled:
        connection.close()
    assert growth < 100 << 20
    assert settled_descriptors(target.process, before + 2) <= before + 2


def test_a_result_is_there_whole_or_not_at_all(target):
    """Asked for again and again while it is made: 404, and from one moment on every byte."""
    job = target.submit(large_project())
    seen, over = [], threading.Event()

    def ask():
        while True:
            ended = over.is_set()
            status, headers, body = target.result(job)
            seen.append((status, hashlib.sha256(body).hexdigest() if status == 200 else None))
            if ended:
                return

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    events = target.events(job)
    over.set()
    for asker in askers:
        asker.join()
    assert events[-1]["result"] == {"status": "ok"}
    whole = hashlib.sha256(target.result(job)[2]).hexdigest()
    assert set(seen) == {(404, None), (200, whole)}, set(seen)
    print(f"asked {len(seen)} times, {sum(status == 404 for status, _ in seen)} times too early")


def test_there_is_no_result_of_what_failed_or_never_was(target):
    failed, _, outcome = target.build(tarball(project({"src/main.rs": "no"}), top="probe"))
    assert outcome["status"] == "failed"
    answers = [target.call("GET", f"/build/{job}/result", headers={"range": "bytes=0-0"}) for job in (failed, "0" * 32, "x")]
    assert {status for status, _, _ in answers} == {404}
    assert len({body for _, _, body in answers}) == 1, "the answers tell which jobs there are"


def test_a_result_that_was_removed_is_said_to_be_damaged(target):
    job, _, outcome = target.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"} and target.result(job)[0] == 200
    (target.data / "jobs" / job / "result.tar.gz").unlink()
    status, _, body = target.result(job)
    assert status == 500 and b"damaged" in body and b"submit the build again" in body


def test_a_result_that_cannot_be_opened_is_not_said_to_be_missing(new_server):
    """Without a free descriptor: a client that is told 404 gives up what is there."""
    server = new_server()
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    # The first time it is also read through.
    assert outcome == {"status": "ok"} and server.result(job)[0] == 200
    request = f"GET /build/{job}/result HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    with connect(server.port) as connection:
        # This connection is there; nothing else can be opened beside it.
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, hard))
        connection.sendall(request)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"try again" in answer, answer
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert server.result(job)[0] == 200


def test_a_reader_of_the_old_version_can_take_a_stream_apart(target, finished):
    path, _, _ = finished
    events = path.replace("/result", "/events")
    got = exchange(target.port, f"GET {events} HTTP/1.0\r\n\r\n".encode())
    assert got.statuses == [200] and got.end == "closed" and got.rest == b"", got
    assert got.answers[0].body == target.raw_events(events.split("/")[2])
