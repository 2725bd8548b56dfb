# SPDX-License-Identifier: Apache-2.0
"""`cupel build`, and what the command line says when something is wrong."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import types

import pytest

from conftest import CUPEL, ENVIRONMENT, cupel, project


def write(folder, files):
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body)
    return folder


def git(folder, *arguments):
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    return subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True).stdout


def committed(folder, files):
    write(folder, files)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def dependencies(bundle):
    statement = json.loads((bundle / "provenance.json").read_text())
    return statement["predicate"]["buildDefinition"]["resolvedDependencies"]


def test_a_project_is_built_by_a_server_and_verified(server, folder):
    source = committed(folder / "probe", project({}))
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", check=0)
    nonce = re.search(r"nonce: ([0-9a-f]{32})\n", done.stderr)[1]
    bundle = folder / "result" / "probe"
    assert "VERIFIED" in done.stdout and "software" in done.stdout
    assert cupel("verify", bundle, "--allow-software", "--nonce", nonce).returncode == 0
    assert subprocess.run([bundle / "artifacts/probe"], capture_output=True, text=True).stdout == "hello\n"
    assert [p.name for p in (folder / "result").iterdir()] == ["probe"], "nothing else is left behind"


def test_a_project_is_built_here_by_the_same_pipeline(folder):
    source = committed(folder / "probe", project({}))
    done = cupel("build", source, "--output", folder / "result", "--nonce", "00ff17", check=0)
    assert "VERIFIED" in done.stdout
    assert cupel("verify", folder / "result/probe", "--allow-software", "--nonce", "00ff17").returncode == 0


@pytest.mark.parametrize("under_git", [True, False])
def test_names_that_join_the_slash_beside_them_are_names(folder, under_git):
    files = project({"a\u0600/\u0301b/keep": "x", "a\u0600/c": "y"})
    source = (committed if under_git else write)(folder / "probe\u0600", files)
    done = cupel("build", ".", "--output", "../result", cwd=source, check=0)
    assert "VERIFIED" in done.stdout, done.stderr


def test_machines_get_the_events_the_report_and_the_outcome(server, folder):
    source = write(folder / "probe", project({}))
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", "--json", check=0)
    said = lines(done)
    kinds = [line["type"] for line in said]
    assert kinds[0] == "nonce" and kinds[1] == "submitted" and kinds[-3:] == ["complete", "verification", "outcome"]
    assert said[-2]["report"]["verdict"] == "verified"
    assert said[-1]["status"] == "ok" and said[-1]["nonce"] == said[0]["nonce"]


@pytest.mark.parametrize("change", ["changed", "not committed", "deleted", "mode changed"])
def test_a_tree_that_differs_from_its_commit_is_not_built_silently(server, folder, change):
    source = committed(folder / "probe", project({"src/words.rs": "// words\n"}))
    commit = git(source, "rev-parse", "HEAD").strip()
    match change:
        case "changed": (source / "src/words.rs").write_text("// other words\n")
        case "not committed": (source / "src/more.rs").write_text("// more\n")
        case "deleted": (source / "src/words.rs").unlink()
        case "mode changed": os.chmod(source / "src/words.rs", 0o755)
    refused = cupel("build", source, "--server", server.url, "--output", folder / "result", check=2)
    assert commit[:12] in refused.stderr and f"({change})" in refused.stderr and "--allow-dirty" in refused.stderr
    built = cupel("build", source, "--server", server.url, "--output", folder / "result", "--allow-dirty", check=0)
    assert f"is not commit {commit[:12]}" in built.stderr


def test_changes_that_git_has_not_noticed_are_found(server, folder):
    source = committed(folder / "probe", project({"src/words.rs": "// words\n"}))
    git(source, "update-index", "--assume-unchanged", "src/words.rs")
    (source / "src/words.rs").write_text("// other\n")
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", check=2)
    assert "src/words.rs (changed)" in done.stderr


def test_nothing_that_a_repository_configures_is_run(server, folder):
    source = committed(folder / "probe", project({".gitattributes": "*.rs filter=evil\n"}))
    mark = folder / "mark"
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge"):
        git(source, "config", key, f"touch {mark}; cat")
    os.utime(source / "src/main.rs", (1, 1))
    cupel("build", source, "--server", server.url, "--output", folder / "result", check=0)
    assert not mark.exists()


def test_ignored_files_and_the_result_are_no_part_of_the_project(server, folder):
    source = committed(folder / "probe", project({".gitignore": "/target\n/secret\n"}))
    write(source, {"secret": "s", "target/x": "x"})
    for _ in range(2):
        cupel("build", "--server", server.url, "--json", cwd=source, check=0)
        (source / "result" / "probe").rename(folder / "kept")
        tree = dependencies(folder / "kept")[0]["digest"]["gitTree"]
        assert tree == git(source, "rev-parse", "HEAD^{tree}").strip()
        subprocess.run(["rm", "-r", folder / "kept"], check=True)


def test_submodules_are_part_of_the_project(server, folder):
    part = committed(folder / "part", {"words.txt": "words"})
    source = committed(folder / "probe", project({"src/main.rs": 'fn main() { print!(include_str!("../part/words.txt")) }\n'}))
    git(source, "-c", "protocol.file.allow=always", "submodule", "add", "-q", part, "part")
    git(source, "commit", "-q", "-m", "part")
    cupel("build", source, "--server", server.url, "--output", folder / "result", check=0)
    assert subprocess.run([folder / "result/probe/artifacts/probe"], capture_output=True, text=True).stdout == "words"
    (source / "part/words.txt").write_text("other")
    assert "part/words.txt (changed)" in cupel("build", source, "--server", server.url, check=2, cwd=folder).stderr


def test_a_folder_without_git_is_built_whole_but_for_target(server, folder):
    source = write(folder / "probe", project({"src/words.rs": "// words\n"}))
    write(source, {"target/stale": "x"})
    (source / "link.rs").symlink_to("src/words.rs")
    cupel("build", source, "--server", server.url, "--output", folder / "result", check=0)


def test_a_failed_build_exits_with_1_and_shows_the_log(server, folder):
    source = write(folder / "probe", project({"src/main.rs": "fn main() { does_not_exist() }\n"}))
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", check=1)
    assert "does_not_exist" in done.stderr and "cupel: error: BuildError" in done.stderr
    assert list((folder / "result").iterdir()) == []


def test_a_result_that_is_there_is_not_replaced(server, folder):
    source = write(folder / "probe", project({}))
    write(folder / "result/probe", {"mine": "mine"})
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", check=2)
    assert "is there already" in done.stderr
    assert (folder / "result/probe/mine").read_text() == "mine"


def test_a_result_is_judged_by_what_its_requester_names(server, folder):
    """A key's word is enough for whoever names nothing, and for nobody else."""
    source = write(folder / "probe", project({}))
    write(folder, {
        "images.json": json.dumps({"version": 1, "images": [
            {"platform": "vtpm", "name": "guest", "version": "1", "registers": {"PCR11": "00" * 32}}]}),
        "keys.yaml": "version: 1\nacceptSoftwareUnsafely: true\n",
        "other.yaml": 'version: 1\nacceptSoftwareUnsafely: true\nbuilder: {id: "https://example.org/other"}\n'})
    for number, (options, codes) in enumerate([
            (["--policy", folder / "keys.yaml"], set()),
            (["--images", folder / "images.json"], {"software.not-accepted"}),
            (["--policy", folder / "other.yaml"], {"policy.builder.id"})]):
        output = folder / f"result-{number}"
        done = cupel("build", source, "--server", server.url, "--output", output, *options, "--json",
                     check=1 if codes else 0)
        report, outcome = lines(done)[-2:]
        assert {finding["code"] for finding in report["report"]["findings"]} == codes, done.stdout
        assert outcome["status"] == ("refused" if codes else "ok"), outcome
        assert [path.name for path in output.iterdir()] == ["probe.refused.tar.gz" if codes else "probe"]


def test_what_a_requester_names_is_read_before_anything_is_built(server, folder):
    source = write(folder / "probe", project({}))
    done = cupel("build", source, "--server", server.url, "--output", folder / "result", "--tpm-ca", "nowhere.pem",
                 "--json", check=2)
    assert "nowhere.pem" in done.stderr + done.stdout and "submitted" not in done.stdout


@contextlib.contextmanager
def unreliable(port, allowance):
    """A relay to `port` that breaks every connection after `allowance` bytes of answer; `.broken` counts them."""
    listener = socket.create_server(("127.0.0.1", 0))
    relay = types.SimpleNamespace(url="", broken=0)

    def pump(source, sink, limit):
        with contextlib.suppress(OSError):
            while limit > 0 and (piece := source.recv(min(limit, 65536))):
                sink.sendall(piece)
                limit -= len(piece)
        if limit <= 0:
            relay.broken += 1
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=pump, args=(client, server, 1 << 62), daemon=True).start()
                threading.Thread(target=pump, args=(server, client, allowance), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    relay.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield relay
    finally:
        listener.close()


def test_dropped_connections_are_taken_up_again(server, folder):
    source = write(folder / "probe", project({
        "build.rs": 'fn main() { for i in 0..3000 { println!("cargo:warning=line {i}"); } }\n'}))
    with unreliable(server.port, 40_000) as relay:
        done = cupel("build", source, "--server", relay.url, "--output", folder / "result", "--json", check=0)
    assert relay.broken >= 5, "the stream and the download were broken several times"
    numbers = [int(m[1]) for line in lines(done) if line["type"] == "build" and (m := re.search(r"line (\d+)", line["msg"]))]
    assert numbers == list(range(3000)), "each line was shown once, in order"


@pytest.mark.parametrize("arguments, words", [
    (["build", "nowhere"], "no project at nowhere"),
    (["build", ".", "--ref", "main"], "--ref needs"),
    (["build", "https://user:secret@example.org/x"], "user name or password"),
    (["build", "git@example.org:x/y"], "https://"),
    (["build", ".", "--nonce", "xyz"], "nonce"),
    (["build", ".", "--nonce", "00" * 17], "nonce"),
    (["build", ".", "--server", "ftp://x"], "no server address"),
    (["build", ".", "--server", "http://127.0.0.1:1", "--no-sandbox"], "the server's to decide"),
    (["build", ".", "--serverr", "x"], "--server"),
    (["frobnicate"], "frobnicate"),
    (["serve", "--port", "99999"], "port"),
    (["serve", "--config", "nowhere.toml"], "nowhere.toml"),
])
def test_what_cannot_be_done_is_one_sentence_and_exits_with_2(folder, arguments, words):
    write(folder, project({}))
    done = cupel(*arguments, cwd=folder)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stderr.startswith("cupel: error: ") and words in done.stderr
    assert done.stdout == ""


def test_help_teaches_by_example():
    for command in ("build", "verify", "inspect", "serve", "attest", "doctor"):
        for arguments in ([command, "--help"], ["help", command]):
            assert f"cupel {command}" in cupel(*arguments, check=0).stdout
    assert cupel("--version", check=0).stdout.startswith("cupel ")


def test_doctor_says_what_is_missing():
    done = cupel("doctor")
    assert done.returncode in (0, 1)
    for name in ("sandbox", "git", "cargo", "nix", "KVM", "SEV-SNP", "TDX", "TPM", "attester"):
        assert name in done.stdout
    report = json.loads(cupel("doctor", "--json").stdout)
    assert report["canBuild"] == (done.returncode == 0)


def test_settings_are_documented_and_misspelt_ones_are_named(folder):
    example = cupel("serve", "--print-config", check=0).stdout
    assert "limits" in example and "CUPEL_LIMITS_MEMORY" in example
    (folder / "cupel.toml").write_text("prot = 1\n")
    done = cupel("serve", "--config", folder / "cupel.toml", check=2)
    assert "prot" in done.stderr and "did you mean port" in done.stderr


def test_a_server_that_cannot_listen_says_why(server, folder):
    done = cupel("serve", "--port", server.port, "--data", folder / "data", check=2)
    assert "Address already in use" in done.stderr and "--port" in done.stderr
    done = cupel("serve", "--host", "no-such-host.invalid", "--data", folder / "data", check=2)
    assert "no-such-host.invalid" in done.stderr


def test_two_servers_never_share_a_data_folder(new_server):
    first = new_server()
    done = cupel("serve", "--port", "0", "--data", first.data, check=2)
    assert "in use" in done.stderr


def test_an_upload_beyond_the_servers_limit_is_refused_with_its_words(new_server, folder):
    small = new_server(environment={"CUPEL_LIMITS_UPLOAD_SIZE": "1 MiB"})
    source = write(folder / "probe", project({}))
    (source / "noise").write_bytes(os.urandom(64 << 20))
    done = cupel("build", source, "--server", small.url, "--output", folder / "result", check=2)
    assert "413" in done.stderr, done.stderr


@pytest.mark.parametrize("where", ["here", "server"])
def test_an_interrupted_build_leaves_nothing_behind(new_server, folder, where):
    source = write(folder / "probe", project({
        "build.rs": "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)); }\n"}))
    scratch = folder / "scratch"
    scratch.mkdir()
    options = ["--server", new_server().url] if where == "server" else []
    done = subprocess.Popen([CUPEL, "build", source, "--output", folder / "result", *options],
                            stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, "TMPDIR": str(scratch)})
    while "Compiling" not in done.stderr.readline():
        assert done.poll() is None
    done.send_signal(signal.SIGINT)
    said = done.stderr.read()
    assert done.wait(30) == 130 and "cupel: error: interrupted" in said
    assert list((folder / "result").iterdir()) == [] and list(scratch.iterdir()) == []
