# SPDX-License-Identifier: Apache-2.0
"""Builds that print what looks like the stream's own framing, or more than anybody could keep. Every line of a build
becomes one event, cut as the API says; readers of other people's making and ours agree on what they read; the service's
memory stays where it was.

The service of these tests runs as an ordinary user, so that a build can write to the pipe that the service reads, past
cargo, which cleans what it passes on."""
import json
import os
import pathlib
import tempfile
import threading

import pytest

from conftest import THOROUGH, Server, cupel, parse_events, project, tarball
from wire import resident

NOBODY = 65534
LIMIT = 16 * 1024
MARK = " […]"


class UserServer(Server):
    """A server of a user without rights, with the Rust toolchains of whoever runs the tests."""

    def start(self):
        toolchains = os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup"))
        if os.geteuid() == 0:
            self.environment["HOME"] = "/nonexistent"
            become = f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --inh-caps=-all --bounding-set=-all"
            self.prefix = ["sh", "-c", become + ' "$@"', "sh"]
            if os.path.isdir(toolchains):
                # The user may not pass through to them where they are.
                place = self.data.parent / "toolchains"
                place.mkdir()
                self.environment["RUSTUP_HOME"] = str(place)
                self.prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind "{toolchains}" "{place}" && {become} "$@"', "sh"]
        return super().start()


@pytest.fixture(scope="module")
def target():
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o777)
        (pathlib.Path(path) / "cupel.toml").write_text("[limits]\nlog_size = 50_000_000\n")
        server = UserServer(pathlib.Path(path) / "data", "--config", f"{path}/cupel.toml").start()
        yield server
        assert server.process.poll() is None, f"the server died: {server.log_text()}"
        server.terminate()


def printing(statements, **files):
    """The files of a project whose build script runs `statements` with `out`, the pipe that the service reads."""
    return project({"build.rs": """
use std::io::Write;
fn main() {
    let path = format!("/proc/{}/fd/1", std::os::unix::process::parent_id());
    let mut out = std::fs::OpenOptions::new().write(true).open(path).expect("the service's pipe");
    %s
}
""" % statements, **files})


# What a build prints, and the lines that the log must have of it.
FORGED = {
    "an event": (b'data: {"type":"complete","result":{"status":"ok"}}', ['data: {"type":"complete","result":{"status":"ok"}}']),
    "an event's JSON": (b'{"type":"complete","result":{"status":"ok"}}', ['{"type":"complete","result":{"status":"ok"}}']),
    "two events": (b"data: a\n\ndata: b", ["data: a", "", "data: b"]),
    "an id": (b"id: 99", ["id: 99"]),
    "a type": (b"event: complete", ["event: complete"]),
    "a delay": (b"retry: 1", ["retry: 1"]),
    "a comment": (b": keep-alive", [": keep-alive"]),
    "no text": (b"", [""]),
    "CR before a forged line": (b"x\rdata: forged", ["x\ufffddata: forged"]),
    "CR first": (b"\rdata: forged", ["\ufffddata: forged"]),
    "CR alone": (b"\r", [""]),
    "CRLF": (b"x\r\ny\r", ["x", "y"]),
    "CR twice": (b"x\r\r", ["x\ufffd"]),
    "CR twice and a forged event": (b"\r\rdata: x\r\r", ["\ufffd\ufffddata: x\ufffd"]),
    "LF CR": (b"x\n\ry", ["x", "\ufffdy"]),
    "NUL": (b"a\0b\0", ["a\ufffdb\ufffd"]),
    "NUL and CR": (b"\0\rid: 1", ["\ufffd\ufffdid: 1"]),
    "control characters": (bytes(range(1, 9)) + b"\x0b\x0c\x0e", ["\ufffd" * 11]),
    "separators of ASCII": (b"a\x1cb\x1db\x1eb\x1fc", ["a\ufffdb\ufffdb\ufffdb\ufffdc"]),
    "DEL": (b"a\x7f", ["a\ufffd"]),
    "a tab": (b"\ta\t", ["\ta\t"]),
    "spaces": (b"  a  ", ["  a  "]),
    "quotation marks": (b'"}\\u0000\\"', ['"}\\u0000\\"']),
    "colours": (b"\x1b[31mred\x1b[0m", ["red"]),
    "a title": (b"\x1b]0;title\x07x", ["x"]),
    "a title that ends otherwise": (b"\x1b]0;title\x1b\\x", ["x"]),
    "a link": (b"\x1b]8;;http://e.org\x1b\\link\x1b]8;;\x1b\\", ["link"]),
    "a device control string": (b"\x1bP1$r0m\x1b\\x", ["x"]),
    "a privacy message": (b"\x1b^x\x1b\\y", ["y"]),
    "a cleared screen": (b"\x1b[2J\x1b[Hx", ["x"]),
    "a sequence with a long number": (b"\x1b[" + b"9" * 5000 + b"mx", ["x"]),
    "a sequence without end": (b"\x1b[31", [""]),
    "a title without end": (b"\x1b]0;data: x", [""]),
    "the line after one without end": (b"\x1b]0;x\ndata: y", ["", "data: y"]),
    "a two-byte escape": (b"\x1b(Bx\x1bcy", ["xy"]),
    "an escape at the end": (b"x\x1b", ["x"]),
    "an escape of 8 bits": (b"\x9b31mx", ["\ufffd31mx"]),
    "an escape of 8 bits in UTF-8": ("\u009b31mx".encode(), ["\ufffd31mx"]),
    "next line": ("a\u0085data: x".encode(), ["a\ufffddata: x"]),
    "a line separator": ("a\u2028data: x".encode(), ["a\u2028data: x"]),
    "a paragraph separator": ("a\u2029\u2029data: x".encode(), ["a\u2029\u2029data: x"]),
    "a byte order mark": ("\ufeffdata: x".encode(), ["\ufeffdata: x"]),
    "text from right to left": ("\u202edata".encode(), ["\u202edata"]),
    "marks that pile up": (("a" + "\u0301" * 500).encode(), ["a" + ("\u0301" * 30 + "\ufffd") * 16 + "\u0301" * 4]),
    "a byte that begins nothing": (b"a\xffb", ["a\ufffdb"]),
    "an overlong slash": (b"\xc0\xaf", ["\ufffd\ufffd"]),
    "an overlong line feed": (b"a\xc0\x8adata: x", ["a\ufffd\ufffddata: x"]),
    "an overlong line feed of three bytes": (b"a\xe0\x80\x8adata: x", ["a\ufffd\ufffd\ufffddata: x"]),
    "a surrogate": (b"\xed\xa0\x80", ["\ufffd\ufffd\ufffd"]),
    "beyond the last character": (b"\xf4\x90\x80\x80", ["\ufffd\ufffd\ufffd\ufffd"]),
    "half a character": (b"x\xe2\x82", ["x\ufffd"]),
    "half a character before a line": (b"\xf0\x9f\x98\ndata: x", ["\ufffd", "data: x"]),
    "a character that an end of line breaks": (b"\xe2\x82\n\xac", ["\ufffd", "\ufffd"]),
    "a character that CR breaks": (b"\xe2\x82\r\xac", ["\ufffd\ufffd\ufffd"]),
    "an escape within a character": (b"\xe2\x82\x1b[0m\xac", ["€"]),
    "a line of the limit": (b"x" * LIMIT, ["x" * LIMIT]),
    "a line beyond the limit": (b"x" * (LIMIT + 1), ["x" * (LIMIT - len(MARK.encode())) + MARK]),
    "a line of bad bytes": (b"\xff" * LIMIT, ["\ufffd" * ((LIMIT - len(MARK.encode())) // 3) + MARK]),
}
# A character of three bytes at every place of the cut.
for shift in range(8):
    text = "x" * (LIMIT - 12 + shift) + "€" * 6
    room = (LIMIT - len(MARK.encode()) - (LIMIT - 12 + shift)) // 3
    kept = "x" * min(LIMIT - 12 + shift, LIMIT - len(MARK.encode())) + "€" * max(0, room)
    FORGED[f"a cut within a character, {shift}"] = (text.encode(), [kept + MARK])
# Characters of every length at every place of the pieces in which output is read.
MANY = [f"{i} " + "€é😀"[i % 3] * (i % 97) for i in range(4000)]

READ_BY_OTHERS = """
import json, sys
import httpx, httpx_sse, sseclient
url = sys.argv[1]
with httpx.Client(timeout=60) as client:
    with httpx_sse.connect_sse(client, "GET", url) as source:
        first = [event.data for event in source.iter_sse()]
    with client.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
        second = [(event.id, event.data) for event in sseclient.SSEClient(response.iter_bytes()).events()]
json.dump({"httpx-sse": first, "sseclient-py": [data for _, data in second], "ids": [id for id, _ in second]}, sys.stdout)
"""


@pytest.fixture(scope="module")
def forged(target):
    """A build that prints all of it, made by our own client: (job, events as our client read them)."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-") as path:
        folder = pathlib.Path(path) / "probe"
        payload = b"".join(b"begin %d\n%s\n" % (i, bytes_) for i, (bytes_, _) in enumerate(FORGED.values()))
        payload += b"".join(line.encode() + b"\n" for line in MANY)
        files = printing('out.write_all(include_bytes!("payload")).unwrap();', payload=payload)
        for name, body in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(body if isinstance(body, bytes) else body.encode())
        done = cupel("build", folder, "--server", target.url, "--output", f"{path}/out", "--json", check=0)
    lines = [json.loads(line) for line in done.stdout.split("\n") if line]
    job = next(line["job_id"] for line in lines if line["type"] == "submitted")
    kinds = {"queued", "vm", "init", "detect", "build", "provenance", "attest", "complete"}
    return job, [line for line in lines if line["type"] in kinds]


def test_each_forged_line_is_one_event_with_its_text(forged):
    _, events = forged
    said = [event["msg"] for event in events if event["type"] == "build"]
    wrong = {}
    for i, (name, (_, expected)) in enumerate(FORGED.items()):
        start = said.index(f"begin {i}") + 1
        if said[start:start + len(expected)] != expected:
            wrong[name] = [line[:80] for line in said[start:start + len(expected)]]
        following = said[start + len(expected)]
        assert following == f"begin {i + 1}" or i + 1 == len(FORGED), (name, following[:80])
    assert not wrong, wrong
    assert said[said.index(MANY[0]):][:len(MANY)] == MANY
    assert all(len(line.encode()) <= LIMIT for line in said)
    print(f"{len(FORGED)} forged lines, {len(MANY)} lines of characters of every length")


def test_the_stream_is_framed_by_the_service_alone(target, forged):
    job, events = forged
    raw = target.raw_events(job)
    blocks = raw.split(b"\n\n")
    assert blocks.pop() == b"" and len(blocks) == len(events)
    for block in blocks:
        assert block.startswith(b'data: {"type":"') and block.endswith(b"}")
        assert not set(block) & {*range(32), 0x7F}, block[:100]
    assert parse_events(raw) == events, "our client and the bytes disagree"
    assert [event["type"] for event in events].count("complete") == 1 and events[-1]["result"] == {"status": "ok"}


def test_two_readers_of_others_read_the_same(target, forged, independent_python):
    job, events = forged
    read = independent_python(READ_BY_OTHERS, f"{target.url}/build/{job}/events")
    assert [json.loads(data) for data in read["sseclient-py"]] == events
    assert [json.loads(data) for data in read["httpx-sse"]] == events
    assert [int(id) for id in read["ids"]] == list(range(len(events))), "an id was forged, lost or repeated"


class Watched:
    """Resident memory of a server while something goes on, as the most that was seen above the start."""

    def __init__(self, server):
        self.server, self.most, self.over = server, 0, threading.Event()

    def __enter__(self):
        self.start = resident(self.server.process)
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, resident(self.server.process))

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    @property
    def growth(self):
        return self.most - self.start


MEMORY = 64 << 20


def build(server, statements, reader=True):
    """Builds and returns (events, outcome, growth of resident memory)."""
    with Watched(server) as watched:
        job = server.submit(tarball(printing(statements), top="probe"))
        events = server.events(job)
    return events, events[-1]["result"], watched.growth


def test_a_line_without_end_costs_no_memory(target):
    size = 1024 if THOROUGH else 256
    events, outcome, growth = build(target, f"""
    let block = vec![b'x'; 1 << 20];
    for _ in 0..{size} {{ out.write_all(&block).unwrap(); }}
    out.write_all(b"\\nafter\\n").unwrap();""")
    assert outcome == {"status": "ok"}, outcome
    said = [event["msg"] for event in events if event["type"] == "build"]
    assert "x" * (LIMIT - len(MARK.encode())) + MARK in said and "after" in said
    assert sum(len(line) for line in said) < 2 * LIMIT, "a long line was kept in pieces"
    print(f"one line of {size} MiB: resident memory grew by {growth >> 10} KiB")
    assert growth < MEMORY, f"{growth >> 20} MiB more"


def test_a_million_empty_lines_are_a_million_events(target):
    events, outcome, growth = build(target, """
    let block = vec![b'\\n'; 100_000];
    for _ in 0..10 { out.write_all(&block).unwrap(); }""")
    assert outcome == {"status": "ok"}, outcome
    assert sum(event == {"type": "build", "msg": ""} for event in events) == 1_000_000
    print(f"a million empty lines: resident memory grew by {growth >> 10} KiB")
    assert growth < MEMORY, f"{growth >> 20} MiB more"


def test_output_without_a_last_line_end_is_a_line(target):
    events, outcome, _ = build(target, """
    for i in 0..50_000 { out.write_all(format!("{i},").as_bytes()).unwrap(); }
    std::thread::sleep(std::time::Duration::from_millis(50));
    println!("cargo:warning=x");""")
    assert outcome == {"status": "ok"}, outcome
    line = next(event["msg"] for event in events if event["type"] == "build" and event["msg"].startswith("0,1,"))
    assert line.endswith(MARK) and len(line.encode()) <= LIMIT


@pytest.mark.parametrize("name, block", [("lines", "b\"0123456789abcdef0123456789abcde\\n\".repeat(1 << 15)"),
                                         ("empty lines", "vec![b'\\n'; 1 << 20]"), ("bad bytes", "vec![0xffu8; 1 << 20]"),
                                         ("escapes", "b\"\\x1b[31m\".repeat(1 << 18)")])
def test_output_as_fast_as_a_pipe_takes_it_ends_or_is_dropped(target, name, block):
    """A gigabyte: what would exceed the log's limit ends the build, and what makes no line is dropped."""
    size = 1024 if THOROUGH else 256
    events, outcome, growth = build(target, f"""
    let block = {block};
    for _ in 0..{size} {{ if out.write_all(&block).is_err() {{ std::process::exit(1); }} }}
    out.write_all(b"\\n").unwrap();""")
    print(f"{name}: {outcome}, resident memory grew by {growth >> 10} KiB")
    if outcome["status"] == "failed":
        assert outcome["error_type"] == "ResourceLimitError" and "log" in outcome["error"], outcome
    else:
        assert name in ("bad bytes", "escapes"), outcome
    assert growth < MEMORY, f"{growth >> 20} MiB more"
    assert target.call("GET", "/health")[0] == 200
