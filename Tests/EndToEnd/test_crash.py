# SPDX-License-Identifier: Apache-2.0
"""The service is killed at random moments under load; then everything that it had promised is there.

    CUPEL_THOROUGH=1 pytest -s Tests/EndToEnd/test_crash.py       1,000 moments instead of 60, 200 races instead of 20
    CUPEL_SEED=5 pytest -s Tests/EndToEnd/test_crash.py           the moments of another seed"""
import collections
import concurrent.futures
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from conftest import CUPEL, ENVIRONMENT, SEED, THOROUGH

# Stops of one data folder before stock is taken.
POINTS = 30
SIDE_BY_SIDE = 2


def campaign(folder, seed):
    folder.mkdir()
    script = pathlib.Path(__file__).with_name("crash_campaign.py")
    done = subprocess.run([sys.executable, script, folder, str(POINTS), str(seed)], capture_output=True, text=True)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_nothing_that_was_promised_is_lost_at_random_moments(folder):
    # Some of the stops are no kills: 9 of 10 are, and of 40 times 30 more than 1,000.
    campaigns = 40 if THOROUGH else 2
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        reports = list(pool.map(lambda number: campaign(folder / str(number), SEED + number), range(campaigns)))
    stops, counts, problems = collections.Counter(), collections.Counter(), []
    for report in reports:
        stops.update(report["stops"])
        counts.update(report["counts"])
        problems += report["problems"]
    print(f"\nCUPEL_SEED={SEED}\n{stops.total()} stops: {dict(stops)}\n{dict(counts)}")
    assert not problems, "\n".join(problems)
    enough = 100 if THOROUGH else 30
    assert counts["POST 202"] > enough and counts["streams"] > enough, "there was no load"
    kills = sum(count for manner, count in stops.items() if manner.startswith("kill"))
    assert kills >= 1000 or not THOROUGH, stops
    assert counts["verified results"] > 0, "no build was good"


def test_a_lock_that_is_about_to_go_is_waited_for(new_server, folder):
    # A child of a server that was killed holds it until it has begun its program.
    data = folder / "data"
    data.mkdir(0o711)
    with open(data / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        holder = threading.Thread(target=lambda: release_when_wanted(data / "lock", lock))
        holder.start()
        server = new_server(data=data)
        holder.join()
    assert server.call("GET", "/health")[0] == 200


def release_when_wanted(path, lock):
    """Lets go of a lock when a server waits for it, which is a child of this process."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = [pathlib.Path("/proc", number) for task in pathlib.Path("/proc/self/task").glob("*/children")
                    for number in task.read_text().split()]
        if any(points_to(link, path) for child in children if points_to(child / "exe", CUPEL.resolve())
               for link in (child / "fd").glob("*")):
            break
        time.sleep(0.01)
    fcntl.flock(lock, fcntl.LOCK_UN)


def points_to(link, path):
    try:
        return os.readlink(link) == str(path)
    except OSError:
        return False


def race(data):
    """Two servers begin at one time. Returns them as (winner, loser), both ended."""
    command = [CUPEL, "serve", "--port", "0", "--data", data]
    rivals = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True)
              for _ in range(2)]
    try:
        lines = [rival.stdout.readline() for rival in rivals]
        assert sum(bool(line) for line in lines) == 1, (lines, [rival.poll() for rival in rivals])
        winner, loser = sorted(zip(lines, rivals), key=lambda pair: not pair[0])
        return winner[1].poll(), loser[1].wait(30), loser[1].stderr.read()
    finally:
        for rival in rivals:
            rival.kill()
            rival.communicate()


def test_of_two_servers_that_race_for_a_data_folder_one_wins(folder):
    rounds = 50 if THOROUGH else 5

    def races(contest):
        """A new folder, and then what the last winner left when it was killed."""
        for _ in range(rounds):
            winner, loser, message = race(folder / f"data{contest}")
            assert winner is None, "the winner ended"
            assert loser == 2 and "in use" in message, (loser, message)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(races, range(4)))
    print(f"\n{4 * rounds} races")
