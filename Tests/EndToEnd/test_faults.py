# SPDX-License-Identifier: Apache-2.0
"""Every call by which the service touches its disk fails once: a full disk, a sick one, an interrupted call, a short
write. Nothing torn is served, whoever is concerned is told, and afterwards all is well.

    CUPEL_THOROUGH=1 pytest -s Tests/EndToEnd/test_faults.py      twelve times as many points
    CUPEL_SEED=5 pytest -s Tests/EndToEnd/test_faults.py          the points of another seed"""
import contextlib
import errno
import http.client
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import time

import pytest

import faults
from conftest import SEED, THOROUGH
from faulty_service import Service, hanging_address


@pytest.fixture(scope="session")
def layer(tmp_path_factory):
    return faults.compile_layer(tmp_path_factory.mktemp("layer"))


def points(journal):
    """Every failure of every call: (kind, which of its kind, error)."""
    seen = {}
    for kind, _ in journal:
        seen[kind] = seen.get(kind, 0) + 1
    return [(kind, number, error) for kind, count in sorted(seen.items()) for number in range(1, count + 1)
            for error in faults.ERRORS[kind]]


def some(all_points, count):
    """As many as `count`, chosen by the seed; twelve times as many when thorough."""
    print(f"\nCUPEL_SEED={SEED} {len(all_points)} points")
    limit = 12 * count if THOROUGH else count
    return random.Random(SEED).sample(all_points, min(limit, len(all_points)))


def is_invisible(point, service):
    """Nobody may notice an interrupted or a short call. Only SQLite takes an interrupted sync for a failed one."""
    kind, number, error = point
    journal = service.faults.journal()
    is_database = number <= len(journal) and journal[number - 1][1].startswith("/cupel.sqlite")
    return error in faults.INVISIBLE and not (kind == "sync" and is_database)


class Findings:
    """What went wrong, and at which point. All points are tried before a test fails."""

    def __init__(self):
        self.all = []

    @contextlib.contextmanager
    def at(self, point, service):
        kind, number, error = point
        before = len(service.log())
        try:
            yield
        except (AssertionError, OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError) as failure:
            journal = service.faults.journal()
            place = journal[number - 1] if number <= len(journal) else "?"
            self.all.append(f"{kind} {number} {faults.describe(error)}, {place}: {type(failure).__name__} {failure}\n"
                            + service.log()[before:])
            service.faults.disarm()

    def expect_none(self):
        assert not self.all, f"{len(self.all)} findings\n" + "\n".join(self.all)


@pytest.mark.parametrize("kind, count", [("git", 24), ("bad", 24), ("good", 8)])
def test_a_submission_meets_every_fault(folder, layer, kind, count):
    service = Service(folder / "data", layer)
    assert service.start()
    expected = [service.run(kind) for _ in range(2)][1]
    service.faults.arm()
    assert service.run(kind) == expected
    service.faults.disarm()
    done = told = 0
    findings = Findings()
    for point in some(points(service.faults.journal()), count):
        with findings.at(point, service):
            before = len(service.log())
            service.faults.arm(point[1], point[2], kinds=[point[0]])
            ended = service.run(kind)
            fired = service.faults.disarm()
            assert service.process.poll() is None, "the server ended"
            done += fired
            if ended == expected:
                continue
            told += 1
            assert fired, f"ended with {ended} without a fault"
            assert not is_invisible(point, service), f"an interrupted or short call was noticed: {ended}"
            # The operator is told too.
            service.wait_for_log(" (error|warning) |build.outcome=", before)
            assert service.run(kind) == expected, "the service did not go on"
    findings.expect_none()
    assert service.run(kind) == expected
    service.reckon()
    print(f"{done} faults, {told} of them noticed")
    assert done >= count * 2 // 3


@pytest.mark.parametrize("error, kinds, part", [
    (errno.EINTR, ["open", "create", "write", "truncate", "read"], ""), (errno.EINTR, ["sync"], "/jobs/"),
    (errno.EINTR, ["sync"], "/incoming/"), (faults.SHORT, ["write", "read"], ""),
])
def test_calls_that_are_always_interrupted_or_short_are_made_again(folder, layer, error, kinds, part):
    service = Service(folder / "data", layer)
    service.faults.arm(1, error, times=1 << 30, every=2, kinds=kinds, part=part)
    assert service.start(), service.log()
    for kind, expected in [("git", "SourceError"), ("bad", "UnsupportedToolchainError"), ("good", None)]:
        ended = service.run(kind)
        assert ended["refused"] == [] and ended.get("error_type") == expected, ended
    assert service.end(signal.SIGTERM) == 0
    assert service.start(), service.log()
    assert service.faults.disarm() > (0 if part else 50)
    assert not re.search(r" (error|warning) ", service.log()), service.log()
    service.reckon()


def test_a_build_whose_start_cannot_be_kept_ends(folder, layer):
    service = Service(folder / "data", layer, allow_private_sources="true")
    assert service.start()
    with hanging_address() as address:
        _, hanging = service.submit("hanging", repo_url=address)
        _, waiting = service.submit("git")
        service.wait_until_running(hanging)
        service.faults.arm(1, errno.EIO, times=1 << 30, kinds=["write"], part="/cupel.sqlite-wal")
    end = service.follow(waiting)
    assert service.faults.disarm() > 0
    assert end["error_type"] == "InternalError" and "submit it again" in end["error"], end
    assert "A build could not be started" in service.log()
    assert service.run("git")["error_type"] == "SourceError"
    service.reckon()


def copy_folder(template, data):
    shutil.copytree(template, data, symlinks=True, copy_function=shutil.copy2)
    os.chmod(data, 0o711)
    (data / "lock").unlink(missing_ok=True)


def start_once(service, point):
    """A start at which one call fails: it serves, or it ends and says why. Returns how many calls failed."""
    service.faults.arm(point[1], point[2], kinds=[point[0]])
    serves = service.start()
    if serves:
        fired = service.faults.disarm()
        assert service.run("git")["error_type"] == "SourceError"
        return fired
    fired = service.faults.disarm()
    assert not is_invisible(point, service), "an interrupted or short call kept the server from its start"
    assert service.process.returncode > 0, f"it ended by signal {-service.process.returncode}"
    assert "cupel: error: " in service.log(), "it did not say why it ended"
    return fired


@pytest.mark.parametrize("state, count", [("empty", 6), ("used", 6), ("interrupted", 6)])
def test_a_start_meets_every_fault(folder, layer, state, count):
    template, ledger = folder / "template", None
    if state == "used":
        ledger = make_used(template, layer)
    if state == "interrupted":
        ledger = make_interrupted(template, layer)
    data = folder / "counted"
    if ledger:
        copy_folder(template, data)
    service = Service(data, layer, ledger and ledger.copy())
    service.faults.arm()
    assert service.start()
    service.faults.disarm()
    journal = service.faults.journal()
    service.reckon()
    findings, done = Findings(), 0
    for number, point in enumerate(some(points(journal), count)):
        data = folder / f"data{number}"
        if ledger:
            copy_folder(template, data)
        service = Service(data, layer, ledger and ledger.copy())
        with findings.at(point, service):
            done += start_once(service, point)
            service.reckon()
        if service.process.poll() is None:
            service.end()
        shutil.rmtree(data, ignore_errors=True)
    findings.expect_none()
    print(f"{done} faults")
    assert done >= count // 2


def make_used(data, layer):
    """A folder with jobs that are over."""
    service = Service(data, layer)
    assert service.start(faulty=False)
    for kind in ["good", "bad"]:
        service.run(kind)
    assert service.end(signal.SIGTERM) == 0
    return service.ledger


def make_interrupted(data, layer):
    """What a kill leaves: jobs that are over, one in its second attempt, one in its first, two that wait, a torn log,
    an upload under way, a job that nobody was promised."""
    service = Service(data, layer, concurrency=2, allow_private_sources="true")
    with hanging_address() as address:
        for kinds in [["good", "bad"], []]:
            assert service.start(faulty=False)
            for kind in kinds:
                service.run(kind)
            _, hanging = service.submit("hanging", repo_url=address)
            service.wait_until_running(hanging)
            if kinds:
                service.end()
        for kind in ["git", "bad"]:
            service.submit(kind)
        service.end()
    with open(data / "jobs" / hanging / "events.sse", "ab") as log:
        log.write(b'data: {"type":"detect","ms')
    (data / "jobs" / hanging / "result.partial").write_bytes(b"half")
    stray = data / "jobs" / secrets.token_hex(16)
    stray.mkdir()
    (stray / "events.sse").write_bytes(b"")
    (data / "incoming" / secrets.token_hex(16)).write_bytes(b"half")
    return service.ledger


def test_a_drain_meets_every_fault(folder, layer):
    count = 4
    service = Service(folder / "data", layer, grace_seconds=0, allow_private_sources="true")

    def drain(point):
        """SIGTERM while one build runs and others wait. Returns how many calls failed."""
        with hanging_address() as address:
            assert service.start(), service.log()[-2000:]
            _, job = service.submit("hanging", repo_url=address)
            service.wait_until_running(job)
            for kind in ["git", "bad"]:
                service.submit(kind)
            service.faults.arm(*point[1:], kinds=[point[0]]) if point else service.faults.arm()
            status = service.end(signal.SIGTERM)
            fired = service.faults.disarm()
            assert status == 0 or status > 0 and "cupel: error: " in service.log(), f"it ended with {status}"
        journal = service.faults.journal()
        # Where the clone hung, nobody listens any more.
        service.reckon()
        return fired, journal

    findings, done = Findings(), 0
    _, journal = drain(None)
    # No two drains are alike: on a busy machine many points of the first are in no other.
    for point in some(points(journal), 5 * count):
        with findings.at(point, service):
            done += drain(point)[0]
        if service.process.poll() is None:
            service.end()
        if done >= (12 * count if THOROUGH else count):
            break
    findings.expect_none()
    print(f"{done} faults")
    assert done >= count // 2


def test_a_cancellation_meets_every_fault(folder, layer):
    count = 10
    service = Service(folder / "data", layer, allow_private_sources="true")
    assert service.start()

    def cancel(point):
        """DELETE while the build runs. A refusal is a sentence, and then the next one does it."""
        with hanging_address() as address:
            _, job = service.submit("hanging", repo_url=address)
            service.wait_until_running(job)
            service.faults.arm(*point[1:], kinds=[point[0]]) if point else service.faults.arm()
            status, _, body = service.ask("DELETE", f"/build/{job}")
            fired = service.faults.disarm()
            journal = service.faults.journal()
            if status != 200:
                assert status == 500 and " " in json.loads(body)["error"], (status, body)
                assert not (point and is_invisible(point, service)), "an interrupted or short call was noticed"
                status, _, body = service.ask("DELETE", f"/build/{job}")
            assert status == 200, (status, body)
            assert service.follow(job)["error_type"] == "CancelledError"
        assert service.process.poll() is None, "the server ended"
        return fired, journal

    findings, done = Findings(), 0
    _, journal = cancel(None)
    for point in some(points(journal), count):
        with findings.at(point, service):
            done += cancel(point)[0]
    findings.expect_none()
    service.reckon()
    print(f"{done} faults")
    assert done >= count // 2


def test_what_clients_are_told_was_synced_before(folder, layer):
    service = Service(folder / "data", layer, allow_private_sources="true")
    assert service.start()
    with hanging_address() as address:
        # The one build that may run does nothing, so that all calls are the submission's.
        _, hanging = service.submit("hanging", repo_url=address)
        service.wait_until_running(hanging)
        for kind in ["git", "bad"]:
            service.faults.arm(kinds=["write", "sync"])
            service.submit(kind)
            service.faults.disarm()
            calls = [call for call, path in service.faults.journal() if path == "/cupel.sqlite-wal"]
            assert "write" in calls and calls[-1] == "sync", f"the row was not synced: {calls}"
    service.reckon()
    assert service.start()
    service.faults.arm(kinds=["write", "sync", "rename"])
    _, job = service.submit("good")
    assert service.follow(job) == {"status": "ok"}
    service.faults.disarm()
    place = f"/jobs/{job}"
    calls = [(call, path.removeprefix(place)) for call, path in service.faults.journal() if path.startswith(place)]
    named = calls.index(("rename", "/result.tar.gz"))
    told = max(number for number, call in enumerate(calls) if call == ("write", "/events.sse"))
    assert ("sync", "/result.partial") in calls[:named], "the result was not synced before it got its name"
    assert ("sync", "") in calls[named:told], "the result's name was not synced before the end was told"
    assert ("sync", "/events.sse") in calls[told:], "the end was told before it was synced"
    service.end()


def test_a_full_disk_for_real(folder, layer):
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        service = Service(disk / "data", layer)
        service.log_path = folder / "log"
        assert service.start(faulty=False)
        assert service.run("good") == {"refused": [], "status": "ok"}
        fill_and_free(service, disk)
        service.reckon()
    finally:
        if service.process.poll() is None:
            service.end()
        subprocess.run(["umount", "--lazy", disk], check=True)


def wait_until_over(service, jobs, patience=20):
    """Until the log has the end of each job, or that its end finds no room, or until patience ends."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and not all(
            re.search(f"(Build ended|could not be (kept|started)).*{job}", service.log()) for job in jobs):
        time.sleep(0.02)


def fill_and_free(service, disk):
    """With less and less room, builds are refused or end with a sentence; with room again, they are good."""
    refused = failed = 0
    for room in [2 << 20, 256 << 10, 64 << 10, 16 << 10, 0]:
        filler = disk / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        os.truncate(filler, max(0, filler.stat().st_size - room))
        jobs = [service.submit(kind)[1] for kind in ["git", "bad", "good"]]
        refused += jobs.count(None)
        for job in list(service.ledger.kinds):
            if job in service.ledger.results:
                status, headers, body = service.ask("GET", f"/build/{job}/result")
                assert status == 200
                service.ledger.downloaded(job, headers["etag"], body, True)
        wait_until_over(service, [job for job in jobs if job])
        filler.unlink()
        ends = [service.follow(job) for job in jobs if job]
        # What fails may be a program of the build, too.
        failed += jobs[-1] is not None and ends[-1] != {"status": "ok"}
        assert all(end == {"status": "ok"} or " " in end["error"] for end in ends)
    print(f"\n{refused} refused, {failed} failed for lack of room")
    assert refused and failed
    assert service.run("good") == {"refused": [], "status": "ok"}
