# SPDX-License-Identifier: Apache-2.0
"""Clients of one server that goes up and down: they submit, follow, download and cancel without a pause, and remember
what they were told. reckoning.py finds out whether it was kept."""
import base64
import collections
import copy
import http.client
import json
import random
import re
import secrets
import socket
import threading

import conftest

# Refused at once, before anything runs: loopback is no place to fetch from.
REFUSED_URL = "http://127.0.0.1:1/nothing.git"
TINY = conftest.project({"src/main.rs": "fn main() {}\n"})
ID = re.compile(rb"id: (\d+)\n")


class Ledger:
    """What clients were told and saw. One lock for all of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kinds = {}
        self.seen = collections.defaultdict(bytes)
        self.results = {}
        self.keys = {}
        self.cancelled = set()
        self.problems = []
        self.counts = collections.Counter()

    def copy(self):
        other = Ledger()
        for name in ["kinds", "seen", "results", "keys", "cancelled"]:
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def saw(self, job, raw):
        """Bytes of a stream from its beginning, maybe cut."""
        with self.lock:
            known = self.seen[job]
            if not (known.startswith(raw) or raw.startswith(known)):
                self.problems.append(f"{job}: a reader saw something else than an earlier one:\n{known!r}\n{raw!r}")
            self.seen[job] = max(known, raw, key=len)
            self.counts["streams"] += 1

    def downloaded(self, job, tag, body, is_whole):
        with self.lock:
            known = self.results.setdefault(job, (tag, body, is_whole))
            self.counts["downloads"] += 1
            if known[0] != tag or not (known[1].startswith(body) or body.startswith(known[1])):
                self.problems.append(f"{job}: the result has changed")
            if known[2] and is_whole and known[1] != body:
                self.problems.append(f"{job}: the result has another length")
            if is_whole and not known[2]:
                self.results[job] = (tag, body, True)

    def is_over(self, job):
        return b'data: {"type":"complete"' in self.seen[job]


class Load:
    """Threads that use one server at `host`. `port` is None while there is none."""

    def __init__(self, host, seed):
        self.ledger = Ledger()
        self.host, self.port = host, None
        self.stop = threading.Event()
        good = conftest.tarball(TINY, top="tiny")
        bad = conftest.tarball({"README": "no toolchain knows this\n"}, top="bad")
        self.bodies = {"good": self.upload(good), "bad": self.upload(bad), "git": {"repo_url": REFUSED_URL}}
        works = [self.submit, self.submit, self.follow, self.follow, self.follow, self.download, self.cancel]
        self.threads = [threading.Thread(target=self.run, args=(work, random.Random(f"{seed}.{number}")), daemon=True)
                        for number, work in enumerate(works)]

    @staticmethod
    def upload(archive):
        return {"source_name": "project.tar.gz", "source_data": base64.b64encode(archive).decode()}

    def start(self):
        for thread in self.threads:
            thread.start()

    def first_result(self):
        """Builds one project, downloads it, and returns: a result that all that follows must leave as it is."""
        status, _, body = self.ask(self.port, "POST", "/build", json.dumps({"nonce": "00", **self.bodies["good"]}),
                                   {"content-type": "application/json"})
        assert status == 202, body
        job = json.loads(body)["job_id"]
        self.ledger.kinds[job] = "good"
        self.ledger.saw(job, self.ask(self.port, "GET", f"/build/{job}/events")[2])
        status, headers, body = self.ask(self.port, "GET", f"/build/{job}/result")
        assert status == 200, (status, body, self.ledger.seen[job])
        self.ledger.downloaded(job, headers["etag"], body, True)

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"

    def run(self, work, chance):
        while not self.stop.is_set():
            port = self.port
            if port is None:
                self.stop.wait(0.005)
                continue
            try:
                work(port, chance)
            except (OSError, http.client.HTTPException):
                self.stop.wait(0.002)
            except Exception as error:
                self.ledger.problem(f"{work.__name__}: {type(error).__name__}: {error}")
                self.stop.wait(0.1)

    def ask(self, port, method, path, body=None, headers=None, patience=60):
        connection = http.client.HTTPConnection(self.host, port, timeout=patience)
        connection.connect()
        # Comments keep a stream alive that says nothing else.
        end = threading.Timer(patience, connection.sock.shutdown, [socket.SHUT_RDWR])
        end.start()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            end.cancel()
            connection.close()

    def some_job(self, chance, among=None):
        """Rather a young one."""
        with self.ledger.lock:
            jobs = [job for job, kind in self.ledger.kinds.items() if among is None or kind in among]
        if not jobs:
            return None
        return jobs[-1 - min(len(jobs) - 1, int(chance.expovariate(0.2)))]

    def submit(self, port, chance):
        ledger = self.ledger
        kind = chance.choices(["git", "bad", "good"], [6, 3, 3])[0]
        with ledger.lock:
            waiting = [k for job, k in ledger.kinds.items() if not ledger.is_over(job)]
            if kind == "good" and waiting.count("good") > 2:
                kind = "git"
            key = chance.choice(list(ledger.keys)) if ledger.keys and chance.random() < 0.2 else secrets.token_hex(8)
            nonce, kind, known = ledger.keys.get(key, (secrets.token_hex(16), kind, None))
            # Before it is sent: where the answer is lost, a later try is the same submission.
            ledger.keys[key] = (nonce, kind, known)
        headers = {"content-type": "application/json", "idempotency-key": f'"{key}"'}
        request = json.dumps({"nonce": nonce, **self.bodies[kind]})
        status, answer, body = self.ask(port, "POST", "/build", request, headers)
        value = json.loads(body)
        with ledger.lock:
            ledger.counts[f"POST {status}"] += 1
            if status == 202:
                job = value["job_id"]
                known = ledger.keys[key][2]
                if known not in (None, job):
                    ledger.problems.append(f"{job}: the key of {known} made another job")
                ledger.keys[key] = (nonce, kind, job)
                ledger.kinds[job] = kind
            elif status != 503 or value["status"] != "failed" or not value["error"]:
                ledger.problems.append(f"POST /build was answered with {status} {body!r}")
        # A line that grows without end would keep the builds from their turn.
        self.stop.wait(0.1 if len(waiting) > 15 or status != 202 else 0.01)

    def follow(self, port, chance):
        job = self.some_job(chance)
        if job is None:
            return self.stop.wait(0.01)
        connection = http.client.HTTPConnection(self.host, port, timeout=60)
        raw = b""
        try:
            numbered = chance.random() < 0.3
            headers = {"accept": "text/event-stream"} if numbered else {}
            connection.request("GET", f"/build/{job}/events", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                raise AssertionError(f"{job}: the stream was answered with {response.status} {response.read()!r}")
            raw = self.read(response, chance.random() < 0.1)
        finally:
            connection.close()
        raw = raw.replace(b": keep-alive\n\n", b"")
        if numbered:
            ids = [int(number) for number in ID.findall(raw)]
            if ids != list(range(len(ids))):
                self.ledger.problem(f"{job}: the ids are {ids}")
            # A cut may be within an id.
            raw = ID.sub(b"", raw[:raw.rfind(b"\n\n") + 2] if b"\n\n" in raw else b"")
        self.ledger.saw(job, raw)
        self.stop.wait(0.01)

    def read(self, response, leaves_early):
        raw = b""
        try:
            while piece := response.read1(65536):
                raw += piece
                if leaves_early or self.stop.is_set():
                    break
        except (OSError, http.client.HTTPException) as error:
            raw += getattr(error, "partial", b"")
        return raw

    def download(self, port, chance):
        job = self.some_job(chance, {"good"})
        if job is None:
            return self.stop.wait(0.02)
        connection = http.client.HTTPConnection(self.host, port, timeout=60)
        try:
            connection.request("GET", f"/build/{job}/result")
            response = connection.getresponse()
            if response.status == 404:
                if job in self.ledger.results:
                    self.ledger.problem(f"{job}: the result is gone")
                return self.stop.wait(0.02)
            if response.status != 200:
                raise AssertionError(f"{job}: the result was answered with {response.status} {response.read()!r}")
            body = self.read(response, False)
            length = int(response.headers["content-length"])
            self.ledger.downloaded(job, response.headers["etag"], body, len(body) == length)
        finally:
            connection.close()
        self.stop.wait(0.05)

    def cancel(self, port, chance):
        job = self.some_job(chance)
        if job is None or chance.random() < 0.5:
            return self.stop.wait(0.05)
        status, _, body = self.ask(port, "DELETE", f"/build/{job}")
        with self.ledger.lock:
            self.ledger.counts[f"DELETE {status}"] += 1
            if status == 200:
                self.ledger.cancelled.add(job)
            elif status not in (409, 503):
                self.ledger.problems.append(f"{job}: DELETE was answered with {status} {body!r}")
        self.stop.wait(0.1)
