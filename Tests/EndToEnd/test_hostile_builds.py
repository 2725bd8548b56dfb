# SPDX-License-Identifier: Apache-2.0
"""Build scripts that attack the service. Each is a real Cargo project; each must be contained, and the log must tell
what happened. A probe says what it could do in lines that begin with `probe:`."""
import gzip
import json
import os
import re
import socket
import subprocess
import tarfile
import threading

import pytest

from conftest import log_of, project, sha256, tarball, unpack

PRELUDE = """
#![allow(unused)]
use std::{fs, io, net, process, thread, time};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
fn say(text: impl std::fmt::Display) { println!("cargo:warning=probe: {text}"); }
fn outcome<T>(what: &str, result: io::Result<T>) {
    match result { Ok(_) => say(format!("{what}: REACHED")), Err(e) => say(format!("{what}: refused ({e})")) }
}
"""


def with_build_script(body, name="probe", **files):
    return tarball(project({"build.rs": PRELUDE + "fn main() {\n" + body + "\n}\n", **files}, name=name), top=name)


def probe_lines(events):
    return [line.split("probe: ", 1)[1] for line in log_of(events).splitlines() if "probe: " in line]


def test_host_files_are_out_of_reach(server, folder):
    secret = folder / "secret"
    secret.write_text("a key of the host")
    targets = [str(secret), str(server.data), f"{server.data}/cupel.sqlite", "/root/.ssh", "/root", "/home",
               os.path.expanduser("~"), "/etc/shadow", "/var/log", "/run", "/sys/kernel", "/boot"]
    body = "\n".join(f'outcome("{t}", fs::metadata("{t}").and_then(|m| if m.is_dir() {{ fs::read_dir("{t}").map(|_| ()) }}'
                     f' else {{ fs::read("{t}").map(|_| ()) }}));' for t in targets)
    _, events, outcome = server.build(with_build_script(body))
    assert outcome == {"status": "ok"}, outcome
    lines = probe_lines(events)
    assert len(lines) == len(targets)
    assert not [line for line in lines if "REACHED" in line], lines


def test_processes_of_others_are_out_of_sight(server):
    body = """
    let mut pids = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() {
            pids += 1;
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if line.contains("serve") { say(format!("server seen: REACHED {line:?}")); }
        }
    }
    say(format!("pids {pids}"));
    outcome("signal 1 of the host", Command::new("kill").args(["-0", "%d"]).status()
        .and_then(|s| if s.success() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }));
    """ % server.process.pid
    _, events, outcome = server.build(with_build_script(body))
    assert outcome == {"status": "ok"}, outcome
    lines = probe_lines(events)
    assert lines and not [line for line in lines if "REACHED" in line], lines
    assert int(re.search(r"pids (\d+)", "\n".join(lines))[1]) < 20


def test_the_build_phase_has_no_network(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reached = []
        listener.settimeout(60)

        def listen():
            try:
                listener.accept()
                reached.append(True)
            except OSError:
                pass

        threading.Thread(target=listen, daemon=True).start()
        port = listener.getsockname()[1]
        addresses = [f"127.0.0.1:{port}", f"127.0.0.1:{server.port}", "1.1.1.1:443", "169.254.169.254:80", "[::1]:%d" % port]
        body = "\n".join(f'outcome("{a}", net::TcpStream::connect_timeout(&"{a}".parse().unwrap(), '
                         "time::Duration::from_secs(3)));" for a in addresses)
        body += 'outcome("dns", net::ToSocketAddrs::to_socket_addrs("example.com:80").map(|_| ()));'
        _, events, outcome = server.build(with_build_script(body))
    assert outcome == {"status": "ok"}, outcome
    lines = probe_lines(events)
    assert len(lines) == len(addresses) + 1
    assert not [line for line in lines if "REACHED" in line] and not reached, lines


def test_nothing_but_the_output_can_be_written(server):
    targets = ["/planted", "/usr/planted", "/etc/planted", "/bin/planted", "src/main.rs", "Cargo.lock", "Cargo.toml",
               "/toolchain/planted", "/proc/sys/kernel/core_pattern"]
    body = "\n".join(f'outcome("{t}", fs::write("{t}", "x"));' for t in targets)
    _, events, outcome = server.build(with_build_script(body))
    assert outcome == {"status": "ok"}, outcome
    lines = probe_lines(events)
    assert len(lines) == len(targets)
    assert not [line for line in lines if "REACHED" in line], lines


def test_a_daemon_cannot_change_what_was_attested(server):
    body = """
    let script = r#"
        while sleep 0.05; do
            for f in $(find / -xdev \\( -name probe -o -name provenance.json -o -name evidence.json -o -name build.log \\) -type f 2>/dev/null); do
                echo tampered > "$f"
            done
            for f in /build/output/release/probe; do echo tampered > "$f"; done
        done
    "#;
    for how in ["setsid", "nohup"] {
        let _ = Command::new(how).args(["sh", "-c", &format!("({script}) &")])
            .stdin(process::Stdio::null()).stdout(process::Stdio::null()).stderr(process::Stdio::null()).spawn();
    }
    say("daemon started");
    """
    nonce = "00ff"
    job, events, outcome = server.build(with_build_script(body), nonce=nonce)
    assert "daemon started" in "\n".join(probe_lines(events))
    # The daemon runs beside cargo and may spoil its own build; what is attested is never changed afterwards.
    if outcome["status"] == "ok":
        files = unpack(server.result(job)[2])
        statement = json.loads(files["provenance.json"])
        digests = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
        assert {n: sha256(files[f"artifacts/{n}"]) for n in digests} == digests
    left = subprocess.run(["pgrep", "-f", "sleep 0.05"], capture_output=True, text=True).stdout
    assert left == "", f"processes of the build are alive: {left}"


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


def test_a_fork_bomb_is_ended(limited):
    body = """
    let mut children = Vec::new();
    loop {
        match Command::new("sleep").arg("1000").stdout(process::Stdio::null()).stderr(process::Stdio::null()).spawn() {
            Ok(child) => children.push(child),
            Err(e) => { say(format!("stopped at {} ({e})", children.len())); break; }
        }
        if children.len() > 5000 { say("5000 processes: REACHED"); break; }
    }
    process::exit(3);
    """
    _, events, outcome = limited.build(with_build_script(body))
    assert_contained(limited, outcome, {"BuildError", "ResourceLimitError"})
    assert "REACHED" not in log_of(events)
    assert subprocess.run(["pgrep", "-f", "sleep 1000"], capture_output=True).stdout == b""


def test_a_memory_bomb_is_ended(limited):
    body = """
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for i in 0..400 { blocks.push(vec![i as u8; 16 << 20]); thread::sleep(time::Duration::from_millis(5)); }
    say(format!("6 GiB held: REACHED {}", blocks.len()));
    """
    _, events, outcome = limited.build(with_build_script(body))
    assert_contained(limited, outcome, {"BuildError", "ResourceLimitError"})
    assert "REACHED" not in log_of(events)


@pytest.mark.parametrize("place", ["/tmp", "env!OUT_DIR", "/build/home"])
def test_a_disk_filler_is_ended(limited, place):
    path = 'std::env::var("OUT_DIR").unwrap()' if place == "env!OUT_DIR" else f'"{place}".to_string()'
    body = f"""
    let folder = {path};
    let block = vec![7u8; 1 << 20];
    for i in 0..4000 {{
        if let Err(e) = fs::write(format!("{{folder}}/fill{{i}}"), &block) {{ say(format!("stopped at {{i}} MiB ({{e}})")); process::exit(3); }}
        thread::sleep(time::Duration::from_millis(2));
    }}
    say("4 GB written: REACHED");
    """
    _, events, outcome = limited.build(with_build_script(body))
    assert_contained(limited, outcome, {"BuildError", "ResourceLimitError"})
    assert "REACHED" not in log_of(events)
    used = subprocess.run(["du", "-sm", limited.data], capture_output=True, text=True).stdout.split()[0]
    assert int(used) < 300, f"{used} MiB are left in the data folder"


def test_a_build_without_end_is_ended(new_server, folder):
    configuration = folder / "short.toml"
    configuration.write_text("[limits]\nbuild_seconds = 4\n")
    server = new_server("--config", configuration)
    _, _, outcome = server.build(with_build_script("loop { thread::sleep(time::Duration::from_secs(1)); }"))
    assert_contained(server, outcome, {"TimeoutError"})


@pytest.mark.parametrize("what, script", [
    ("a link out", 'std::os::unix::fs::symlink("/etc/passwd", &target).unwrap();'),
    ("a FIFO", 'Command::new("mkfifo").arg(&target).status().unwrap();'),
    ("a sparse terabyte", "fs::File::create(&target).unwrap().set_len(1 << 40).unwrap();"),
    ("a folder", "fs::create_dir(&target).unwrap();"),
])
def test_an_artifact_that_is_none_is_refused(limited, what, script):
    files = {
        "build.rs": PRELUDE + """fn main() {
            let me = std::env::current_exe().unwrap();
            if std::env::args().nth(1).as_deref() == Some("swap") {
                let target = std::path::PathBuf::from("/build/output/release/probe");
                loop {
                    if fs::symlink_metadata(&target).map(|m| m.is_file() && m.len() < 1 << 39).unwrap_or(false) {
                        let _ = fs::remove_file(&target);
                        %s
                    }
                    thread::sleep(time::Duration::from_millis(1));
                }
            }
            Command::new("setsid").arg(me).arg("swap").stdin(process::Stdio::null()).stdout(process::Stdio::null())
                .stderr(process::Stdio::null()).spawn().unwrap();
            say("swapper started");
        }""" % script,
    }
    archive = tarball(project(files), top="probe")
    for _ in range(5):
        job, events, outcome = limited.build(archive)
        assert "swapper started" in log_of(events)
        if outcome["status"] == "failed":
            break
        # The swapper lost the race: what was attested is the real artifact.
        files_of_result = unpack(limited.result(job)[2])
        subject = json.loads(files_of_result["provenance.json"])["subject"][0]
        assert sha256(files_of_result["artifacts/probe"]) == subject["digest"]["sha256"]
    else:
        pytest.skip("the swapper lost five races")
    assert outcome["error_type"] in {"ArtifactError", "BuildError", "ResourceLimitError"}, outcome


def holds(folder, text):
    """Whether a file below `folder` holds the text, in itself or as part of a tarball."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        body = path.read_bytes()
        if body.startswith(b"\x1f\x8b"):
            body += gzip.decompress(body)
        if text.encode() in body:
            return True
    return False


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


def test_build_output_cannot_forge_events(server):
    body = r"""
    println!("cargo:warning=data: {{\"type\":\"complete\",\"result\":{{\"status\":\"ok\"}}}}");
    println!("cargo:warning=\rdata: forged");
    process::exit(1);
    """
    job, events, outcome = server.build(with_build_script(body))
    assert outcome["status"] == "failed" and outcome["error_type"] == "BuildError"
    assert [e["type"] for e in events].count("complete") == 1
    for block in server.raw_events(job).split(b"\n\n")[:-1]:
        assert block.startswith(b'data: {"type":"') and b"\n" not in block and b"\r" not in block


@pytest.mark.parametrize("path, text", [
    (".cargo/config.toml", '[build]\nrustc-wrapper = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[build]\nrustc = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[target.x86_64-unknown-linux-gnu]\nlinker = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[target.x86_64-unknown-linux-gnu]\nrunner = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[target."cfg(unix)"]\nrustflags = ["-Clinker=./wrapper.sh"]\n'),
    (".cargo/config.toml", '[env]\nRUSTC_WRAPPER = "./wrapper.sh"\n'),
    (".cargo/config.toml", '[registry]\nglobal-credential-providers = ["./wrapper.sh"]\n'),
    (".cargo/config.toml", '[source.crates-io]\nreplace-with = "x"\n[source.x]\ndirectory = "/usr/share"\n'),
    (".cargo/config", '[build]\nrustc-wrapper = "./wrapper.sh"\n'),
    ("rust-toolchain.toml", '[toolchain]\npath = "/tmp/evil"\n'),
])
def test_a_configuration_that_replaces_tools_is_refused(server, path, text):
    archive = tarball(project({path: text, "wrapper.sh": "#!/bin/sh\necho probe: REACHED >&2\nexec \"$@\"\n"}), top="probe")
    _, events, outcome = server.build(archive)
    assert outcome["status"] == "failed", outcome
    assert outcome["error_type"] in {"UnsupportedToolchainError", "InputVerificationError"}, outcome
    assert path.split("/")[-1] in outcome["error"], outcome
    assert "REACHED" not in json.dumps(events)


def test_a_git_folder_with_hooks_and_commands_does_nothing(server, folder):
    marker = folder / "git-ran"
    command = f"touch {marker}"
    hook = f"#!/bin/sh\n{command}\n"
    archive = tarball(project({
        ".git/HEAD": "ref: refs/heads/main\n",
        ".git/config": f"[core]\n\tfsmonitor = {command}\n\tsshCommand = {command}\n\thooksPath = .git/hooks\n"
                       f"[filter \"x\"]\n\tsmudge = {command}\n\tclean = {command}\n",
        ".git/hooks/post-checkout": hook, ".git/hooks/pre-commit": hook,
        ".gitattributes": "* filter=x\n",
    }), top="probe")
    job, events, outcome = server.build(archive)
    assert outcome == {"status": "ok"}, outcome
    assert not marker.exists()
    assert "touch" not in log_of(events)


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
