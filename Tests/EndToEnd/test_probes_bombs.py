# SPDX-License-Identifier: Apache-2.0
"""More of something than a build may use: processes, memory, disk, files. See `probes.py`."""
import concurrent.futures
import subprocess

import pytest

from conftest import THOROUGH, log_of, tarball
from probe_sites import open_site
from probes import answers_of, judge, names, probe_project
from wire import descriptors

# Small, so that twice as much harms no machine. With CUPEL_THOROUGH=1 there are 2^20 files.
LIMITS = {"memory": 500, "disk": 150, "processes": 150, "files": 1 << 19 if THOROUGH else 5_000, "open-files": 700,
          "seconds": 4}
CONFIGURATION = f"""
[limits]
memory = "{LIMITS["memory"]} MiB"
disk_size = "{LIMITS["disk"]} MiB"
processes = {LIMITS["processes"]}
disk_files = {LIMITS["files"]}
open_files = {LIMITS["open-files"]}
"""
ENDINGS = {"ResourceLimitError"}
# Folders within each other take their time to be removed.
BOMBS = [name for name in names("bombs") if THOROUGH or name != "deep-folders"]


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("bombs") / "cupel.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture(scope="module")
def without(outside):
    """What each says without a sandbox, where the default limits are far away: all at the same time."""
    for one in open_site(outside, is_confined=False):
        files = probe_project("bombs", {**one.targets(), **LIMITS, "together": "yes"}, only=BOMBS)
        _, events, outcome = one.build(files)
        assert outcome == {"status": "ok"}, (outcome, log_of(events)[-2000:])
        yield answers_of(log_of(events))


@pytest.fixture(scope="module")
def within(outside, configuration):
    """What became of each within a sandbox, where each is a build of its own."""
    for one in open_site(outside, "--config", configuration, is_confined=True):
        before = descriptors(one.server.process)

        def build(name):
            files = probe_project("bombs", {**one.targets(), **LIMITS}, only=(name,))
            _, events, outcome = one.server.build(tarball(files, top="probe"))
            return name, log_of(events), outcome

        # Two at a time, as the service takes them.
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = {name: (log, outcome) for name, log, outcome in pool.map(build, BOMBS)}
        one.assert_untouched(before)
        left = int(subprocess.run(["du", "-sm", one.server.data], capture_output=True, text=True).stdout.split()[0])
        assert left < 50, f"{left} MiB are left in the data folder"
        yield found


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name, without, within):
    log, outcome = within[name]
    answer = answers_of(log).get(name, "ended")
    judge(name, without[name], answer)
    if outcome["status"] == "failed":
        assert outcome["error_type"] in ENDINGS and outcome["error"], outcome
    else:
        assert answer.startswith("refused"), answer
