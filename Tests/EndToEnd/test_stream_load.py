# SPDX-License-Identifier: Apache-2.0
"""Many readers of a build that runs, readers that come and go, that stall, and that never finish asking. What each is
sent is the stream and nothing else, the others notice nothing, and what the service held for them it gives back."""
import contextlib
import http.client
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import tempfile
import time

import pytest

from conftest import SEED, THOROUGH, Server, project, tarball
from wire import connect, descriptors, resident, settled_descriptors

# Descriptors of a server and of a crowd with 10,000 readers.
WANTED = 10_500


@pytest.fixture(scope="module")
def readers():
    """As many readers as this machine lets one process have, up to 10,000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < WANTED:
        # Some may raise it.
        with contextlib.suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, WANTED))
            hard = WANTED
    allowed = min(WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    if allowed < 2500:
        pytest.skip(f"this machine allows {allowed} descriptors, and 2,500 are needed")
    if allowed < WANTED:
        print(f"this machine allows {allowed} descriptors: fewer readers than 10,000")
    return min(10_000, allowed - 500)


@pytest.fixture(scope="module")
def target(readers):
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data", "--concurrency", "2").start()
        yield server
        assert server.process.poll() is None, f"the server died: {server.log_text()}"
        server.terminate()


@pytest.fixture(scope="module")
def crowd():
    with tempfile.TemporaryDirectory(prefix="cupel-test-") as path:
        program = pathlib.Path(path) / "crowd"
        source = pathlib.Path(__file__).with_name("crowd.c")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)

        def run(mode, server, job, *numbers):
            command = [program, mode, str(server.port), f"/build/{job}/events", *map(str, numbers), str(SEED)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stderr
            print(f"CUPEL_SEED={SEED} {mode}: {done.stdout.strip()} {done.stderr.strip()}")
            return json.loads(done.stdout)

        yield run


def talking(first, bursts, lines, pause):
    """A project whose build prints `first` lines at once, and then bursts of lines with a pause of milliseconds between.
    What a macro prints passes cargo as it happens."""
    crate = '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n'
    return tarball(project({
        "Cargo.toml": crate % "probe" + '[dependencies]\ntalker = { path = "talker" }\n',
        "Cargo.lock": 'version = 3\n\n[[package]]\nname = "probe"\nversion = "0.1.0"\ndependencies = [\n "talker",\n]\n\n'
                      '[[package]]\nname = "talker"\nversion = "0.1.0"\n',
        "src/main.rs": "talker::talk!();\nfn main() {}\n",
        "talker/Cargo.toml": crate % "talker" + "[lib]\nproc-macro = true\n",
        "talker/src/lib.rs": """
extern crate proc_macro;
#[proc_macro]
pub fn talk(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut line = 0;
    let mut say = |count: usize| {
        let mut text = String::new();
        for _ in 0..count {
            text += &format!("line {line} {}\\n", "x".repeat(line * 37 %% 120));
            line += 1;
        }
        eprint!("{text}");
    };
    say(%d);
    for _ in 0..%d {
        std::thread::sleep(std::time::Duration::from_millis(%d));
        say(%d);
    }
    proc_macro::TokenStream::new()
}
""" % (first, bursts, pause, lines)}), top="probe")


def wait_for(server, job, text):
    """Returns when an event of the job's stream holds the text."""
    with server.stream(job) as response:
        while text not in (line := response.readline()):
            assert line, "the stream ended"


def test_a_crowd_that_joins_at_random_moments_reads_one_stream(target, crowd, readers):
    count = readers
    before = descriptors(target.process)
    job = target.submit(talking(first=100, bursts=40, lines=10, pause=200))
    got = crowd("join", target, job, count, 9_000)
    assert got["readers"] == count and got["different"] == got["refused"] == got["broken"] == 0, got
    assert got["events"] > 500 and got["rejoined"] > count / 20 and got["paused"] > count / 20, got
    assert settled_descriptors(target.process, before + 8) <= before + 8


def test_readers_who_come_and_go_leave_nothing(target, crowd):
    """1,000 connections a second. A first round warms up: what a server keeps for reuse it has kept by then."""
    seconds = 60 if THOROUGH else 10
    job = target.submit(talking(first=50, bursts=2 * seconds + 20, lines=1, pause=1000))
    wait_for(target, job, b"line 49 ")
    crowd("churn", target, job, 1000, seconds / 2)
    before = settled_descriptors(target.process, 0, patience=2)
    memory = resident(target.process)
    got = crowd("churn", target, job, 1000, seconds)
    rate, share = (700, 3) if THOROUGH else (300, 5)
    assert got["made"] > rate * seconds and got["answered"] > got["made"] / share, got
    assert got["failures"] < got["made"] / 100, got
    after, memory_after = settled_descriptors(target.process, before), resident(target.process)
    print(f"{got['made']} connections: descriptors {before} -> {after}, resident {memory >> 10} -> {memory_after >> 10} KiB")
    assert after <= before + 2
    assert memory_after <= (memory * 1.02 + (1 << 20) if THOROUGH else memory * 1.05 + (4 << 20))


def latencies(server, count=200):
    """Seconds that `GET /health` takes on one connection, sorted."""
    times = []
    with connect(server.port) as connection:
        for _ in range(count):
            start = time.monotonic()
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(4096)
            times.append(time.monotonic() - start)
    return sorted(times)


def test_a_thousand_stalled_and_a_thousand_silent_do_not_slow_the_others(target):
    job = target.submit(talking(first=20_000, bursts=8, lines=2_000, pause=500))
    wait_for(target, job, b"line 19999 ")
    open_before = descriptors(target.process)
    quiet, memory = latencies(target), resident(target.process)
    held = []
    try:
        for number in range(2000):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", target.port))
            # Half of them ask and do not read; the other half do not finish asking.
            request = f"GET /build/{job}/events HTTP/1.1\r\nHost: x\r\n"
            connection.sendall((request + "\r\n" if number % 2 else request[:number % 40]).encode())
            held.append(connection)
        raw = target.raw_events(job)
        assert raw.endswith(b'{"type":"complete","result":{"status":"ok"}}\n\n')
        loud, memory_held = latencies(target), resident(target.process)
        each = (memory_held - memory) / len(held)
        print(f"GET /health p50 {statistics.median(quiet) * 1e3:.2f} -> {statistics.median(loud) * 1e3:.2f} ms, "
              f"p99 {quiet[-3] * 1e3:.2f} -> {loud[-3] * 1e3:.2f} ms; {each / 1024:.1f} KiB for each of {len(held)}")
        # Medians, since others use this machine; a server that waits for one of them is slower by far more.
        assert statistics.median(loud) < 4 * statistics.median(quiet) + 0.06
        assert each < 64 << 10, "what stalled readers do not take is kept for them"
        # One that reads on after all finds every byte.
        held[1].settimeout(60)
        response = http.client.HTTPResponse(held[1])
        response.begin()
        blocks = [block + b"\n\n" for block in response.read().split(b"\n\n") if block and not block.startswith(b":")]
        assert b"".join(blocks) == raw and held[1].recv(1) == b""
    finally:
        for connection in held:
            connection.close()
    assert settled_descriptors(target.process, open_before + 4) <= open_before + 4


def test_a_server_that_runs_out_of_descriptors_goes_on_when_it_has_some_again(new_server):
    server = new_server()
    everything = f"/proc/{server.process.pid}/fd"
    used = len(os.listdir(everything))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
    held = [connect(server.port) for _ in range(100)]
    deadline = time.monotonic() + 10
    while len(os.listdir(everything)) < used + 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    for connection in held:
        connection.close()
    assert server.call("GET", "/health")[0] == 200
    _, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome == {"status": "ok"}, outcome
