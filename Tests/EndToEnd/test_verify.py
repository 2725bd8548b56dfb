# SPDX-License-Identifier: Apache-2.0
"""`cupel verify` on a real bundle and on everything that is not quite that bundle."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from conftest import CUPEL, cupel


def verify(folder, *options):
    return cupel("verify", folder, *options)


def test_a_good_bundle_verifies_where_software_is_accepted(bundle):
    folder, nonce = bundle
    done = verify(folder, "--allow-software", "--nonce", nonce)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "software" in done.stdout
    report = json.loads(verify(folder, "--allow-software", "--nonce", nonce, "--json").stdout)
    assert report["verdict"] == "verified" or report.get("exitCode") == 0, report


def test_the_software_platform_is_refused_unless_named(bundle):
    folder, nonce = bundle
    done = verify(folder, "--nonce", nonce)
    assert done.returncode == 1
    assert "--allow-software" in done.stdout + done.stderr


def test_the_tarball_verifies_like_the_folder(bundle, folder):
    path, nonce = bundle
    archive = folder / "result.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(path, path.name)
    assert verify(archive, "--allow-software", "--nonce", nonce).returncode == 0


def test_another_nonce_is_refused(bundle):
    folder, nonce = bundle
    other = ("0" if nonce[0] != "0" else "1") + nonce[1:]
    assert verify(folder, "--allow-software", "--nonce", other).returncode == 1
    assert verify(folder, "--allow-software", "--nonce", nonce[:-2]).returncode == 1


def test_without_a_nonce_the_report_says_that_freshness_was_not_checked(bundle):
    folder, _ = bundle
    done = verify(folder, "--allow-software")
    assert done.returncode == 0
    assert "fresh" in done.stdout


@pytest.mark.parametrize("arguments", [
    ["nowhere"], [], ["--nonce"], [".", "--nonce", "xyz"], [".", "--no-such-option"], ["/etc/passwd"],
])
def test_what_cannot_be_checked_exits_with_2(arguments, folder):
    done = cupel("verify", *arguments, cwd=folder)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stderr.strip()


def changed_copies(original, copy, change_count, change):
    """Runs `change(copy, index)` and verify for each index on several copies; returns the indexes that verified."""
    def check(index):
        path = copy / str(index)
        shutil.copytree(original, path)
        try:
            change(path, index)
            status = subprocess.run([CUPEL, "verify", path, "--allow-software"], capture_output=True).returncode
            return index, status
        finally:
            shutil.rmtree(path)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [(index, status) for index, status in pool.map(check, range(change_count)) if status not in (1, 2)]


@pytest.mark.parametrize("name", ["provenance.json", "evidence.json", "build.log"])
def test_no_flipped_byte_verifies(bundle, folder, name):
    original, _ = bundle
    body = (original / name).read_bytes()

    def flip(path, index):
        changed = bytearray(body)
        changed[index] ^= 1 << (index % 8)
        (path / name).write_bytes(changed)

    assert changed_copies(original, folder, len(body), flip) == []


def test_no_flipped_byte_of_an_artifact_verifies(bundle, folder):
    original, _ = bundle
    artifact = "artifacts/probe"
    body = (original / artifact).read_bytes()
    step = max(1, len(body) // 1000)

    def flip(path, index):
        changed = bytearray(body)
        changed[index * step] ^= 1 << (index % 8)
        (path / artifact).write_bytes(changed)

    assert changed_copies(original, folder, (len(body) + step - 1) // step, flip) == []


def test_no_bundle_with_a_file_less_verifies(bundle, folder):
    original, _ = bundle
    files = sorted(p.relative_to(original) for p in original.rglob("*") if p.is_file())
    assert len(files) >= 4
    assert changed_copies(original, folder, len(files), lambda path, i: (path / files[i]).unlink()) == []


def test_no_bundle_with_a_file_more_verifies(bundle, folder):
    original, _ = bundle
    additions = ["artifacts/extra", "artifacts/.hidden", "extra", "artifacts/folder/extra", "provenance.json.bak", ".hidden"]

    def add(path, index):
        (path / additions[index]).parent.mkdir(exist_ok=True)
        (path / additions[index]).write_text("x")

    assert changed_copies(original, folder, len(additions), add) == []


def test_links_and_swapped_files_do_not_verify(bundle, folder):
    original, _ = bundle

    def link(path, index):
        name = ["artifacts/probe", "provenance.json", "evidence.json"][index % 3]
        if index < 3:
            (path / name).rename(path.parent / f"elsewhere{index}")
            (path / name).symlink_to(path.parent / f"elsewhere{index}")
        else:
            (path / name).write_bytes(b"")

    assert changed_copies(original, folder, 6, link) == []


def test_evidence_of_another_build_does_not_verify(bundle, server, folder):
    from conftest import project, tarball, unpack
    original, _ = bundle
    job, _, outcome = server.build(tarball(project({}), top="probe"))
    assert outcome["status"] == "ok"
    other = unpack(server.result(job)[2])

    def swap(path, index):
        name = ["provenance.json", "evidence.json"][index]
        (path / name).write_bytes(other[name])

    assert changed_copies(original, folder, 2, swap) == []


def test_inspect_shows_what_the_bundle_says(bundle):
    folder, nonce = bundle
    done = cupel("inspect", folder, check=0)
    for word in ("software", "probe", nonce, "cargo", "rustc"):
        assert word in done.stdout, word
    assert json.loads(cupel("inspect", folder, "--json", check=0).stdout)


@pytest.mark.parametrize("arguments", [
    ["--allow-software"], ["--allow-software", "--nonce", "NONCE"], ["--nonce", "00ff17", "--allow-software"],
    ["--allow-software", "--json", "--offline"], ["--accept-any-measurement"], ["--allow-software", "--at", "now"],
    ["--allow-software", "--at", "2020-01-01T00:00:00Z"], ["--at", "yesterday"], ["--nonce", "zz"],
    ["--allow-software", "--policy", "POLICY"], ["--policy", "/nonexistent"], ["--collateral", "/nonexistent"],
    ["--allow-software", "--tpm-ca", "/nonexistent"], ["--allow-software", "--tpm-ca", "CACHE"],
    ["--allow-software", "--collateral-cache", "CACHE", "--json"], ["--report-data", "00"], ["--evidence", "EVIDENCE"],
], ids=" ".join)
def test_usual_arguments_mean_the_same_however_they_are_spelt(bundle, folder, arguments):
    """`--name VALUE` has a short way through the program, `--name=VALUE` the long one."""
    place, nonce = bundle
    (folder / "policy.yaml").write_text("version: 1\nplatforms: [software]\nrequireNonce: true\n")
    names = {"NONCE": nonce, "POLICY": str(folder / "policy.yaml"), "CACHE": str(folder / "cache"),
             "EVIDENCE": str(place / "evidence.json")}
    arguments = [names.get(argument, argument) for argument in arguments]
    targets = [] if "--evidence" in arguments else [place]
    joined, rest = [], list(arguments)
    while rest:
        name = rest.pop(0)
        joined.append(f"{name}={rest.pop(0)}" if rest and not rest[0].startswith("--") else name)
    # A flag that stands alone is read the long way beside an option that is joined.
    if joined == arguments:
        joined.append(f"--collateral-cache={folder / 'cache'}")
    short, long = cupel("verify", *targets, *arguments), cupel("verify", *targets, *joined)
    # A second may end between the two.
    outcomes = [(done.returncode, re.sub(r"T\d\d:\d\d:\d\dZ", "", done.stdout), done.stderr) for done in (short, long)]
    assert outcomes[0] == outcomes[1]
