# SPDX-License-Identifier: Apache-2.0
"""What the service promises when it is killed or asked to stop."""
import json
import os
import random
import subprocess
import threading
import time

from conftest import SEED, cupel, parse_events, project, tarball, unpack

# A build that takes a while, and says so line by line.
SLOW = project({"build.rs": """
fn main() {
    for i in 0..%d {
        eprintln!("step {i}");
        println!("cargo:warning=step {i}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
""" % 15})


def slow_project():
    return tarball(SLOW, top="probe")


def no_orphans(data):
    """Processes of builds that are alive, and what builds have left in the data folder. What the server that runs now
    does to warm up is its own."""
    alive = subprocess.run(["pgrep", "-af", "bwrap|cargo|rustc|build-script-build"], capture_output=True, text=True).stdout
    alive = [line for line in alive.splitlines()
             if (str(data) in line or "build-script-build" in line) and "/.warm-up" not in line]
    left = [p for folder in ("workspaces", "incoming") for p in (data / folder).glob("*") if p.name != ".warm-up"]
    return alive, left


def assert_promises(raw, live_prefix):
    """The stream that a reader saw before the kill is the beginning of the stream after it, and ends exactly once."""
    assert raw.startswith(live_prefix), "what a reader had seen has changed"
    types = [e["type"] for e in parse_events(raw)]
    assert types.count("complete") == 1 and types[-1] == "complete"


def read_until_cut(server, job, into):
    try:
        with server.stream(job) as response:
            while block := response.readline():
                into.append(block)
    except OSError:
        pass
    except Exception as error:  # http.client.IncompleteRead: the server was killed
        into.append(getattr(error, "partial", b""))


def test_kill_at_random_moments_of_a_running_build(new_server, folder):
    rounds = int(os.environ.get("CUPEL_KILLS", "20"))
    moments = random.Random(SEED)
    print(f"CUPEL_SEED={SEED}")
    data = folder / "data"
    server = new_server("--concurrency", "1", data=data)
    job, seen = None, []
    finished = {}
    kills = 0
    while kills < rounds:
        job = server.submit(slow_project())
        waiting = server.submit(tarball(project({}), top="waits"))
        attempts = 0
        while True:
            seen = []
            reader = threading.Thread(target=read_until_cut, args=(server, job, seen))
            reader.start()
            moment = moments.uniform(0, 2.0)
            reader.join(moment)
            server.kill()
            kills += 1
            attempts += 1
            reader.join()
            server = new_server("--concurrency", "1", data=data)
            prefix = b"".join(seen)
            prefix = prefix[:prefix.rfind(b"\n\n") + 2] if b"\n\n" in prefix else b""
            if attempts == 2 or kills == rounds:
                raw = server.raw_events(job)
                assert_promises(raw, prefix)
                outcome = parse_events(raw)[-1]["result"]
                assert outcome["status"] == "ok" or outcome["error_type"] == "InterruptedError", outcome
                status, _, body = server.result(job)
                assert (status == 200) == (outcome["status"] == "ok")
                break
        raw_waiting = server.raw_events(waiting)
        outcome = parse_events(raw_waiting)[-1]["result"]
        assert outcome["status"] == "ok" or outcome["error_type"] == "InterruptedError", outcome
        finished[job], finished[waiting] = raw, raw_waiting
        for known, bytes_before in finished.items():
            assert server.raw_events(known) == bytes_before, "a finished stream has changed"
        alive, left = no_orphans(data)
        assert not alive and not left, (alive, left)


def test_a_second_interruption_ends_the_build(new_server, folder):
    data = folder / "data"
    endless = tarball(project({"build.rs": "fn main() { loop { std::thread::sleep(std::time::Duration::from_secs(1)); } }"}),
                      top="probe")
    server = new_server(data=data)
    job = server.submit(endless)
    for _ in range(2):
        with server.stream(job) as response:
            seen = b""
            while seen.count(b"Compiling probe") < 1 + _:
                seen += response.readline()
        server.kill()
        server = new_server(data=data)
    events = server.events(job)
    assert events[-1]["result"]["error_type"] == "InterruptedError"
    assert sum(1 for e in events if e["type"] == "detect") == 2
    assert any("afresh" in e.get("msg", "") for e in events), "the stream does not say that the build started afresh"
    assert server.result(job)[0] == 404


def test_a_start_without_machines_removes_those_that_an_earlier_run_left(new_server, folder):
    data = folder / "data"
    machine = data / "machines/machine-left"
    (machine / "tpm").mkdir(parents=True)
    process = subprocess.Popen(["/bin/sh", "-c", "sleep 600; true"], cwd=machine)
    try:
        new_server(data=data)
        assert process.wait(60) == -9
    finally:
        process.kill()
    assert list((data / "machines").iterdir()) == []


def test_an_acknowledged_job_survives_a_kill_a_moment_later(new_server, folder):
    data = folder / "data"
    server = new_server("--concurrency", "1", data=data)
    jobs = [server.submit(tarball(project({}), top="probe")) for _ in range(4)]
    server.kill()
    server = new_server("--concurrency", "1", data=data)
    for job in jobs:
        assert server.events(job)[-1]["result"] == {"status": "ok"}
        assert "provenance.json" in unpack(server.result(job)[2])


def test_a_drain_finishes_what_runs_and_keeps_what_waits(new_server, folder):
    data = folder / "data"
    server = new_server("--concurrency", "1", data=data)
    running = server.submit(slow_project())
    waiting = server.submit(tarball(project({}), top="probe"))
    refused = []
    with server.stream(running) as response:
        seen = b""
        while b"step 2" not in seen:
            seen += response.readline()
        server.process.terminate()
        deadline = time.monotonic() + 10
        while not refused and time.monotonic() < deadline:
            try:
                status, headers, _ = server.call("POST", "/build", json.dumps({}), {"content-type": "application/json"})
                if status == 503:
                    refused.append(headers.get("retry-after"))
            except OSError:
                break
        seen += response.read()
    assert refused and refused[0], "a drain must answer 503 with Retry-After"
    assert parse_events(seen)[-1] == {"type": "complete", "result": {"status": "ok"}}
    assert server.terminate() == 0
    server = new_server("--concurrency", "1", data=data)
    assert server.raw_events(running) == seen
    assert server.events(waiting)[-1]["result"] == {"status": "ok"}


def test_two_servers_never_share_a_data_folder(new_server, folder):
    data = folder / "data"
    new_server(data=data)
    second = cupel("serve", "--port", "0", "--data", data, check=2)
    assert "data" in second.stderr and "in use" in second.stderr
