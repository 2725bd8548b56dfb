# SPDX-License-Identifier: Apache-2.0
"""Where builds run: what `cupel serve --isolation` takes, refuses and says, on a host that is no confidential machine."""
import json
import re

import pytest

from conftest import cupel


@pytest.mark.parametrize("options, words", [
    (["--isolation", "vm"], "machine.image names none"),
    (["--isolation", "here"], "needs a confidential machine"),
    (["--isolation", "docker"], "must be one of auto, here, vm, sandbox"),
])
def test_what_cannot_be_had_stops_the_start(folder, options, words):
    done = cupel("serve", "--port", "0", "--data", folder / "data", *options, check=2)
    assert words in done.stderr and "serving" not in done.stdout


@pytest.mark.parametrize("isolation", ["vm", "auto"])
def test_an_image_and_no_sandbox_contradict_each_other(folder, isolation):
    done = cupel("serve", "--port", "0", "--data", folder / "data", "--isolation", isolation, "--no-sandbox",
                 env={"CUPEL_MACHINE_IMAGE": str(folder)}, check=2)
    assert "--no-sandbox contradict" in done.stderr


@pytest.mark.parametrize("isolation", ["vm", "auto"])
def test_an_image_that_cannot_be_used_stops_the_start(folder, isolation):
    (folder / "image").mkdir()
    done = cupel("serve", "--port", "0", "--data", folder / "data", "--isolation", isolation,
                 env={"CUPEL_MACHINE_IMAGE": str(folder / "image")}, check=2)
    assert "is no image that can be used" in done.stderr and "serving" not in done.stdout


@pytest.mark.parametrize("options", [[], ["--isolation", "sandbox"]])
def test_the_log_and_the_metrics_say_what_was_chosen(new_server, options):
    server = new_server(*options)
    log = server.log_text()
    assert re.search(r"Chose where builds run.* isolation\.place=sandbox", log), log
    reason = "asked for by name" if options else "this is no confidential machine, and machine.image is not set"
    assert reason in log
    metrics = server.call("GET", "/metrics")[2].decode()
    found = dict(re.findall(r'^cupel_isolation_info\{isolation="(\w+)"\} (\d)$', metrics, re.M))
    assert found == {"here": "0", "vm": "0", "sandbox": "1"}


def test_doctor_shows_what_each_place_needs(folder):
    done = cupel("doctor")
    for name in ("machines: snp", "machines: tdx", "machines: vtpm", "machines: image", "isolation"):
        assert name in done.stdout
    checks = {check["name"]: check for check in json.loads(cupel("doctor", "--json").stdout)["checks"]}
    assert "cupel image build" in checks["machines: image"]["remedy"]
    assert checks["isolation"]["detail"].startswith("'auto' means 'sandbox' here")
    for kind in ("snp", "tdx", "vtpm"):
        check = checks[f"machines: {kind}"]
        assert check["detail"] and check["state"] in ("present", "absent")
    # A setting that would stop the server is missing here too.
    (folder / "image").mkdir()
    done = cupel("doctor", "--json", env={"CUPEL_MACHINE_IMAGE": str(folder / "image")}, check=1)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["machines: image"]["state"] == "missing"
    assert checks["isolation"]["detail"].startswith("'auto' means 'vm' here")


@pytest.mark.parametrize("name, value, words", [
    ("MEMORY", "1000000001", "a machine's memory is whole MiB"), ("DISK", "1073741825", "whole pages of 4096 bytes"),
    ("KIND", "snp", "machines of the kind snp cannot be had on this host"),
    ("FIRMWARE", "/nowhere/OVMF.fd", "/nowhere/OVMF.fd"),
])
def test_what_would_stop_the_start_is_missing_to_doctor(guest_image, folder, name, value, words):
    settings = {"CUPEL_MACHINE_IMAGE": str(guest_image), f"CUPEL_MACHINE_{name}": value}
    done = cupel("serve", "--port", "0", "--data", folder / "data", env=settings, check=2)
    assert words in done.stderr, done.stderr
    done = cupel("doctor", "--json", env=settings, check=1)
    check = next(check for check in json.loads(done.stdout)["checks"] if check["name"] == "machines: image")
    assert check["state"] == "missing" and words in check["detail"] + check["remedy"], check
