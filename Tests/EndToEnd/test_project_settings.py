# SPDX-License-Identifier: Apache-2.0
"""What `cupel.toml` changes, with real Cargo builds; and what it may not say."""
import json

import pytest
from conftest import project, sha256, tarball, unpack

MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\nresolver = "2"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "one"\nversion = "0.1.0"\n\n'
                  '[[package]]\nname = "two"\nversion = "0.1.0"\n',
    "one/Cargo.toml": '[package]\nname = "one"\nversion = "0.1.0"\nedition = "2021"\n[features]\nloud = []\n',
    "one/src/main.rs": 'fn main() { println!("{}", if cfg!(feature = "loud") { "ONE" } else { "one" }); }\n',
    "two/Cargo.toml": '[package]\nname = "two"\nversion = "0.1.0"\nedition = "2021"\n',
    "two/src/main.rs": 'fn main() { println!("two"); }\n',
}


def built(server, files):
    job, events, outcome = server.build(tarball(files, top="probe"))
    assert outcome == {"status": "ok"}, (outcome, events)
    contents = unpack(server.result(job)[2])
    definition = json.loads(contents["provenance.json"])["predicate"]["buildDefinition"]
    artifacts = sorted(path.removeprefix("artifacts/") for path in contents if path.startswith("artifacts/"))
    return artifacts, contents, definition


def refused(server, files):
    _, _, outcome = server.build(tarball(files, top="probe"))
    assert outcome["status"] == "failed", outcome
    return outcome["error_type"], outcome["error"]


def test_packages_features_and_profile_are_what_cargo_is_told(server):
    settings = '[cargo]\npackages = ["one"]\nfeatures = ["loud"]\nprofile = "dev"\n'
    artifacts, contents, definition = built(server, {**MEMBERS, "cupel.toml": settings})
    assert artifacts == ["one"]
    assert b"ONE" in contents["artifacts/one"]
    command = definition["internalParameters"]["commandLine"]
    assert command[1:] == ["build", "--locked", "--offline", "--profile", "dev", "--package", "one",
                           "--features", "loud", "--message-format=json-render-diagnostics"], command
    assert definition["internalParameters"]["project"] == {
        "cargo": {"packages": ["one"], "features": ["loud"], "profile": "dev"}}


def test_a_folder_of_the_source_is_built(server):
    files = {f"tools/cli/{path}": text for path, text in project({}, name="cli").items()}
    artifacts, _, definition = built(server, {**files, "README": "", "cupel.toml": 'directory = "tools/cli"\n'})
    assert artifacts == ["cli"]
    lock = definition["resolvedDependencies"][1]
    assert lock["digest"]["sha256"] == sha256(files["tools/cli/Cargo.lock"].encode())


def test_only_the_artifacts_asked_for_are_kept(server):
    artifacts, _, _ = built(server, {**MEMBERS, "cupel.toml": 'artifacts = ["t*"]\n'})
    assert artifacts == ["two"]


@pytest.mark.parametrize("settings, kind, words", [
    ("toolchian = 'cargo'\n", "SourceError", "toolchain"),
    ("[cargo]\nfeature = ['x']\n", "SourceError", "features"),
    ("toolchain = 'bazel'\n", "UnsupportedToolchainError", "bazel"),
    ("toolchain = 'nix'\n", "UnsupportedToolchainError", "flake.nix"),
    ("directory = '../elsewhere'\n", "SourceError", "directory"),
    ("directory = 'nowhere'\n", "SourceError", "nowhere"),
    ("directory = 'one'\n", "UnsupportedToolchainError", "packages"),
    ("artifacts = ['bin/*']\n", "ArtifactError", "bin/*"),
    ("[cargo]\narguments = ['--config', 'build.rustc=\"/bin/sh\"']\n", "UnsupportedToolchainError", "--config"),
    ("[cargo]\npackages = ['three']\n", "BuildError", ""),
    ("[cargo\n", "SourceError", "line 1"),
    ("[$", "SourceError", "line 1"),
])
def test_what_cannot_be_is_refused_and_named(server, settings, kind, words):
    found, error = refused(server, {**MEMBERS, "cupel.toml": settings})
    assert found == kind, error
    assert words in error


@pytest.mark.parametrize("file, expected", [
    ("Cargo.lock", "LockfileError"), ("Cargo.toml", "BuildError"), (".cargo/config.toml", "UnsupportedToolchainError"),
    ("cupel.toml", "SourceError"), ("rust-toolchain.toml", "UnsupportedToolchainError"),
])
@pytest.mark.parametrize("text", ["[$", "a = [}", "a = 1\na = 2\n", "\0", "a = " + "[" * 5000, "[a]\n[a]\n", "é = 1"])
def test_hostile_toml_ends_a_build_and_nothing_else(server, file, expected, text):
    kind, error = refused(server, project({file: text}))
    assert kind == expected, error
    assert file in error
    assert server.call("GET", "/health")[0] == 200
