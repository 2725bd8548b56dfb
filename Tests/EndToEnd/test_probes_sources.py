# SPDX-License-Identifier: Apache-2.0
"""Sources that put other programs, files or crates in place of those that the provenance would name. Each takes in a
cargo by itself; see `probes.py`."""
import hashlib
import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile

import pytest

from conftest import CUPEL, ENVIRONMENT, project, tarball, unpack
from probes import record

CONFIG = ".cargo/config.toml"
TARGET = "x86_64-unknown-linux-gnu"
VENDORED = '[source.crates-io]\nreplace-with = "v"\n[source.v]\ndirectory = "vendor"\n'
LEAF = {"Cargo.toml": '[package]\nname = "leaf"\nversion = "1.0.0"\nedition = "2021"\n',
        "src/lib.rs": "pub fn text() -> &'static str { \"true\" }\n"}
CHECKSUM = "5" * 64
REFUSED = {"UnsupportedToolchainError", "InputVerificationError"}


def tool(rest):
    return f"#!/bin/sh\ntouch REACHED\necho probe: REACHED >&2\nexec {rest}\n"


WRAPPER = {"tool.sh": tool('"$@"')}
COMPILER = {"tool.sh": tool('rustc "$@"')}
LINKER = {"tool.sh": tool('cc "$@"')}
TOUCH = 'fn main() { std::fs::File::create("REACHED").unwrap(); }\n'


def with_leaf(main='fn main() { println!("{}", leaf::text()); }\n', checksum=CHECKSUM, leaf=None, listed=True, **files):
    """A project with a vendored crate."""
    crate = leaf or LEAF
    sums = {path: hashlib.sha256(body.encode()).hexdigest() for path, body in crate.items()} if listed else {}
    made = project({"src/main.rs": main, **{f"vendor/leaf/{path}": body for path, body in crate.items()},
                    "vendor/leaf/.cargo-checksum.json": json.dumps({"files": sums, "package": checksum}),
                    CONFIG: VENDORED})
    made["Cargo.toml"] += '[dependencies]\nleaf = "1"\n'
    made["Cargo.lock"] = ('version = 3\n\n[[package]]\nname = "leaf"\nversion = "1.0.0"\n'
                          'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
                          + (f'checksum = "{checksum}"\n' if checksum else "")
                          + '\n[[package]]\nname = "probe"\nversion = "0.1.0"\ndependencies = [\n "leaf",\n]\n')
    return made | files


def with_dependency(path):
    made = project({"src/main.rs": "fn main() { other::text(); }\n"})
    made["Cargo.toml"] += f'[dependencies]\nother = {{ path = "{path}" }}\n'
    made["Cargo.lock"] = ('version = 3\n\n[[package]]\nname = "other"\nversion = "0.1.0"\n\n[[package]]\n'
                          'name = "probe"\nversion = "0.1.0"\ndependencies = [\n "other",\n]\n')
    return made


def in_folder(files):
    inner = {f"inner/{path}": body for path, body in project({}).items()}
    return inner | {"cupel.toml": 'directory = "inner"\n'} | files


# Name: the project, what is called to show that it bites, and how Cupel ends it.
PROBES = {
    "rustc-wrapper": (project({CONFIG: '[build]\nrustc-wrapper = "./tool.sh"\n', **WRAPPER}), "build", REFUSED),
    "rustc-workspace-wrapper": (
        project({CONFIG: '[build]\nrustc-workspace-wrapper = "./tool.sh"\n', **WRAPPER}), "build", REFUSED),
    "rustc-replaced": (project({CONFIG: '[build]\nrustc = "./tool.sh"\n', **COMPILER}), "build", REFUSED),
    "linker-replaced": (project({CONFIG: f'[target.{TARGET}]\nlinker = "./tool.sh"\n', **LINKER}), "build", REFUSED),
    "linker-by-flags": (
        project({CONFIG: '[target."cfg(unix)"]\nrustflags = ["-Clinker=./tool.sh"]\n', **LINKER}), "build", REFUSED),
    "runner": (project({CONFIG: f'[target.{TARGET}]\nrunner = "./tool.sh"\n', **WRAPPER}), "run", REFUSED),
    "preloaded-library": (
        project({CONFIG: '[env]\nLD_PRELOAD = { value = "preload.so", relative = true }\n', "preload.so": "PRELOAD"}),
        "build", REFUSED),
    "settings-without-extension": (
        project({".cargo/config": '[build]\nrustc-wrapper = "./tool.sh"\n', **WRAPPER}), "build", REFUSED),
    "settings-of-a-parent-folder": (
        in_folder({CONFIG: '[build]\nrustc-wrapper = "./tool.sh"\n', **WRAPPER}),
        "build --manifest-path inner/Cargo.toml", REFUSED),
    "toolchain-by-path": (
        project({"rust-toolchain.toml": '[toolchain]\npath = "BARE/evil"\n', "evil/bin/cargo.sh": tool("true"),
                 "evil/bin/rustc.sh": tool("true")}), "toolchain", REFUSED),
    "sources-from-outside": (
        with_leaf(**{CONFIG: '[source.crates-io]\nreplace-with = "v"\n[source.v]\ndirectory = "OUTSIDE/vendor"\n'}),
        "build", REFUSED),
    "path-dependency-outside": (with_dependency("OUTSIDE/other"), "build", REFUSED),
    "path-dependency-by-dots": (with_dependency("../outside/other"), "build", REFUSED),
    "build-script-outside": (
        {**project({}), "Cargo.toml": project({})["Cargo.toml"] + 'build = "OUTSIDE/build.rs"\n'}, "build",
        REFUSED | {"BuildError"}),
    "lockfile-is-rewritten": (
        {**with_dependency("other"), "Cargo.lock": project({})["Cargo.lock"], "other/src/lib.rs": "pub fn text() {}\n",
         "other/build.rs": TOUCH, "other/Cargo.toml": project({}, "other")["Cargo.toml"]}, "build", {"LockfileError"}),
    "lock-without-checksum": (
        with_leaf(checksum=None, leaf={**LEAF, "build.rs": TOUCH}), "build", {"UnpinnedDependencyError"}),
    "vendored-crate-without-list": (
        with_leaf(leaf={**LEAF, "build.rs": TOUCH}, listed=False), "build", {"InputVerificationError"}),
}


@pytest.fixture
def place(folder):
    """A folder with a project's neighbours: what is outside of it."""
    for path, body in {"other/Cargo.toml": project({}, "other")["Cargo.toml"], "other/src/lib.rs": "pub fn text() {}\n",
                       "other/build.rs": TOUCH, "build.rs": TOUCH, "vendor/leaf/build.rs": TOUCH,
                       **{f"vendor/leaf/{path}": body for path, body in LEAF.items()},
                       "vendor/leaf/.cargo-checksum.json": json.dumps({"files": {}, "package": CHECKSUM})}.items():
        (folder / "outside" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "outside" / path).write_text(body.replace("REACHED", str(folder / "reached")))
    return folder


def filled(files, place):
    made = {}
    for path, body in files.items():
        if body == "PRELOAD":
            body = preload(place)
        else:
            for word, value in (("touch REACHED", f"touch {place}/reached"), ('"REACHED"', f'"{place}/reached"'),
                                ("BARE", f"{place}/bare"), ("OUTSIDE", f"{place}/outside")):
                body = body.replace(word, value)
        made[path] = body
    lists = "vendor/leaf/.cargo-checksum.json"
    if lists in made and json.loads(made[lists])["files"]:
        sums = {path: hashlib.sha256(made[f"vendor/leaf/{path}"].encode()).hexdigest()
                for path in json.loads(made[lists])["files"]}
        made[lists] = json.dumps({**json.loads(made[lists]), "files": sums})
    return made


def preload(place):
    """A library that runs within whatever loads it."""
    (place / "preload.c").write_text('#include <fcntl.h>\n__attribute__((constructor)) static void run(void) '
                                     f'{{ open("{place}/reached", O_CREAT | O_WRONLY, 0600); }}\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", place / "preload.so", place / "preload.c"], check=True)
    return (place / "preload.so").read_bytes()


def write(folder, files):
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body if isinstance(body, bytes) else body.encode())
        if path.endswith(".sh"):
            (folder / path).chmod(0o755)


def bites(place, command, files, **variables):
    """Whether cargo by itself runs what it should not."""
    bare = place / "bare"
    write(bare, files)
    if command == "toolchain":
        for name in ("cargo", "rustc"):
            (bare / f"evil/bin/{name}.sh").rename(bare / f"evil/bin/{name}")
        command = "build"
    subprocess.run(["cargo", *command.split(), "--offline"], cwd=bare, capture_output=True, timeout=120,
                   env={**ENVIRONMENT, **variables})
    bitten = (place / "reached").exists()
    (place / "reached").unlink(missing_ok=True)
    return bitten


@pytest.mark.parametrize("name", PROBES)
def test_a_source_that_puts_something_in_place_of_another(name, confined, place):
    files, command, kinds = PROBES[name]
    files = filled(files, place)
    bitten = bites(place, command, files)
    record(name, bites=bitten)
    if name == "toolchain-by-path" and not shutil.which("rustup"):
        pytest.skip("cargo is not rustup's")
    assert bitten
    _, events, outcome = confined.build(files)
    contained = outcome["status"] == "failed" and outcome["error_type"] in kinds
    contained = contained and not (place / "reached").exists() and "probe: REACHED" not in json.dumps(events)
    record(name, contained=contained)
    assert contained, outcome


@pytest.mark.parametrize("name", ["wrapper-in-environment", "path-in-environment", "settings-in-cargo-home"])
def test_the_environment_of_the_operator(name, place):
    write(place / "evil", filled({"tool.sh": tool('"$@"'), "cc.sh": tool('/usr/bin/cc "$@"'),
                                  "config.toml": f'[build]\nrustc-wrapper = "{place}/evil/tool.sh"\n'}, place))
    (place / "evil/cc.sh").rename(place / "evil/cc")
    variables = {"wrapper-in-environment": {"RUSTC_WRAPPER": f"{place}/evil/tool.sh"},
                 "path-in-environment": {"PATH": f"{place}/evil:{os.environ['PATH']}"},
                 "settings-in-cargo-home": {"CARGO_HOME": f"{place}/evil"}}[name]
    bitten = bites(place, "build", project({}), **variables)
    record(name, bites=bitten)
    assert bitten
    write(place / "source", project({}))
    done = subprocess.run([CUPEL, "build", place / "source", "--output", place / "result", "--json"], timeout=120,
                          env={**ENVIRONMENT, **variables}, capture_output=True, text=True)
    contained = '"status":"ok"' in done.stdout and not (place / "reached").exists()
    record(name, contained=contained)
    assert contained, done.stdout + done.stderr


def test_an_altered_crate_with_altered_lists_is_not_stated_as_the_true_one(confined, place):
    altered = {**LEAF, "src/lib.rs": LEAF["src/lib.rs"].replace("true", "altered"), "build.rs": TOUCH}
    bitten = bites(place, "build", filled(with_leaf(leaf=altered), place))
    record("crate-altered-with-its-lists", bites=bitten)
    assert bitten
    digests = []
    for leaf in (LEAF, {**altered, "build.rs": "fn main() {}\n"}):
        job, _, outcome = confined.build(with_leaf(leaf=leaf))
        assert outcome == {"status": "ok"}, outcome
        statement = json.loads(unpack(confined.server.result(job)[2])["provenance.json"])
        inputs = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        digests.append(next(i["digest"] for i in inputs if "leaf" in i.get("name", i.get("uri", ""))))
    # The lockfile's checksum is of a download that nobody made: it is stated of none.
    contained = digests[0] != digests[1] and all("sha256" not in digest for digest in digests)
    record("crate-altered-with-its-lists", contained=contained)
    assert contained, digests


@pytest.mark.parametrize("name", ["secret-by-include", "secret-by-link"])
def test_a_source_that_names_a_file_of_the_machine(name, confined, place):
    words = f"pub const KEY{secrets.token_hex(8)}: words"
    secret = place / "secret"
    secret.write_text(words)
    files = project({"src/main.rs": f'fn main() {{ print!("{{}}", include_str!("{secret}")); }}\n'})
    if name == "secret-by-link":
        files["src/main.rs"] = tarfile.TarInfo("probe/src/main.rs")
        files["src/main.rs"].type, files["src/main.rs"].linkname = tarfile.SYMTYPE, str(secret)
    with tarfile.open(fileobj=io.BytesIO(tarball(files, top="bare"))) as archive:
        archive.extractall(place)
        if name == "secret-by-link":
            (place / "bare/src").mkdir(exist_ok=True)
            (place / "bare/src/main.rs").symlink_to(secret)
    done = subprocess.run(["cargo", "run", "--offline"], cwd=place / "bare", env=ENVIRONMENT, capture_output=True,
                          text=True)
    record(name, bites=words in done.stdout + done.stderr)
    assert words in done.stdout + done.stderr
    _, events, outcome = confined.build(files)
    contained = outcome["status"] == "failed" and words not in json.dumps(events)
    record(name, contained=contained)
    assert contained, outcome
