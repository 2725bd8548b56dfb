# SPDX-License-Identifier: Apache-2.0
"""What clients of a server were told, against what is there in the end."""
import json
import pathlib
import sqlite3
import subprocess
import time

import conftest
from service_load import ID


class Reckoning:
    """After the last restart: what was promised, against what is there."""

    def __init__(self, load, data):
        self.load, self.ledger, self.data = load, load.ledger, pathlib.Path(data)
        self.port = load.port
        self.ends = {}

    def get(self, path, headers=None):
        return self.load.ask(self.port, "GET", path, headers=headers)

    def check(self):
        """Returns the problems, one sentence each."""
        with sqlite3.connect(f"file:{self.data}/cupel.sqlite?mode=ro", uri=True, timeout=60) as database:
            stored = [row[0] for row in database.execute("SELECT id FROM job")]
        lost = set(self.ledger.kinds) - set(stored)
        if lost:
            self.ledger.problem(f"acknowledged, and not there: {sorted(lost)}")
        for job in stored:
            self.check_stream(job)
        for job in stored:
            self.check_result(job)
        self.check_keys()
        self.check_folders(stored)
        self.ledger.counts["jobs"] += len(stored)
        return self.ledger.problems

    def check_stream(self, job):
        """Waits for its end."""
        status, _, raw = self.get(f"/build/{job}/events")
        raw = raw.replace(b": keep-alive\n\n", b"")
        if status != 200:
            return self.ledger.problem(f"{job}: the stream was answered with {status} {raw!r}")
        try:
            events = [json.loads(block.removeprefix(b"data: ")) for block in raw.split(b"\n\n")[:-1]]
            whole = raw.endswith(b"\n\n") and all(b.startswith(b"data: ") for b in raw.split(b"\n\n")[:-1])
        except ValueError:
            whole, events = False, []
        if not whole:
            return self.ledger.problem(f"{job}: the stream is torn: {raw!r}")
        if [event["type"] == "complete" for event in events] != [False] * (len(events) - 1) + [True]:
            return self.ledger.problem(f"{job}: it does not end exactly once: {raw!r}")
        if not raw.startswith(self.ledger.seen[job]):
            self.ledger.problem(f"{job}: a live reader saw {self.ledger.seen[job]!r}, now it is {raw!r}")
        self.ends[job] = events[-1]["result"]
        self.ledger.counts[events[-1]["result"].get("error_type", "ok")] += 1
        middle = len(events) // 2
        _, _, rest = self.get(f"/build/{job}/events?from={middle}")
        if rest != b"".join(block + b"\n\n" for block in raw.split(b"\n\n")[middle:-1]):
            self.ledger.problem(f"{job}: from={middle} gives {rest!r} of {raw!r}")
        _, _, numbered = self.get(f"/build/{job}/events", {"accept": "text/event-stream"})
        if [int(number) for number in ID.findall(numbered)] != list(range(len(events))):
            self.ledger.problem(f"{job}: the ids are not continuous: {numbered!r}")
        if job in self.ledger.cancelled and self.ends[job].get("error_type") != "CancelledError":
            self.ledger.problem(f"{job}: it was cancelled, and ended with {self.ends[job]}")

    def check_result(self, job):
        status, headers, body = self.get(f"/build/{job}/result")
        if (status == 200) != (self.ends.get(job) == {"status": "ok"}):
            self.ledger.problem(f"{job}: the result is answered with {status} after {self.ends.get(job)}")
        elif status == 200:
            self.ledger.downloaded(job, headers["etag"], body, True)
            self.verify(job, body)
        elif job in self.ledger.results:
            self.ledger.problem(f"{job}: the result is gone")

    def verify(self, job, body):
        archive = self.data.parent / f"{job}.tar.gz"
        archive.write_bytes(body)
        done = subprocess.run([conftest.CUPEL, "verify", archive, "--allow-software"], capture_output=True, text=True,
                              env=conftest.ENVIRONMENT)
        if done.returncode:
            self.ledger.problem(f"{job}: its result does not verify: {done.stdout} {done.stderr}")
        archive.unlink()
        self.ledger.counts["verified results"] += 1

    def check_keys(self):
        known = [(key, entry) for key, entry in self.ledger.keys.items() if entry[2]]
        for key, (nonce, kind, job) in known[:100]:
            body = json.dumps({"nonce": nonce, **self.load.bodies[kind]})
            headers = {"content-type": "application/json", "idempotency-key": f'"{key}"'}
            status, _, answer = self.load.ask(self.port, "POST", "/build", body, headers)
            if (status, json.loads(answer).get("job_id")) != (202, job):
                self.ledger.problem(f"{job}: its key is answered with {status} {answer!r}")

    def check_folders(self, stored):
        """Nothing is left of builds that are over, nor of what was never acknowledged."""
        deadline = time.monotonic() + 20
        while (left := self.left(stored)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if left:
            self.ledger.problem(f"left behind: {left}")

    def left(self, stored):
        kept = {"events.sse", "result.tar.gz", "result.tar.gz.zst"}
        left = [str(path) for folder in ("workspaces", "incoming") for path in (self.data / folder).glob("*")
                if path.name != ".warm-up"]
        left += [str(path) for path in (self.data / "jobs").glob("*") if path.name not in stored]
        left += [str(path) for path in (self.data / "jobs").glob("*/*") if path.name not in kept]
        return left + processes_below(self.data / "workspaces")


def processes_below(folder):
    """Processes that see the folder, as all in a build's sandbox do; the server's own warming up is left out."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "mountinfo").read_text().splitlines()
            if any(f"{folder}/" in line and "/.warm-up" not in line for line in lines):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
