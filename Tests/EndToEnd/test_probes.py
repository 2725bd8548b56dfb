# SPDX-License-Identifier: Apache-2.0
"""What a build may not reach: files, processes, networks and the kernel. See `probes.py`."""
import pytest

from conftest import THOROUGH
from probes import judge, names

# Where the probes run: a build script, or a procedural macro, which is the compiler's own process.
VEHICLES = ["script", "macro"] if THOROUGH else ["script"]


def judged(group, vehicle, name, confined, unconfined):
    judge(name, unconfined.answers(group, vehicle)[name], confined.answers(group, vehicle)[name])


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("name", names("reach"))
def test_files_and_processes(name, vehicle, confined, unconfined):
    judged("reach", vehicle, name, confined, unconfined)


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("name", names("network"))
def test_networks(name, vehicle, confined, unconfined, outside):
    unconfined.answers("network", vehicle)
    outside.heard.clear()
    judged("network", vehicle, name, confined, unconfined)
    assert not outside.heard


@pytest.mark.parametrize("vehicle", ["script", "macro"])
@pytest.mark.parametrize("name", names("kernel"))
def test_the_kernel(name, vehicle, confined, unconfined):
    judged("kernel", vehicle, name, confined, unconfined)


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("name", names("rights"))
def test_rights(name, vehicle, confined, unconfined):
    judged("rights", vehicle, name, confined, unconfined)


@pytest.mark.parametrize("name", names("traces"))
def test_nothing_is_left_for_the_next_build(name, confined, unconfined):
    for site in (unconfined, confined):
        planted = site.answers("traces", act="plant")
        if site is unconfined:
            assert planted[name].startswith("REACHED"), planted
    judge(name, unconfined.answers("traces", act="find")[name], confined.answers("traces", act="find")[name])
