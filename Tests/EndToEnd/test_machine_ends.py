# SPDX-License-Identifier: Apache-2.0
"""How machines end: by themselves, killed, left by a killed server. Nothing of them stays.

    CUPEL_THOROUGH=1 pytest -s Tests/EndToEnd/test_machine_ends.py      20 one after another and 4 at once, too
"""
import concurrent.futures
import json
import os
import pathlib
import signal
import tempfile
import time

import pytest

from conftest import THOROUGH, parse_events, tarball
from machine_census import Census, assert_no_more, machines, of_machines, settled
from machine_scenes import archived
from machine_server import MachineServer, is_gone, is_of, wait_for
from nix_flakes import build_maker, make, write_flake

# Needs a machine as any other, and is over as soon as it has one.
NOTHING_TO_BUILD = tarball({"README": "nothing to build"}, top="probe")


@pytest.fixture(scope="module", autouse=True)
def behind(stage):
    """What other tests look at is made meanwhile."""
    return stage


@pytest.fixture(scope="module")
def service(guest_image):
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = MachineServer(pathlib.Path(path) / "service", guest_image, concurrency=4 if THOROUGH else 2).start()
        yield server
        server.kill()


@pytest.fixture(scope="module")
def endless(guest_image):
    """A flake whose build waits for an hour, and says so when it begins."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        folder = pathlib.Path(path)
        expression = make("plain", "show", "/none", "wait", "3600", "write", "${out}", "x")
        yield archived(write_flake(folder / "endless", expression, maker=build_maker(folder)))


def fail_fast(server):
    """A build that needs a machine and ends at once; its events."""
    job = server.submit(NOTHING_TO_BUILD)
    events = server.events(job)
    assert events[-1]["result"]["error_type"] == "UnsupportedToolchainError", events
    assert any(event["type"] == "vm" for event in events)
    assert server.events(job) == events
    return events


def building(server, archive):
    """A job, and its events up to the first of its build."""
    job = server.submit(archive)
    return job, [event for _, event in server.follow(job, until=is_of("build", "building"))]


def assert_ended_with_the_machine(server, job, seen):
    events = server.events(job)
    assert events[:len(seen)] == seen, "what a reader had seen has changed"
    outcome = events[-1]["result"]
    assert outcome["error_type"] == "MachineError", outcome
    assert [event["type"] for event in events].count("complete") == 1
    assert server.events(job) == events and server.result(job)[0] == 404
    return outcome["error"]


def at_once(server, count):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: fail_fast(server), range(count)))


def test_machines_in_a_row_and_at_once_leave_nothing(service):
    # What a server opens for its first machines, it keeps for the next.
    at_once(service, 2)
    before = settled(service)
    for _ in range(3):
        fail_fast(service)
    row = settled(service)
    assert_no_more(before, row)
    at_once(service, 2)
    after = settled(service)
    print(f"\n3 in a row, 2 at once: {len(before.descriptors)} → {len(row.descriptors)} → {len(after.descriptors)} "
          f"descriptors, {before.memory >> 20} → {row.memory >> 20} → {after.memory >> 20} MiB")
    assert_no_more(before, after)


@pytest.mark.skipif(not THOROUGH, reason="20 in a row and 4 at once take eight minutes: CUPEL_THOROUGH=1")
def test_many_machines_leave_nothing(service):
    at_once(service, 4)
    before, start = settled(service), time.monotonic()
    for _ in range(20):
        fail_fast(service)
    row, first = time.monotonic() - start, settled(service)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        most = pool.submit(lambda: wait_for(lambda: len(machines(service.data)) == 4, 300, "there are not 4 machines"))
        at_once(service, 4)
    assert most.result()
    after = settled(service)
    print(f"\n20 in a row: {row:.0f} s; 4 at once: {time.monotonic() - start - row:.0f} s; descriptors "
          f"{len(before.descriptors)} → {len(first.descriptors)} → {len(after.descriptors)}; memory "
          f"{before.memory >> 20} → {first.memory >> 20} → {after.memory >> 20} MiB")
    assert_no_more(before, after)


def test_a_machine_or_its_tpm_that_is_killed_ends_its_build_and_no_other(service, endless):
    before = settled(service)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = dict(pool.map(lambda _: building(service, endless), range(2)))
    victim = machines(service.data)[0]
    os.kill(victim, signal.SIGKILL)
    first = wait_for(lambda: ended(service, jobs), 60, "no build has ended with its machine")
    message = assert_ended_with_the_machine(service, first, jobs.pop(first))
    assert "console" in message, message
    (second, seen), = jobs.items()
    assert ended(service, jobs) is None, "the other build has ended too"
    tpm, = of_machines(service.data, "swtpm")
    os.kill(tpm, signal.SIGKILL)
    wait_for(lambda: ended(service, jobs), 60, "no build has ended with its TPM")
    assert_ended_with_the_machine(service, second, seen)
    assert_no_more(before, settled(service))


def ended(server, jobs):
    """One of these jobs that is over."""
    return next((job for job in jobs if json.loads(server.call("GET", f"/build/{job}")[2])["status"] == "failed"), None)


def test_a_server_that_is_killed_leaves_nothing_that_its_next_start_does_not_remove(guest_image, endless, folder):
    server = MachineServer(folder / "killed", guest_image, concurrency=1).start()
    job = server.submit(endless)
    events = [event for _, event in server.follow(job, until=is_of("build", "building"))]
    seen = server.data / "jobs" / job / "events.sse"
    prefix = seen.read_bytes()
    left = of_machines(server.data)
    assert len(left) >= 2, left
    server.kill()
    server.start()
    wait_for(lambda: all(map(is_gone, left)), 30, "a machine outlived the next start of its server")
    again = [event for _, event in server.follow(job, until=is_of("init", "afresh"))]
    assert again[:len(events)] == events
    wait_for(lambda: machines(server.data), 60, "the build that was interrupted has no machine")
    assert server.call("DELETE", f"/build/{job}")[0] == 200
    raw = server.raw_events(job)
    assert raw.startswith(prefix)
    assert parse_events(raw)[-1]["result"]["error_type"] == "CancelledError"
    after = settled(server)
    assert not [path for path in after.files if "machine" in path and (server.data / path).is_file()], after.files
    assert server.terminate() == 0
    assert not of_machines(server.data)
