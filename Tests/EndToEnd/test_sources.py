# SPDX-License-Identifier: Apache-2.0
"""Sources over real git, and Cargo projects of every shape."""
import json
import re
import shutil
import subprocess
import tarfile
import threading

import pytest

import git_server
from conftest import ROOT, SHARED, cupel, log_of, project, tarball, unpack

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]


def git(folder, *arguments):
    return subprocess.run([*GIT, "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def write(folder, files):
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body)


@pytest.fixture
def repositories(folder):
    """A folder of bare repositories served by git http-backend, and the server's address."""
    served = folder / "served"
    served.mkdir()
    with git_server.make_server(served) as http_server:
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()


def commit_repository(folder, name, files):
    work = folder / f"{name}-work"
    work.mkdir()
    git(work, "init", "-q")
    write(work, files)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "first")
    return work


def publish(work, served, name):
    subprocess.run(["git", "clone", "-q", "--bare", work, served / f"{name}.git"], check=True)


def test_branch_tag_and_commit_are_built_and_recorded(server, folder, repositories):
    served, url = repositories
    work = commit_repository(folder, "hello", project({}))
    first = git(work, "rev-parse", "HEAD")
    git(work, "tag", "-a", "v1", "-m", "one")
    git(work, "checkout", "-q", "-b", "feature/x")
    write(work, {"src/main.rs": 'fn main() { println!("feature"); }\n'})
    git(work, "commit", "-qam", "feature")
    feature = git(work, "rev-parse", "HEAD")
    git(work, "checkout", "-q", "main")
    publish(work, served, "hello")

    for ref, commit in ((None, first), ("main", first), ("v1", first), ("feature/x", feature), (feature, feature)):
        job = server.submit_git(f"{url}/hello.git", ref)
        events = server.events(job)
        assert events[-1]["result"] == {"status": "ok"}, (ref, events[-1])
        files = unpack(server.result(job)[2])
        source = json.loads(files["provenance.json"])["predicate"]["buildDefinition"]["resolvedDependencies"][0]
        assert source["digest"]["gitCommit"] == commit
        assert source["digest"]["gitTree"] == git(work, "rev-parse", f"{commit}^{{tree}}")
        assert len(source["digest"]["cupelTree"]) == 64


def test_submodules_are_fetched_and_recorded(server, folder, repositories):
    served, url = repositories
    library = commit_repository(folder, "library", {"text.txt": "from the submodule\n"})
    publish(library, served, "library")
    work = commit_repository(folder, "parent", project({
        "src/main.rs": 'fn main() { print!("{}", include_str!("../library/text.txt")); }\n'}))
    git(work, "submodule", "add", "-q", f"{url}/library.git", "library")
    git(work, "commit", "-qam", "submodule")
    publish(work, served, "parent")
    job = server.submit_git(f"{url}/parent.git")
    assert server.events(job)[-1]["result"] == {"status": "ok"}
    files = unpack(server.result(job)[2])
    assert git(library, "rev-parse", "HEAD") in files["provenance.json"].decode()
    artifact = folder / "artifact"
    artifact.write_bytes(files["artifacts/probe"])
    artifact.chmod(0o755)
    assert subprocess.run([artifact], capture_output=True, text=True).stdout == "from the submodule\n"


def test_a_git_dependency_is_pinned_by_its_commit(server, folder, repositories):
    served, url = repositories
    dependency = commit_repository(folder, "dependency", {
        "Cargo.toml": '[package]\nname = "dependency"\nversion = "0.2.0"\nedition = "2021"\n',
        "src/lib.rs": "pub fn word() -> &'static str { \"from git\" }\n"})
    publish(dependency, served, "dependency")
    commit = git(dependency, "rev-parse", "HEAD")
    source = f"git+{url}/dependency.git?rev={commit}#{commit}"
    files = project({
        "Cargo.toml": '[package]\nname = "probe"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n'
                      f'dependency = {{ git = "{url}/dependency.git", rev = "{commit}" }}\n',
        "Cargo.lock": 'version = 3\n\n[[package]]\nname = "dependency"\nversion = "0.2.0"\n'
                      f'source = "{source}"\n\n[[package]]\nname = "probe"\nversion = "0.1.0"\n'
                      'dependencies = [\n "dependency",\n]\n',
        "src/main.rs": 'fn main() { println!("{}", dependency::word()); }\n'})
    job, events, outcome = server.build(tarball(files, top="probe"))
    assert outcome == {"status": "ok"}, (outcome, events[-5:])
    dependencies = json.loads(unpack(server.result(job)[2])["provenance.json"])[
        "predicate"]["buildDefinition"]["resolvedDependencies"]
    assert [d["digest"]["gitCommit"] for d in dependencies if "dependency" in d.get("uri", "")] == [commit]


def test_a_private_address_is_refused_unless_the_operator_allows_it(new_server, repositories, folder):
    served, url = repositories
    publish(commit_repository(folder, "hello", project({})), served, "hello")
    server = new_server()
    for address in (f"{url}/hello.git", url.replace("127.0.0.1", "localhost") + "/hello.git",
                    url.replace("127.0.0.1", "[::ffff:127.0.0.1]") + "/hello.git", "http://169.254.169.254/x.git",
                    "http://10.0.0.1/x.git", "http://0.0.0.0/x.git"):
        job = server.submit_git(address)
        outcome = server.events(job)[-1]["result"]
        assert outcome["status"] == "failed" and outcome["error_type"] == "SourceError", (address, outcome)
        assert "allow" in outcome["error"], outcome
    job = server.submit_git(url.replace("127.0.0.1", "2130706433") + "/hello.git")
    assert server.events(job)[-1]["result"]["error_type"] == "SourceError", "an address in disguise"


def test_a_workspace_with_two_binaries_and_a_cdylib(server):
    member = '[package]\nname = "{0}"\nversion = "0.1.0"\nedition = "2021"\n{1}'
    lock = "version = 3\n" + "".join(f'\n[[package]]\nname = "{n}"\nversion = "0.1.0"\n' for n in ("one", "shared", "two"))
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["one", "two", "shared"]\nresolver = "2"\n', "Cargo.lock": lock,
        "one/Cargo.toml": member.format("one", ""), "one/src/main.rs": "fn main() {}\n",
        "two/Cargo.toml": member.format("two", '[[bin]]\nname = "deux"\npath = "src/main.rs"\n'), "two/src/main.rs": "fn main() {}\n",
        "two/examples/example.rs": "fn main() {}\n",
        "shared/Cargo.toml": member.format("shared", '[lib]\ncrate-type = ["cdylib", "staticlib"]\n'),
        "shared/src/lib.rs": "#[no_mangle]\npub extern \"C\" fn answer() -> i32 { 42 }\n",
    }
    job, _, outcome = server.build(tarball(files, top="many"))
    assert outcome == {"status": "ok"}, outcome
    artifacts = {f.removeprefix("artifacts/") for f in unpack(server.result(job)[2]) if f.startswith("artifacts/")}
    assert artifacts == {"one", "deux", "libshared.so", "libshared.a"}


def test_two_artifacts_with_one_name_are_both_kept(server):
    member = '[package]\nname = "{0}"\nversion = "0.1.0"\nedition = "2021"\n[lib]\nname = "same"\ncrate-type = ["{1}"]\n'
    lock = "version = 3\n" + "".join(f'\n[[package]]\nname = "{n}"\nversion = "0.1.0"\n' for n in ("one", "two"))
    files = {"Cargo.toml": '[workspace]\nmembers = ["one", "two"]\nresolver = "2"\n', "Cargo.lock": lock,
             "one/Cargo.toml": member.format("one", "cdylib"), "one/src/lib.rs": "",
             "two/Cargo.toml": member.format("two", "staticlib"), "two/src/lib.rs": ""}
    job, _, outcome = server.build(tarball(files, top="many"))
    assert outcome == {"status": "ok"}, outcome
    artifacts = {f.removeprefix("artifacts/") for f in unpack(server.result(job)[2]) if f.startswith("artifacts/")}
    assert len(artifacts) == 2, artifacts


@pytest.mark.parametrize("name, change, kind", [
    ("no lockfile", {"Cargo.lock": None}, {"LockfileError"}),
    ("a truncated lockfile", {"Cargo.lock": 'version = 3\n[[pack'}, {"LockfileError"}),
    ("an out-of-date lockfile", {"Cargo.toml": '[package]\nname = "probe"\nversion = "0.2.0"\nedition = "2021"\n'},
     {"LockfileError"}),
    ("a registry crate without checksum", {"Cargo.lock": 'version = 3\n\n[[package]]\nname = "probe"\nversion = "0.1.0"\n\n'
     '[[package]]\nname = "serde"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n'},
     {"UnpinnedDependencyError"}),
    ("a path outside the source", {"Cargo.toml": '[package]\nname = "probe"\nversion = "0.1.0"\nedition = "2021"\n'
     '[dependencies]\nother = { path = "../../other" }\n'}, {"InputVerificationError", "LockfileError"}),
    ("a compile error", {"src/main.rs": "fn main() { let x: u8 = \"no\"; }\n"}, {"BuildError"}),
    ("nothing to build", {"src/main.rs": None, "src/lib.rs": ""}, {"ArtifactError"}),
    ("an unknown toolchain", {"rust-toolchain.toml": '[toolchain]\nchannel = "1.2.3"\n'}, {"UnsupportedToolchainError"}),
])
def test_what_cannot_be_built_says_why(server, name, change, kind):
    files = {path: body for path, body in project(change).items() if body is not None}
    _, _, outcome = server.build(tarball(files, top="probe"))
    assert outcome["status"] == "failed" and outcome["error_type"] in kind, outcome
    assert outcome["error"]


def test_the_real_project_with_vendored_crates(server, folder):
    archive = SHARED / "projects/cargo-real.tar.gz"
    if not archive.exists():
        pytest.skip("the shared projects are not here; Examples/word-count covers vendored crates")
    nonce = "c0ffee"
    job = server.submit(archive.read_bytes(), name="cargo-real.tar.gz", nonce=nonce)
    events = server.events(job)
    assert events[-1]["result"] == {"status": "ok"}, events[-3:]
    result = folder / "result.tar.gz"
    result.write_bytes(server.result(job)[2])
    cupel("verify", result, "--allow-software", "--nonce", nonce, check=0)
    statement = json.loads(unpack(result.read_bytes())["provenance.json"])
    inputs = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    crates = [d for d in inputs if d.get("uri", "").startswith("pkg:cargo/")]
    assert len(crates) == 44 and all(re.fullmatch("[0-9a-f]{64}", d["digest"]["dirHash"]) for d in crates)
    assert crates == sorted(crates, key=lambda d: d["uri"]) and all(d["annotations"]["vendored"] for d in crates)
    assert {s["name"] for s in statement["subject"]} == {"logscope", "logscope-gen"}


def test_the_example_with_crates_from_debian(server, folder):
    shutil.copytree(ROOT / "Examples/word-count", folder / "word-count", ignore=shutil.ignore_patterns("vendor", "target"))
    subprocess.run([folder / "word-count/vendor-from-debian", folder / "word-count"], check=True, stdout=subprocess.DEVNULL)
    done = cupel("build", folder / "word-count", "--server", server.url, "--output", folder / "out", check=0)
    assert "regex" in done.stdout + done.stderr
    binary = folder / "out/word-count/artifacts/word-count"
    counted = subprocess.run([binary], input="one two one", capture_output=True, text=True).stdout
    assert counted.split() == ["2", "one", "1", "two"]


def test_an_altered_vendored_crate_is_found(server):
    archive = SHARED / "projects/cargo-real.tar.gz"
    if not archive.exists():
        pytest.skip("the shared projects are not here")
    import io
    out = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for entry in old:
            body = old.extractfile(entry).read() if entry.isfile() else None
            if entry.name.endswith("vendor/itoa-1.0.5/src/lib.rs") or (entry.name.endswith("/src/lib.rs") and "/itoa" in entry.name):
                body += b"// altered\n"
                entry.size = len(body)
            new.addfile(entry, io.BytesIO(body) if body is not None else None)
    _, _, outcome = server.build(out.getvalue())
    assert outcome["status"] == "failed" and outcome["error_type"] == "InputVerificationError", outcome
    assert "itoa" in outcome["error"] and "lib.rs" in outcome["error"]


def test_programs_with_one_name_are_made_again_one_after_the_other(server):
    """Cargo may write the one over the other where both are ready at one time."""
    files = {"Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n',
             "Cargo.lock": 'version = 4\n\n[[package]]\nname = "a"\nversion = "0.1.0"\n\n[[package]]\nname = "b"\nversion = "0.1.0"\n'}
    for name in "ab":
        files[f"{name}/Cargo.toml"] = (f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
                                       '[[bin]]\nname = "my-tool"\npath = "src/main.rs"\n')
        files[f"{name}/src/main.rs"] = f'fn main() {{ println!("I am {name}") }}\n'
    job, events, outcome = server.build(tarball(files, top="twins"))
    assert outcome == {"status": "ok"}, outcome
    unpacked = unpack(server.result(job)[2])
    for name in "ab":
        assert f"I am {name}\n".encode() in unpacked[f"artifacts/{name}/my-tool"]
    phases = json.loads(unpacked["provenance.json"])["predicate"]["buildDefinition"]["internalParameters"]["phases"]
    builds = [phase["commandLine"] for phase in phases if phase["name"] == "build"]
    assert len(builds) == 2 and builds[1][-3:-1] == ["--jobs", "1"], builds
    assert log_of(events).count("Compiling a v0.1.0") == 2
