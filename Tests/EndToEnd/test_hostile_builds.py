# SPDX-License-Identifier: Apache-2.0
"""Builds that attack the service itself: its log, its time, its statements. Each is a real Cargo project. Attacks on
the sandbox are in `test_probes.py` and its neighbours."""
import json
import os
import re
import subprocess
import tarfile

import pytest

from conftest import project, tarball, unpack
from probes import holds

PRELUDE = """
#![allow(unused)]
use std::{io, process, thread, time};
use std::io::{Read, Write};
"""


def with_build_script(body, name="probe", **files):
    return tarball(project({"build.rs": PRELUDE + "fn main() {\n" + body + "\n}\n", **files}, name=name), top=name)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A server whose builds have little of everything, so that the bombs are small."""
    import tempfile
    import pathlib
    from conftest import Server
    with tempfile.TemporaryDirectory(prefix="cupel-test-", dir="/tmp") as path:
        os.chmod(path, 0o755)
        configuration = pathlib.Path(path) / "cupel.toml"
        configuration.write_text("""
[limits]
memory = 1_500_000_000
processes = 200
disk_size = 600_000_000
log_size = 20_000_000
build_seconds = 60
artifact_size = 200_000_000
""")
        server = Server(pathlib.Path(path) / "data", "--config", configuration).start()
        yield server
        server.terminate()


def assert_contained(server, outcome, kinds):
    assert outcome["status"] == "failed" and outcome["error_type"] in kinds, outcome
    assert outcome["error"]
    assert server.call("GET", "/health")[0] == 200


def test_a_build_without_end_is_ended(new_server, folder):
    configuration = folder / "short.toml"
    configuration.write_text("[limits]\nbuild_seconds = 4\n")
    server = new_server("--config", configuration)
    _, _, outcome = server.build(with_build_script("loop { thread::sleep(time::Duration::from_secs(1)); }"))
    assert_contained(server, outcome, {"TimeoutError"})


@pytest.mark.parametrize("name", ["l\u0600", "\u0301l"])
def test_a_link_behind_a_slash_that_joins_its_neighbour_is_not_followed(server, folder, name):
    # A text library may take the slash and the character beside it for one character; the kernel does not.
    words = "a key of the host, 7d0c2f"
    secret = folder / "secret"
    secret.write_text(words)
    source = """
    extern crate proc_macro;
    #[proc_macro]
    pub fn forge(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
        std::os::unix::fs::symlink("/", "/build/output/%s").unwrap();
        println!("{}", r#"%s"#);
        proc_macro::TokenStream::new()
    }
    """
    message = {"reason": "compiler-artifact", "package_id": "path+file:///build/source#probe@0.1.0",
               "target": {"kind": ["bin"], "src_path": "/x"}, "profile": {"test": False},
               "executable": f"/build/output/{name}{secret}"}
    lock = "".join(f'\n[[package]]\nname = "{n}"\nversion = "0.1.0"\n{d}'
                   for n, d in (("pm", ""), ("probe", 'dependencies = ["pm"]\n')))
    files = project({"src/main.rs": "pm::forge!(); fn main() {}\n", "Cargo.lock": "version = 3\n" + lock,
                     "pm/src/lib.rs": source % (name, json.dumps(message, ensure_ascii=False)),
                     "pm/Cargo.toml": '[package]\nname = "pm"\nversion = "0.1.0"\nedition = "2021"\n[lib]\n'
                                      "proc-macro = true\n"})
    files["Cargo.toml"] += '[dependencies]\npm = { path = "pm" }\n'
    job, events, outcome = server.build(tarball(files, top="probe"))
    assert outcome["status"] == "failed" and outcome["error_type"] == "ArtifactError", outcome
    assert "a symbolic link" in outcome["error"], outcome
    assert words not in json.dumps(events)
    assert not holds(server.data, words)


def test_a_path_dependency_that_leads_out_by_such_slashes_is_refused(server):
    step = "a\u0600/../"
    files = project({"a\u0600/keep": ""})
    files["Cargo.toml"] += f'[dependencies]\nlibc = {{ path = "{step * 3}../../usr/share/cargo/registry/libc" }}\n'
    _, _, outcome = server.build(tarball(files, top="probe"))
    assert outcome["status"] == "failed" and outcome["error_type"] == "InputVerificationError", outcome
    assert "leads out" in outcome["error"], outcome


def test_ten_million_lines_end_at_the_limit_of_the_log(limited):
    body = """
    let out = io::stderr();
    for i in 0..10_000_000 { println!("cargo:warning=line {i}"); }
    """
    job, events, outcome = limited.build(with_build_script(body))
    assert_contained(limited, outcome, {"ResourceLimitError", "BuildError"})
    assert limited.events(job) == events


def test_a_line_of_100_MB_bad_bytes_and_escapes_become_clean_lines(limited):
    # rustc prints what the source says: compile errors carry the bytes to cargo's standard error.
    body = r"""
    let mut out = io::stdout();
    out.write_all(b"cargo:warning=").unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..100 { out.write_all(&block).unwrap(); }
    out.write_all(b"\n").unwrap();
    println!("cargo:warning=\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 end");
    """
    job, events, outcome = limited.build(with_build_script(body))
    assert limited.call("GET", "/health")[0] == 200
    for event in events:
        if event["type"] == "build":
            assert len(event["msg"].encode()) <= 16 * 1024
            assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", event["msg"]), event["msg"][:100]


@pytest.mark.parametrize("path, text", [
    (".cargo/config.toml", '[env]\nRUSTC_WRAPPER = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[registry]\nglobal-credential-providers = ["./wrapper.sh"]\n'),
])
def test_a_configuration_that_could_replace_tools_is_refused(server, path, text):
    archive = tarball(project({path: text, "wrapper.sh": "#!/bin/sh\necho probe: REACHED >&2\nexec \"$@\"\n"}), top="probe")
    _, events, outcome = server.build(archive)
    assert outcome["status"] == "failed", outcome
    assert outcome["error_type"] in {"UnsupportedToolchainError", "InputVerificationError"}, outcome
    assert path.split("/")[-1] in outcome["error"], outcome
    assert "REACHED" not in json.dumps(events)


def test_an_upload_cannot_claim_a_commit(server, folder):
    known = "9fceb02d0ae598e95dc970b74767f19372d61af8"
    repository = folder / "repository"
    repository.mkdir()
    for path, body in project({}).items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(body)
    git = ["git", "-C", repository, "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    real = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    (repository / "src/main.rs").write_text('fn main() { println!("modified"); }\n')
    (repository / ".git/claimed").write_text(known)
    archive = folder / "p.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(repository, "probe")
    job, _, outcome = server.build(archive.read_bytes())
    assert outcome == {"status": "ok"}, outcome
    provenance = unpack(server.result(job)[2])["provenance.json"].decode()
    assert real not in provenance and known not in provenance and "gitCommit" not in provenance


def test_a_stale_target_folder_is_never_attested(server):
    archive = tarball(project({"target/release/planted": "#!/bin/sh\necho planted\n",
                               "target/release/probe": "#!/bin/sh\necho planted\n"}), top="probe")
    job, _, outcome = server.build(archive)
    assert outcome == {"status": "ok"}, outcome
    files = unpack(server.result(job)[2])
    assert [f for f in files if f.startswith("artifacts/")] == ["artifacts/probe"]
    assert files["artifacts/probe"].startswith(b"\x7fELF")
