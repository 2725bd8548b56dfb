# SPDX-License-Identifier: Apache-2.0
"""Artifacts that are none, and artifacts that change after they were hashed. Without Cupel, a cargo by itself and
whoever copies what it reports are taken in; see `probes.py`."""
import hashlib
import io
import json
import os
import pathlib
import secrets
import shutil
import signal
import stat
import subprocess
import tarfile
import time

import pytest

from conftest import ENVIRONMENT, project, sha256, unpack
from probe_sites import processes_of
from probes import IS_ROOT, PROGRAMS, holds, macro_project, record

FORGERY = """
extern crate proc_macro;
#[proc_macro]
pub fn forge(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    use std::{fs, os::unix::fs as unix, process::Command};
    let secret = "SECRET";
    let artifact = "PLACE/forged";
    STEPS
    println!("{}", r#"MESSAGE"#);
    proc_macro::TokenStream::new()
}
"""


def forged(steps, place, secret, path):
    """A project that reports an artifact of its own making."""
    message = {"reason": "compiler-artifact", "package_id": "path+file:///build/source#probe@0.1.0",
               "target": {"kind": ["bin"], "src_path": "/x"}, "profile": {"test": False}, "executable": path}
    source = FORGERY.replace("STEPS", steps).replace("PLACE", str(place)).replace("SECRET", str(secret))
    return macro_project(source.replace("MESSAGE", json.dumps(message)), "forge")


def write(folder, files):
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body)


def bare_cargo(folder, files, **variables):
    """What cargo by itself reports."""
    write(folder / "bare", files)
    done = subprocess.run(["cargo", "build", "--release", "--offline", "--message-format=json"], cwd=folder / "bare",
                          env={**ENVIRONMENT, **variables}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


KINDS = {
    # What is made, what is reported, and how it shows that it bites.
    "link-as-artifact": ("let _ = unix::symlink(secret, artifact);", "", "reads"),
    "hard-link-as-artifact": ("let _ = fs::hard_link(secret, artifact);", "", "reads"),
    "fifo-as-artifact": ('let _ = Command::new("mkfifo").arg(artifact).status();', "", stat.S_ISFIFO),
    "socket-as-artifact": ("let _ = std::os::unix::net::UnixListener::bind(artifact);", "", stat.S_ISSOCK),
    "device-as-artifact": ('let _ = Command::new("mknod").args([artifact, "c", "1", "5"]).status();', "", stat.S_ISCHR),
    "folder-as-artifact": ("let _ = fs::create_dir(artifact);", "", stat.S_ISDIR),
    "file-outside-as-artifact": ("", "SECRET", "reads"),
    "path-with-dots-as-artifact": ("", "PLACE/../..SECRET", "reads"),
    "linked-folder-as-artifact": ("let _ = unix::symlink(std::path::Path::new(secret).parent().unwrap(), artifact);",
                                  "PLACE/forged/secret", "reads"),
    "process-root-as-artifact": ("", "/proc/self/rootSECRET", "reads"),
    "huge-file-as-artifact": ("fs::File::create(artifact).unwrap().set_len(1 << 40).unwrap();", "", "huge"),
}


@pytest.mark.parametrize("name", KINDS)
def test_an_artifact_that_is_none(name, confined, folder):
    steps, path, bites = KINDS[name]
    words = secrets.token_hex(16)
    secret = folder / "secret"
    secret.write_text(words)
    output = folder / "out" / "put"
    output.mkdir(parents=True)

    def reported(place):
        return (path or "PLACE/forged").replace("PLACE/../..", "PLACE" + "/.." * str(place).count("/")).replace(
            "PLACE", str(place)).replace("SECRET", str(secret))

    report = bare_cargo(folder, forged(steps, output, secret, reported(output)))
    found = pathlib.Path(next(r["executable"] for r in report if r.get("executable", "") == reported(output)))
    if bites == "reads":
        bitten = found.read_text() == words
    elif bites == "huge":
        bitten = found.stat().st_size == 1 << 40
    else:
        bitten = bites(found.stat().st_mode)
    record(name, bites=bitten)
    assert bitten or not IS_ROOT, found

    _, events, outcome = confined.build(forged(steps, "/build/output", secret, reported("/build/output")))
    contained = outcome["status"] == "failed" and outcome["error_type"] in {"ArtifactError", "BuildError"}
    contained = contained and words not in json.dumps(events) and not holds(confined.server.data, words)
    record(name, contained=contained)
    assert contained, outcome


def test_a_setuid_artifact_is_an_ordinary_one(confined, folder):
    steps = ('fs::write(artifact, "x").unwrap(); use unix::PermissionsExt; '
             "fs::set_permissions(artifact, fs::Permissions::from_mode(0o6755)).unwrap();")
    bare_cargo(folder, forged(steps, folder, "", f"{folder}/forged"))
    record("setuid-artifact", bites=(folder / "forged").stat().st_mode & 0o6000 == 0o6000)
    job, _, outcome = confined.build(forged(steps, "/build/output", "", "/build/output/forged"))
    assert outcome == {"status": "ok"}, outcome
    with tarfile.open(fileobj=io.BytesIO(confined.server.result(job)[2])) as result:
        modes = {entry.name.split("/", 1)[1]: entry.mode for entry in result}
    record("setuid-artifact", contained=modes["artifacts/forged"] == 0o755)
    assert modes["artifacts/forged"] == 0o755, modes


def changes(path):
    """Whether a file changes, or cannot be opened, after cargo is done."""
    def digest():
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    try:
        before = digest()
        for _ in range(400):
            time.sleep(0.05)
            if digest() != before:
                return True
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("how", ["open", "descriptor", "mapping", "lease"])
def test_an_artifact_that_changes_after_it_was_hashed(how, confined, folder):
    def lingering(marker, artifact):
        return project({"build.rs": (PROGRAMS / "linger.rs").read_text(), "probes/marker": marker, "probes/how": how,
                        "probes/linger.c": (PROGRAMS / "linger.c").read_text(), "probes/artifact": str(artifact)})

    marker = f"bare-{secrets.token_hex(6)}"
    artifact = folder / "bare/target/release/probe"
    bare_cargo(folder, lingering(marker, artifact))
    bitten = changes(artifact)
    for process in processes_of(marker):
        os.kill(process, signal.SIGKILL)
    name = f"change-after-hashing-by-{how}"
    record(name, bites=bitten)
    assert bitten
    shutil.rmtree(folder / "bare")

    job, _, outcome = confined.build(lingering(confined.marker, "/build/output/release/probe"))
    assert outcome == {"status": "ok"}, outcome
    files = unpack(confined.server.result(job)[2])
    subject = json.loads(files["provenance.json"])["subject"][0]
    body = files["artifacts/probe"]
    contained = sha256(body) == subject["digest"]["sha256"] and b"TAMPERED" not in body
    record(name, contained=contained)
    assert contained
