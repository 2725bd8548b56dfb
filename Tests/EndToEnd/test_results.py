# SPDX-License-Identifier: Apache-2.0
"""Downloads of results: plain, and in zstd for clients that take it, which is a .tar.gz of the same tar file inside."""
import ctypes
import gzip
import os
import subprocess
import threading
import time

import pytest

from conftest import Server, cupel, project, sha256, tarball, unpack

LIBC, MS_REMOUNT = ctypes.CDLL(None, use_errno=True), 32
# A program that holds all of a file, in which no compressor finds anything.
NOISE = {"src/main.rs": 'static NOISE: &[u8] = include_bytes!("noise");\n'
                        'fn main() { println!("{}", NOISE[std::env::args().count() * 7]); }\n'}


def unzstd(body):
    return subprocess.run(["zstd", "-dcq"], input=body, capture_output=True, check=True).stdout


def built(server, files):
    job, _, outcome = server.build(tarball(project(files), top="probe"))
    assert outcome == {"status": "ok"}, outcome
    return job


def test_a_client_that_takes_zstd_gets_the_same_files(server):
    job = built(server, {})
    status, headers, body = server.result(job)
    assert (status, headers.get("content-encoding"), headers["vary"]) == (200, None, "Accept-Encoding")
    status, encoded, packed = server.call("GET", f"/build/{job}/result", headers={"accept-encoding": "gzip, zstd"})
    assert (status, encoded["content-encoding"], encoded["vary"]) == (200, "zstd", "Accept-Encoding")
    assert encoded["content-type"] == "application/gzip" and encoded["etag"] != headers["etag"]
    assert len(packed) == int(encoded["content-length"]) < len(body)
    assert gzip.decompress(unzstd(packed)) == gzip.decompress(body)
    # The file on the disk is one that zstd takes too, with its seal.
    kept = (server.data / "jobs" / job / "result.tar.gz.zst").read_bytes()
    assert kept[:-40] == packed and unzstd(kept) == unzstd(packed)
    assert kept[-32:].hex() == sha256(packed)


def test_clients_that_decode_by_themselves_have_a_tarball(server, folder):
    job = built(server, {})
    subprocess.run(["curl", "-fsS", "--compressed", f"{server.url}/build/{job}/result", "-o", folder / "result.tar.gz"], check=True)
    assert set(unpack((folder / "result.tar.gz").read_bytes())) == set(unpack(server.result(job)[2]))
    cupel("verify", folder / "result.tar.gz", "--allow-software", check=0)


def test_cupel_build_fetches_zstd(server, folder):
    for path, body in project({}).items():
        (folder / "probe" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "probe" / path).write_text(body)
    cupel("build", folder / "probe", "--server", server.url, "--output", folder / "out", check=0)
    cupel("verify", folder / "out/probe", "--allow-software", check=0)


def test_a_damaged_copy_is_not_served(new_server):
    server = new_server()
    job = built(server, {})
    copy = server.data / "jobs" / job / "result.tar.gz.zst"
    kept = bytearray(copy.read_bytes())
    kept[len(kept) // 2] ^= 1
    copy.write_bytes(kept)
    status, headers, body = server.call("GET", f"/build/{job}/result", headers={"accept-encoding": "zstd"})
    assert status == 200 and "content-encoding" not in headers and body == server.result(job)[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_has_no_room_for_both_keeps_the_plain_result(folder):
    """While a result of 64 MiB is packed, all but 80 MiB of the disk are taken away."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8g,mode=755", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    server = Server(disk / "data").start()
    try:
        job = server.submit(tarball(project({**NOISE, "src/noise": os.urandom(64 << 20)}), top="probe"))
        partial, shrunk = server.data / "jobs" / job / "result.partial", threading.Event()

        def shrink():
            while not shrunk.is_set():
                if partial.exists():
                    used = os.statvfs(disk)
                    size = (used.f_blocks - used.f_bfree) * used.f_frsize + (80 << 20)
                    assert LIBC.mount(b"tmpfs", bytes(disk), b"tmpfs", MS_REMOUNT, b"mode=755,size=%d" % size) == 0
                    shrunk.set()
                time.sleep(0.002)
        watcher = threading.Thread(target=shrink, daemon=True)
        watcher.start()
        outcome = server.events(job)[-1]["result"]
        assert shrunk.is_set() and outcome == {"status": "ok"}, outcome
        # The source goes just after the last event.
        assert set(os.listdir(server.data / "jobs" / job)) - {"source"} == {"events.sse", "result.tar.gz"}
        status, headers, body = server.call("GET", f"/build/{job}/result", headers={"accept-encoding": "zstd"})
        assert status == 200 and "content-encoding" not in headers and len(body) > 64 << 20
        assert "artifacts/probe" in unpack(body)
    finally:
        shrunk.set()
        server.kill()
        server.log.close()
        subprocess.run(["umount", disk], check=True)
