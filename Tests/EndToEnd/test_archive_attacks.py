# SPDX-License-Identifier: Apache-2.0
"""Uploads that are made to harm: each is refused with its reason, or taken for what it is, and harms nobody.

For each: nothing appears outside of the job's own folder, the workspace is gone, time, memory and disk are bounded, and the
service goes on. With `CUPEL_THOROUGH=1` a million entries are unpacked up to the default limit of their number too."""
import json
import os
import pathlib
import secrets
import tempfile
import threading
import time

import pytest

import hostile_archives
from conftest import THOROUGH, Server, log_of, project, tarball
from wire import left_behind

MIB = 1 << 20
# The largest upload has 10 MB, and may unpack to 100 times that.
SECONDS, MEMORY, DISK = 90, 96 * MIB, 1100 * MIB
ESCAPE = f"{tempfile.gettempdir()}/cupel-escape-{secrets.token_hex(8)}"


class Watch:
    """What one upload costs the service at most."""

    def __init__(self, server):
        self.server, self.proc = server, pathlib.Path(f"/proc/{server.process.pid}")
        # The peak of the resident memory starts anew.
        (self.proc / "clear_refs").write_text("5")
        self.before, self.start, self.disk = self.memory(), time.monotonic(), 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch_disk, daemon=True)
        self.thread.start()

    def memory(self):
        lines = (self.proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))

    def watch_disk(self):
        while not self.over.wait(0.1):
            self.disk = max(self.disk, used(self.server.data / "workspaces"))

    def check(self, what, seconds=SECONDS):
        self.over.set()
        self.thread.join()
        took, memory = time.monotonic() - self.start, self.memory() - self.before
        assert took < seconds, f"{what} took {took:.1f} s"
        assert memory < MEMORY, f"{what} took {memory / MIB:.0f} MiB of memory"
        assert self.disk < DISK, f"{what} took {self.disk / MIB:.0f} MiB of disk"
        assert not os.path.exists(ESCAPE), f"{what} escaped"
        assert left_behind(self.server.data) == [], f"{what} left something"
        assert self.server.call("GET", "/health")[0] == 200


def used(folder):
    """Bytes of the files in a folder that somebody else fills and empties."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names[:1000]:
            try:
                size += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                pass
    return size


def submit(server, name, data):
    path = f"/build?nonce={secrets.token_hex(16)}&source_name={name}"
    kind = "application/zip" if name.endswith(".zip") else "application/gzip"
    status, _, answer = server.call("POST", path, data, {"content-type": kind})
    assert status == 202, (status, answer)
    return json.loads(answer)["job_id"]


def outcome_of(server, job):
    outcome = server.events(job)[-1]["result"]
    return outcome.get("error_type", "ok"), outcome.get("error", "")


@pytest.fixture(scope="module")
def attacked():
    """A server of these tests' own, whose memory nothing else uses."""
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        server = Server(pathlib.Path(path) / "data").start()
        assert server.build(tarball(project({}), top="probe"))[2] == {"status": "ok"}
        yield server
        assert server.terminate() == 0


CASES = list(hostile_archives.all_cases(ESCAPE))


@pytest.mark.parametrize("what, name, data, kind, reason", CASES, ids=[case[0] for case in CASES])
def test_a_hostile_archive_is_refused_with_its_reason(attacked, what, name, data, kind, reason):
    watch = Watch(attacked)
    job = submit(attacked, name, data)
    found, error = outcome_of(attacked, job)
    watch.check(what)
    assert found == kind and reason in error, f"{what}: {found}: {error}"
    assert "\n" not in error and str(attacked.data) not in error and len(error) < 600, error
    assert set(os.listdir(attacked.data / "jobs" / job)) <= {"source", "events.sse"}


def test_archives_cut_at_100_points_are_refused(attacked):
    watch = Watch(attacked)
    cases, wrong = list(hostile_archives.cut_cases(100)), []
    # As many at a time as may wait in line.
    for first in range(0, len(cases), 50):
        jobs = [(what, kind, submit(attacked, name, data)) for what, name, data, kind, _ in cases[first:first + 50]]
        outcomes = [(what, kind, outcome_of(attacked, job)) for what, kind, job in jobs]
        wrong += [(what, outcome) for what, kind, outcome in outcomes if outcome[0] != kind]
    watch.check("200 cut archives", 360)
    assert len(cases) == 200 and wrong == []


def test_zip_files_of_common_programs_are_taken(attacked, folder):
    place = folder / "files"
    place.mkdir()
    jobs = [(who, submit(attacked, "p.zip", data)) for who, data in hostile_archives.good_zips(place)]
    assert [(who, outcome_of(attacked, job)[0]) for who, job in jobs] == [(who, hostile_archives.ACCEPTED) for who, _ in jobs]


def test_a_million_entries_meet_the_limit_of_their_number(new_server):
    """With a limit of 20,000, so that the test is no attack itself: making and removing half a million files takes a minute."""
    environment = {} if THOROUGH else {"CUPEL_LIMITS_FILE_COUNT": "20000"}
    server = new_server(environment=environment)
    data = hostile_archives.many_entries(1_000_000)
    for name, content in (("p.tar.gz", data), ("p.zip", hostile_archives.many_in_zip(60_000))):
        if THOROUGH and name == "p.zip":
            continue
        job = submit(server, name, content)
        found, error = outcome_of(server, job)
        assert found == "ResourceLimitError" and "file count" in error, error
        assert left_behind(server.data) == []


def test_what_is_taken_is_taken_without_its_dangers(attacked):
    """Set-user-id goes, names that differ by case stay, an archive's owner and times do not count."""
    script = (
        'use std::os::unix::fs::MetadataExt;\nfn main() {\n'
        '  for name in ["tool", "Tool", "link"] {\n    let m = std::fs::symlink_metadata(name).unwrap();\n'
        '    eprintln!("{} {:o} {} {}", name, m.mode(), m.mtime(), m.nlink());\n  }\n  std::process::exit(1);\n}\n')
    files = [hostile_archives.entry(path, body.encode()) for path, body in project({"build.rs": script}).items()]
    odd = {"uid": 0, "gid": 0, "mtime": 4_000_000_000, "uname": "root"}
    for extra in (hostile_archives.entry("tool", b"1", mode=0o7777, **odd),
                  hostile_archives.entry("Tool", b"2", mode=0o2001, **odd),
                  hostile_archives.entry("link", kind=hostile_archives.LNK, target="tool", mode=0o7777)):
        files.append(extra)
    job = submit(attacked, "p.tar.gz", hostile_archives.tgz(*files))
    log = log_of(attacked.events(job))
    for line in ("tool 100755 315532800 1", "Tool 100644 315532800 1", "link 100755 315532800 1"):
        assert line in log, log
