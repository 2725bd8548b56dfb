# SPDX-License-Identifier: Apache-2.0
"""A server on a disk that fails on command, asked as its clients ask, with every answer looked at."""
import contextlib
import http.client
import json
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import time

import faults
from conftest import CUPEL, ENVIRONMENT, cupel
from reckoning import Reckoning
from service_load import Load

# Seconds for an answer, or for the end of a build or of a server.
PATIENCE = 60


@contextlib.contextmanager
def hanging_address():
    """A place that takes connections and never answers: a clone from it lasts until somebody ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hangs.git"


class Service:
    """A server whose disk can be made to fail, and what its clients know."""

    def __init__(self, data, layer, ledger=None, **settings):
        self.data = data
        self.faults = faults.Faults(data, layer)
        self.load = Load("127.0.0.1", 0)
        self.load.ledger = ledger or self.load.ledger
        self.ledger = self.load.ledger
        settings = {f"CUPEL_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = {**ENVIRONMENT, "CUPEL_CONCURRENCY": "1", **settings}
        self.log_path = pathlib.Path(f"{data}.log")
        self.process = None
        self.refusals = []

    def start(self, faulty=True):
        """Returns whether it serves now; else it has ended."""
        environment = {**self.environment, **(self.faults.environment if faulty else {})}
        command = [CUPEL, "serve", "--port", "0", "--data", self.data]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        match = re.search(r"http://[^:]+:(\d+)", self.process.stdout.readline())
        self.load.port = match and int(match[1])
        if not match:
            self.process.wait(PATIENCE)
        return bool(match)

    def ask(self, *arguments):
        return self.load.ask(self.load.port, *arguments, patience=PATIENCE)

    def end(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def submit(self, kind, **fields):
        """(status, job or None); a refusal must be a sentence, and is noted."""
        body = {"nonce": secrets.token_hex(8), **(fields or self.load.bodies[kind])}
        status, _, answer = self.ask("POST", "/build", json.dumps(body), {"content-type": "application/json"})
        value = json.loads(answer)
        if status == 202:
            self.ledger.kinds[value["job_id"]] = kind
            return status, value["job_id"]
        assert status in (500, 503, 507) and value["status"] == "failed" and " " in value["error"], (status, answer)
        self.refusals.append(status)
        return status, None

    def get(self, path):
        """The answer; where the disk failed meanwhile, the refusal or the cut is noted and the next answer counts."""
        for _ in range(3):
            try:
                status, headers, body = self.ask("GET", path)
            except http.client.IncompleteRead:
                self.refusals.append("cut")
                continue
            if status != 500:
                return status, headers, body
            assert " " in json.loads(body)["error"], body
            self.refusals.append(status)
        raise AssertionError(f"{path} is refused again and again, or cut")

    def wait_until_running(self, job):
        self.wait_for_log(f"Build started.*{job}")

    def wait_for_log(self, pattern, after=0):
        """Until a line of the log has `pattern`, beyond the first `after` characters."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.log()[after:]):
            assert time.monotonic() < deadline, f"no {pattern} in {self.log()[after:]}"
            time.sleep(0.01)

    def follow(self, job):
        """How the build ended."""
        status, _, raw = self.get(f"/build/{job}/events")
        assert status == 200, (status, raw)
        raw = raw.replace(b": keep-alive\n\n", b"")
        self.ledger.saw(job, raw)
        blocks = raw.split(b"\n\n")
        assert blocks.pop() == b"" and all(block.startswith(b"data: ") for block in blocks), f"torn: {raw!r}"
        events = [json.loads(block[len(b"data: "):]) for block in blocks]
        assert [event["type"] == "complete" for event in events] == [False] * (len(events) - 1) + [True], raw
        return events[-1]["result"]

    def run(self, kind):
        """Submits, follows, downloads. Returns how it ended, and what was refused on the way."""
        self.refusals = []
        _, job = self.submit(kind)
        if not job:
            return {"refused": self.refusals}
        result = self.follow(job)
        status, headers, body = self.get(f"/build/{job}/result")
        assert (status == 200) == (result == {"status": "ok"}), (status, result)
        if status == 200:
            self.ledger.downloaded(job, headers["etag"], body, True)
            self.verify(body)
        else:
            assert " " in result["error"] and result["error_type"], result
        return {"refused": self.refusals, **result}

    def verify(self, body):
        archive = pathlib.Path(f"{self.data}.tar.gz")
        archive.write_bytes(body)
        cupel("verify", archive, "--allow-software", check=0)

    def reckon(self):
        """Kills the server; the next one, on a sound disk, has everything."""
        if self.process.poll() is None:
            self.end()
        assert self.start(faulty=False), self.log()[-2000:]
        problems = Reckoning(self.load, self.data).check()
        assert not problems, "\n".join(problems)
        assert self.end(signal.SIGTERM) == 0
