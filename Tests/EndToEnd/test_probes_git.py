# SPDX-License-Identifier: Apache-2.0
"""Repositories whose settings are commands, and logs whose lines look like events. A git or cargo by itself is taken
in; see `probes.py`."""
import io
import json
import re
import subprocess
import tarfile
import threading

import pytest

import git_server
from conftest import ENVIRONMENT, log_of, parse_events, project, tarball
from probes import macro_project, record

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always"]


def git(folder, *arguments, check=True):
    return subprocess.run([*GIT, "-C", folder, *arguments], check=check, capture_output=True, text=True, timeout=60)


def repository(folder, files):
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "x")
    return folder


# The settings of a repository, and what is called that runs their commands.
SETTINGS = {
    "git-fsmonitor": ('[core]\n\tfsmonitor = "{command}"\n', ["status"]),
    "git-hook": ('[core]\n\thooksPath = "{hooks}"\n', ["checkout", "-f", "HEAD"]),
    "git-filter": ('[filter "x"]\n\tclean = "{command}; cat"\n\tsmudge = "{command}; cat"\n',
                   ["add", "--renormalize", "."]),
    "git-diff-command": ('[diff]\n\texternal = "{command}"\n', ["diff"]),
    "git-pager-alias": ('[alias]\n\tst = "!{command}"\n', ["st"]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_an_uploaded_repository(name, confined, folder):
    settings, call = SETTINGS[name]
    marker = folder / "reached"
    work = repository(folder / "work", project({".gitattributes": "* filter=x\n"}))
    hook = folder / "work/hooks/post-checkout"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    with open(work / ".git/config", "a") as config:
        config.write(settings.format(command=f"touch {marker}", hooks=hook.parent))
    (work / "src/main.rs").write_text('fn main() { println!("changed"); }\n')
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(work, "probe")
    git(work, *call, check=False)
    bitten = marker.exists()
    record(name, bites=bitten)
    assert bitten
    marker.unlink()
    _, events, outcome = confined.server.build(archive.getvalue())
    contained = outcome == {"status": "ok"} and not marker.exists() and str(marker) not in json.dumps(events)
    record(name, contained=contained)
    assert contained, outcome


@pytest.mark.parametrize("name, address", [
    ("submodule-that-is-a-command", "ext::sh -c touch% MARKER"),
    ("submodule-of-the-machine", "PRIVATE"),
    ("submodule-file-address", "file://PRIVATE"),
])
def test_submodules_of_a_cloned_repository(name, address, new_server, folder):
    private = repository(folder / "private", {"secret": "words of the machine"})
    marker = folder / "reached"
    address = address.replace("MARKER", str(marker)).replace("PRIVATE", str(private))
    work = repository(folder / "work", project({
        ".gitmodules": f'[submodule "m"]\n\tpath = m\n\turl = {address}\n',
        "src/main.rs": 'fn main() { print!("{}", include_str!("../m/secret")); }\n'}))
    commit = git(private, "rev-parse", "HEAD").stdout.strip()
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{commit},m")
    git(work, "commit", "-q", "-m", "m")
    served = folder / "served"
    served.mkdir()
    git(folder, "clone", "-q", "--bare", work, served / "work.git")
    git(folder, "-c", "protocol.ext.allow=always", "clone", "-q", "--recurse-submodules", work, "copy", check=False)
    bitten = marker.exists() or (folder / "copy/m/secret").exists()
    record(name, bites=bitten)
    assert bitten
    marker.unlink(missing_ok=True)
    server = new_server("--allow-private-sources")
    with git_server.make_server(served) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        job = server.submit_git(f"http://127.0.0.1:{http.server_port}/work.git", ref="main")
        events = server.events(job)
        http.shutdown()
    outcome = events[-1]["result"]
    contained = outcome["status"] == "failed" and outcome["error_type"] == "SourceError" and not marker.exists()
    contained = contained and "words of the machine" not in json.dumps(events)
    record(name, contained=contained)
    assert contained, outcome


END = '{"type":"complete","result":{"status":"ok","by":"probe"}}'
LINES = {
    # What is printed, what of it a reader of lines would take for an event, and what stays of it in the log.
    "forged-event": (f"data: {END}\n\n".encode(), rf"(?m)^data: {re.escape(END)}$", "data: {"),
    "forged-by-carriage-return": (f"first\rdata: {END}\r\r\n".encode(), rf"\rdata: {re.escape(END)}\r", "first"),
    "forged-fields": (b"id: 99999\nevent: complete\nretry: 1\n: comment\n", r"(?m)^id: 99999$", "event: complete"),
    "escape-sequences": (b"\x1b]0;title\x07\x1b[2J\x1b[31mred\n", r"\x1b\]0;title\x07", "red"),
    "nul-and-bad-utf-8": (b"a\x00b\xff\xfe\xc3(\n", "a\x00b", "b"),
    "line-ends-of-unicode": ("u\u2028data: x\u2029\u0085data: y\n".encode(), "\u2028data: x", "data: x"),
}


@pytest.fixture(scope="module")
def printed():
    """A project whose compiler prints all of them."""
    text = b"".join(line for line, _, _ in LINES.values())
    return macro_project(f"""
    extern crate proc_macro;
    #[proc_macro]
    pub fn shout(_: proc_macro::TokenStream) -> proc_macro::TokenStream {{
        std::io::Write::write_all(&mut std::io::stderr(), &{list(text)}).unwrap();
        proc_macro::TokenStream::new()
    }}""", "shout")


@pytest.fixture(scope="module")
def of_cargo(printed, tmp_path_factory):
    bare = tmp_path_factory.mktemp("bare")
    with tarfile.open(fileobj=io.BytesIO(tarball(printed))) as archive:
        archive.extractall(bare)
    return subprocess.run(["cargo", "build", "--offline"], cwd=bare, capture_output=True, timeout=120,
                          env={**ENVIRONMENT, "CARGO_TERM_COLOR": "always"}).stderr.decode(errors="surrogateescape")


@pytest.fixture(scope="module")
def of_cupel(printed, confined):
    job, events, outcome = confined.build(printed)
    assert outcome == {"status": "ok"}, outcome
    return confined.server.raw_events(job), events


@pytest.mark.parametrize("name", LINES)
def test_lines_that_look_like_events(name, of_cargo, of_cupel):
    printed, taken_for, stays = LINES[name]
    bitten = re.search(taken_for, of_cargo) is not None
    record(name, bites=bitten)
    assert bitten, of_cargo
    raw, events = of_cupel
    blocks = raw.split(b"\n\n")[:-1]
    contained = all(block.startswith(b'data: {"type":"') and not re.search(rb"[\r\n]", block) for block in blocks)
    contained = contained and [e["type"] for e in events].count("complete") == 1 and events[-1]["type"] == "complete"
    contained = contained and parse_events(raw) == events and stays in log_of(events)
    contained = contained and not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", log_of(events)) and printed not in raw
    record(name, contained=contained)
    assert contained, raw
