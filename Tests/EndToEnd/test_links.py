# SPDX-License-Identifier: Apache-2.0
"""Symbolic links among the artifacts: bundles whose provenance states some, signed by a key of the test's own."""
import base64
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from conftest import cupel, sha256


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(place, folder):
    """Evidence of the software platform for the provenance as it lies there."""
    provenance = (place / "provenance.json").read_bytes()
    nonce = bytes.fromhex(json.loads(provenance)["predicate"]["buildDefinition"]["externalParameters"]["nonce"])
    data = (bytes.fromhex(sha256(provenance)) + nonce).ljust(64, b"\0")
    (folder / "message").write_bytes(b"cupel software evidence v1\n" + data)
    key, run = folder / "key.pem", {"check": True, "capture_output": True}
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], **run)
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], **run).stdout[-32:]
    signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", folder / "message"], **run).stdout
    evidence = {"report_data": data, "public_key": public, "signature": signature}
    (place / "evidence.json").write_bytes(canonical(
        {"platform": "software", "evidence": {k: base64.b64encode(v).decode() for k, v in evidence.items()}}))


def state(place, folder, links):
    """Adds links to the artifacts and to the provenance."""
    statement = json.loads((place / "provenance.json").read_bytes())
    statement["predicate"]["runDetails"]["byproducts"].append(
        {"name": "artifact_links", "annotations": {"links": links}, "digest": {"sha256": sha256(canonical(links))}})
    (place / "provenance.json").write_bytes(canonical(statement))
    sign(place, folder)
    for name, target in links.items():
        path = place / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


@pytest.fixture
def copy(bundle, folder):
    shutil.copytree(bundle[0], folder / "probe")
    return folder / "probe"


@pytest.fixture
def linked(copy, folder):
    state(copy, folder, {"bin/probe-é": "../probe", "tool": "bin/probe-é", "all": "bin"})
    return copy


def codes(place):
    done = cupel("verify", place, "--allow-software", "--json")
    report = json.loads(done.stdout)
    assert report["exitCode"] == done.returncode
    return done.returncode, [finding["code"] for finding in report["findings"]]


def test_stated_links_verify(linked):
    report = json.loads(cupel("verify", linked, "--allow-software", "--json", check=0).stdout)
    assert [link["name"] for link in report["links"]] == ["all", "bin/probe-é", "tool"]
    assert "3 stated" in cupel("verify", linked, "--allow-software", check=0).stdout
    assert "tool -> bin/probe-é" in cupel("inspect", linked, check=0).stdout


def test_the_tarball_verifies_like_the_folder(linked, folder):
    with tarfile.open(folder / "b.tar.gz", "w:gz") as archive:
        archive.add(linked, linked.name)
    assert codes(folder / "b.tar.gz") == (0, [])
    # Python packs a second name of a file as a hard link.
    (linked / "artifacts/tool").unlink()
    os.link(linked / "artifacts/probe", linked / "artifacts/tool")
    with tarfile.open(folder / "h.tar.gz", "w:gz") as archive:
        archive.add(linked, linked.name)
    status, found = codes(folder / "h.tar.gz")
    assert status == 1 and "file.link" in found


def replace(path, target):
    path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize("change, code", [
    (lambda artifacts: (artifacts / "tool").unlink(), "file.missing"),
    (lambda artifacts: replace(artifacts / "tool", "probe"), "file.link"),
    (lambda artifacts: replace(artifacts / "tool", "/etc/passwd"), "file.link"),
    (lambda artifacts: replace(artifacts / "tool", b"bin/probe-\xff"), "file.link"),
    (lambda artifacts: shutil.copy(artifacts / "probe", artifacts / "tool", follow_symlinks=False) if
     (artifacts / "tool").unlink() is None else None, "file.link"),
    (lambda artifacts: (artifacts / "more").symlink_to("probe"), "file.unnamed"),
    (lambda artifacts: (artifacts.parent / "more").symlink_to("artifacts/probe"), "file.unnamed"),
    (lambda artifacts: (artifacts / "probe").rename(artifacts / "moved") and (artifacts / "probe").symlink_to("moved"), "file.kind"),
    (lambda artifacts: artifacts.rename(artifacts.parent / "elsewhere") and artifacts.symlink_to("elsewhere"), "file.missing"),
], ids=["gone", "another", "absolute", "not UTF-8", "a file", "one more", "beside", "an artifact", "the folder"])
def test_changed_links_are_refused(linked, change, code):
    change(linked / "artifacts")
    status, found = codes(linked)
    assert status == 1 and code in found


@pytest.mark.parametrize("links", [
    {"out": "../provenance.json"}, {"out": "/etc/passwd"}, {"out": "../../../../etc/passwd"}, {"a": "b", "b": "a"},
    {"a": "nothing"}, {"a": "."  , "b": "a/../x"}, {"probe/a": "../probe"}, {"../a": "artifacts/probe"}, {"a": ""},
], ids=str)
def test_links_that_lead_out_or_nowhere_are_refused_though_they_are_stated(copy, folder, links):
    shown = {name: target for name, target in links.items() if target and name in ("out", "a", "b")}
    state(copy, folder, shown)
    statement = json.loads((copy / "provenance.json").read_bytes())
    stated = statement["predicate"]["runDetails"]["byproducts"][-1]
    stated.update({"annotations": {"links": links}, "digest": {"sha256": sha256(canonical(links))}})
    (copy / "provenance.json").write_bytes(canonical(statement))
    sign(copy, folder)
    status, found = codes(copy)
    assert status == 1 and "provenance.malformed" in found and "binding.provenance" not in found
