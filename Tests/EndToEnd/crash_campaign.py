#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a server under load at random moments, again and again, and then takes stock.

    crash_campaign.py FOLDER POINTS SEED

FOLDER is empty; POINTS is the number of stops; the same SEED gives the same moments. Prints what was done and what was
found as one JSON object; exits with 1 where something was not kept."""
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

import conftest
from reckoning import Reckoning
from service_load import Load

# Seconds for running builds after SIGTERM, and after which a server that does not end is an error.
GRACE, PATIENCE = 1, 40


class Campaign:
    """One data folder, one load, many stops."""

    def __init__(self, folder, seed):
        self.folder = pathlib.Path(folder)
        self.chance = random.Random(seed)
        # An address of its own: no client takes the next server at an old port for this one.
        number = os.getpid()
        host = f"127.{number >> 16 & 63 | 64}.{number >> 8 & 255}.{number & 255 or 1}"
        self.load = Load(host, seed)
        self.stops = collections.Counter()
        self.start_time = 0.3
        self.ready = threading.Event()

    def start(self):
        command = [conftest.CUPEL, "serve", "--host", self.load.host, "--port", "0", "--data", self.folder / "data",
                   "--concurrency", "2"]
        environment = {**conftest.ENVIRONMENT, "CUPEL_GRACE_SECONDS": str(GRACE), "CUPEL_QUEUE_LENGTH": "200"}
        self.ready = threading.Event()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        """Standard output begins with the address, once there is one."""
        match = re.search(rb"http://[^:]+:(\d+)", self.process.stdout.readline())
        if match:
            self.load.port = int(match[1])
            self.ready.set()

    def wait_until_ready(self):
        begun = time.monotonic()
        if not self.ready.wait(PATIENCE):
            raise SystemExit(f"the server does not start: {self.log()}")
        self.start_time = time.monotonic() - begun

    def stop(self):
        """One stop, at a moment and in a manner that chance decides."""
        manner = self.chance.choices(["kill at start", "kill", "terminate"], [5, 11, 4])[0]
        if manner == "kill at start":
            time.sleep(self.chance.uniform(0, self.start_time * 1.2))
            return self.kill(manner)
        self.wait_until_ready()
        # Mostly soon; now and then late enough for a build to become good.
        time.sleep(self.chance.uniform(1, 3) if self.chance.random() < 0.2 else min(self.chance.expovariate(3), 2))
        if manner == "kill":
            return self.kill(manner)
        self.process.send_signal(signal.SIGTERM)
        if self.chance.random() < 0.6:
            time.sleep(self.chance.uniform(0, 0.2))
            if self.process.poll() is None:
                return self.kill("kill while draining")
        self.expect_end()

    def expect_end(self):
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.load.ledger.problem(f"SIGTERM did not end the server within {PATIENCE} s: {self.log()}")
            return self.kill("hung")
        if status != 0:
            self.load.ledger.problem(f"SIGTERM ended the server with {status}: {self.log()}")
        self.gone("drain")

    def kill(self, manner):
        if self.process.poll() is not None:
            self.load.ledger.problem(f"the server ended by itself, with {self.process.returncode}: {self.log()}")
        self.process.kill()
        self.process.wait()
        self.gone(manner)

    def gone(self, manner):
        self.listener.join(PATIENCE)
        self.load.port = None
        self.process.stdout.close()
        self.stops[manner] += 1

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def run(self, points):
        self.start()
        self.wait_until_ready()
        self.load.first_result()
        self.load.start()
        self.kill("kill")
        for _ in range(points - 1):
            self.start()
            self.stop()
        self.load.finish()
        self.start()
        self.wait_until_ready()
        problems = Reckoning(self.load, self.folder / "data").check()
        self.process.send_signal(signal.SIGTERM)
        self.expect_end()
        return {"stops": self.stops, "counts": self.load.ledger.counts, "problems": problems}


if __name__ == "__main__":
    place, count, seed_text = sys.argv[1:]
    campaign = Campaign(place, int(seed_text))
    try:
        report = campaign.run(int(count))
    finally:
        if campaign.process.poll() is None:
            campaign.process.kill()
            campaign.process.wait()
    print(json.dumps(report, indent=1))
    sys.exit(bool(report["problems"]))
