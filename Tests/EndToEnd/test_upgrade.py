# SPDX-License-Identifier: Apache-2.0
"""A data folder that an earlier release wrote opens; what is damaged in one is found, set aside and named."""
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import time

from conftest import CUPEL, ENVIRONMENT, THOROUGH, parse_events, project, tarball, unpack

# The database of the first release, as it wrote it.
VERSION_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    error_type TEXT,
    error TEXT
);
CREATE INDEX job_state ON job (state, number);
PRAGMA user_version = 1;
"""
GOOD_LOG = b'data: {"type":"queued","position":0}\n\ndata: {"type":"detect","msg":"cargo"}\n\n' \
           b'data: {"type":"complete","result":{"status":"ok"}}\n\n'
BAD_LOG = b'data: {"type":"queued","position":3}\n\ndata: {"type":"queued","position":0}\n\n' \
          b'data: {"type":"complete","result":{"status":"failed","error":"no","error_type":"BuildError"}}\n\n'


def request(archive):
    return json.dumps({"nonce": "00ff", "source": {"archive": "project.tar.gz", "sha256": hashlib.sha256(archive).hexdigest(),
                                                   "size": str(len(archive))}}, separators=(",", ":"))


class OldFolder:
    """A data folder as the first release leaves it."""

    def __init__(self, path, journal="WAL"):
        self.path = path
        for folder, mode in {"": 0o711, "jobs": 0o700, "incoming": 0o700, "workspaces": 0o711}.items():
            (path / folder).mkdir(mode)
            (path / folder).chmod(mode)
        self.key = secrets.token_bytes(32)
        (path / "software.key").write_bytes(self.key)
        (path / "software.key").chmod(0o600)
        (path / "incoming" / secrets.token_hex(16)).write_bytes(b"half an upload")
        self.database = sqlite3.connect(path / "cupel.sqlite")
        self.database.executescript(VERSION_1.replace("WAL", journal))

    def add(self, state, log, archive=None, result=None, attempt=0, error=(None, None)):
        job = secrets.token_hex(16)
        folder = self.path / "jobs" / job
        folder.mkdir(mode=0o700)
        (folder / "events.sse").write_bytes(log)
        if archive:
            (folder / "source").write_bytes(archive)
        if result:
            (folder / "result.tar.gz").write_bytes(result)
        self.database.execute(
            "INSERT INTO job (id, request, state, attempt, created_at, error_type, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (job, request(archive or b"x"), state, attempt, "2026-01-02T03:04:05Z", *error))
        return job

    def close(self):
        self.database.commit()
        self.database.close()


def rows(data, sql="SELECT * FROM job ORDER BY number"):
    with sqlite3.connect(data / "cupel.sqlite") as database:
        return database.execute(sql).fetchall()


def test_a_folder_of_the_first_release_opens_and_goes_on(new_server, folder):
    data, archive = folder / "data", tarball(project({}), top="probe")
    old = OldFolder(data)
    result = os.urandom(100_000)
    good = old.add("succeeded", GOOD_LOG, archive, result, attempt=1)
    bad = old.add("failed", BAD_LOG, archive, attempt=1, error=("BuildError", "no"))
    settled = old.add("running", GOOD_LOG, archive, result, attempt=1)
    waiting = [old.add("queued", b'data: {"type":"queued","position":%d}\n\n' % n, archive) for n in range(2)]
    interrupted = old.add("running", b'data: {"type":"queued","position":0}\n\n', archive, attempt=1)
    twice = old.add("running", b'data: {"type":"queued","position":0}\n\n', archive, attempt=2)
    old.close()
    before = {job: (data / "jobs" / job / "events.sse").read_bytes() for job in [*waiting, interrupted, twice]}
    server = new_server("--concurrency", "1", data=data)
    for _ in range(2):
        for job, log in {good: GOOD_LOG, bad: BAD_LOG, settled: GOOD_LOG}.items():
            assert server.raw_events(job) == log
        for job in (good, settled):
            assert server.result(job)[::2] == (200, result)
        assert server.result(bad)[0] == 404
        for job in [*waiting, interrupted]:
            raw = server.raw_events(job)
            assert raw.startswith(before[job]) and parse_events(raw)[-1]["result"] == {"status": "ok"}
            assert "provenance.json" in unpack(server.result(job)[2])
        raw = server.raw_events(twice)
        assert raw.startswith(before[twice]) and parse_events(raw)[-1]["result"]["error_type"] == "InterruptedError"
        assert server.terminate() == 0
        server = new_server("--concurrency", "1", data=data)
    assert (data / "software.key").read_bytes() == old.key
    assert not list((data / "incoming").iterdir()) and not (data / "damaged").exists()
    assert rows(data, "PRAGMA user_version") == [(2,)]
    assert "damaged" not in server.log_text()
    status = json.loads(server.call("GET", f"/build/{good}")[2])
    assert (status["status"], status["created_at"]) == ("ok", "2026-01-02T03:04:05Z")


def test_an_upgrade_that_is_killed_leaves_the_old_version_or_the_new_one(folder):
    """A database large enough that the kill falls into the upgrade."""
    rounds = 60 if THOROUGH else 6
    template = folder / "template"
    template.mkdir()
    old = OldFolder(template / "data")
    count = 20_000
    old.database.executemany(
        "INSERT INTO job (id, request, state, attempt, created_at) VALUES (?, ?, 'succeeded', 1, '2026-01-02T03:04:05Z')",
        ((secrets.token_hex(16), request(b"x")) for _ in range(count)))
    old.close()
    shutil.rmtree(template / "data/jobs")
    (template / "data/jobs").mkdir()
    expected = rows(template / "data", "SELECT id, request, state, attempt, created_at FROM job ORDER BY number")
    seen, whole = {1: 0, 2: 0}, None
    for number in range(rounds + 1):
        data = folder / f"data{number}"
        shutil.copytree(template / "data", data)
        began = time.monotonic()
        process = subprocess.Popen([CUPEL, "serve", "--port", "0", "--data", data], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        # The first is not cut short, to learn how long it takes, nor is the last; the second is killed at once.
        if number in (0, rounds):
            assert process.stdout.readline().startswith(b"serving")
            whole = whole or time.monotonic() - began
        else:
            time.sleep(1.2 * whole * (number - 1) / rounds)
        process.kill()
        process.wait()
        process.stdout.close()
        version = rows(data, "PRAGMA user_version")[0][0]
        seen[version] += number > 0
        columns = len(rows(data, "PRAGMA table_info(job)"))
        assert columns == {1: 8, 2: 17}[version]
        assert rows(data, "SELECT id, request, state, attempt, created_at FROM job ORDER BY number") == expected
        shutil.rmtree(data)
    assert seen[1] and seen[2], seen
    print(f"{rounds} upgrades killed: {seen[1]} left version 1, {seen[2]} version 2, 0 anything else")


def test_a_newer_version_and_a_damaged_database_are_refused_and_left_alone(folder):
    data = folder / "data"
    OldFolder(data, journal="DELETE").close()
    with sqlite3.connect(data / "cupel.sqlite") as database:
        database.execute("PRAGMA user_version = 3")
    tables = rows(data, "SELECT sql FROM sqlite_master")
    status, text = start(data)
    assert status != 0 and "version 3" in text and "use the newer release" in text, text
    assert rows(data, "PRAGMA user_version") == [(3,)] and rows(data, "SELECT sql FROM sqlite_master") == tables
    before = (data / "cupel.sqlite").read_bytes()
    (data / "cupel.sqlite").write_bytes(before[:4096] + b"\x5a" * (len(before) - 4096))
    status, text = start(data)
    assert status != 0 and "damaged" in text and "backup" in text and ".recover" in text, text


def start(data):
    done = subprocess.run([CUPEL, "serve", "--port", "0", "--data", data], capture_output=True, text=True, env=ENVIRONMENT,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_what_is_damaged_is_found_set_aside_and_named(new_server, folder):
    data, archive = folder / "data", tarball(project({}), top="probe")
    server = new_server("--concurrency", "1", data=data)
    damages = ["record", "log", "log missing", "result", "result missing", "none"]
    jobs = dict(zip(damages, [server.submit(archive) for _ in damages]))
    logs = {job: server.raw_events(job) for job in jobs.values()}
    server.terminate()

    def path(damage):
        return data / "jobs" / jobs[damage] / ("events.sse" if "log" in damage else "result.tar.gz")

    rows(data, f"UPDATE job SET attempt = attempt + 1 WHERE id = '{jobs['record']}'")
    for damage in ("log missing", "result missing"):
        path(damage).unlink()
    for damage in ("log", "result"):
        body = bytearray(path(damage).read_bytes())
        body[len(body) // 2] ^= 1
        path(damage).write_bytes(body)

    server = new_server("--concurrency", "1", data=data)
    for damage, job in [*jobs.items()] * 2:
        targets = {"none": [], "result": ["result"], "result missing": ["result"]}.get(damage, ["result", "events"])
        for target in targets:
            status, _, body = server.call("GET", f"/build/{job}/{target}")
            answer = json.loads(body)
            assert status == 500 and "damaged" in answer["error"] and answer["error_type"] == "InternalError", answer
        if "events" not in targets:
            assert server.raw_events(job) == logs[job]
    assert server.result(jobs["none"])[0] == 200
    text = server.log_text()
    for damage, job in jobs.items():
        lines = [line for line in text.splitlines() if " error " in line and job in line]
        assert bool(lines) == (damage != "none"), (damage, text)
        assert all("backup" in line for line in lines), lines
    assert rows(data, "SELECT id FROM damaged_job") == [(jobs["record"],)]
    assert (data / "damaged" / jobs["record"] / "events.sse").read_bytes() == logs[jobs["record"]]
    expected = {jobs["record"], jobs["log"] + ".events.sse", jobs["result"] + ".result.tar.gz"}
    assert {p.name for p in (data / "damaged").iterdir()} == expected
    assert not path("log").exists() and not path("result").exists()
    _, _, outcome = server.build(archive)
    assert outcome == {"status": "ok"}
