# SPDX-License-Identifier: Apache-2.0
"""`cupel image build`: the same parts make the same bytes, and other parts make none."""
import contextlib
import filecmp
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import image_builds
from conftest import CUPEL, ENVIRONMENT, THOROUGH, cupel, skip_where_nothing_can_be_mounted

FILES = ["image.json", "initrd", "packages.txt", "root.img", "uki.efi", "vmlinuz"]


def settings_of(image):
    settings = image.parent / "guest.toml"
    return ["--settings", settings] if settings.exists() else []


def test_the_same_parts_make_the_same_bytes(guest_image, folder):
    """Made again: of saved packages without a network, in other folders on another kind of file system, with another
    host name, resolver, time zone, language and umask."""
    skip_where_nothing_can_be_mounted()
    place = folder / "another place"
    place.mkdir()
    script = """
        hostname elsewhere
        echo nameserver 192.0.2.1 > "$2/resolv.conf"
        mount --bind "$2/resolv.conf" /etc/resolv.conf
        mkdir "$2/parts"
        mount -t tmpfs -o size=6g tmpfs "$2/parts"
        umask 077
        cupel=$1; place=$2; shift 2
        cd /
        TMPDIR="$place/parts" "$cupel" image build --output "$place/image" "$@"
        ls -A "$place/parts" > "$place/left"
    """
    done = image_builds.run(script, place, *image_builds.kept(guest_image), *settings_of(guest_image),
                            environment={"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(guest_image)) == sorted(os.listdir(place / "image")) == FILES
    same, other, unreadable = filecmp.cmpfiles(guest_image, place / "image", FILES, shallow=False)
    assert (sorted(same), other, unreadable) == (FILES, [], [])
    assert {(place / "image" / name).stat().st_mode & 0o777 for name in FILES} == {0o644}
    assert (place / "left").read_text() == ""
    assert re.fullmatch(r"[0-9a-f]{64}  .*/another place/image/image\.json\n", done.stdout)


def test_an_image_has_the_packages_of_the_list(guest_image):
    listed = {line for line in image_builds.listed(guest_image).splitlines() if line and line[0] not in "#["}
    held = set((guest_image / "packages.txt").read_text().splitlines())
    assert held < listed
    # Programs that make an image are not in it.
    assert {line.split()[0] for line in listed - held} >= {"erofs-utils", "kmod"}


def test_nobody_can_log_in(guest_image, folder):
    root = folder / "root"
    subprocess.run(["fsck.erofs", f"--extract={root}", guest_image / "root.img"], check=True, capture_output=True)
    assert all(line.split(":")[1] in "*!" for line in (root / "etc/shadow").read_text().splitlines())
    names = {path.name for place in ("bin", "sbin") for path in (root / "usr" / place).iterdir()}
    assert not names & {"sshd", "agetty", "getty", "login", "sulogin", "telnetd", "systemd"}
    assert os.readlink(root / "etc/resolv.conf") == "/run/resolv.conf"
    assert not list((root / "dev").iterdir()) and not list((root / "run").iterdir())
    for option, path in zip(*[iter(settings_of(guest_image))] * 2):
        assert (root / "etc/cupel/guest.toml").read_bytes() == path.read_bytes()
    assert os.access(root / "usr/lib/cupel/init", os.X_OK) and os.access(root / "usr/lib/cupel/cupel-guest", os.X_OK)


def test_the_guests_program_is_what_the_guide_says(guest_image, folder):
    """docs/reproduce.md strips the program in this way, for whoever compares it with a published one."""
    guide = (image_builds.ROOT / "docs/reproduce.md").read_text()
    command = re.search(r"^    (strip .*)-o guest \S+/cupel-guest$", guide, re.M)[1].split()
    program = pathlib.Path(CUPEL).with_name("cupel-guest")
    subprocess.run([*command, "-o", folder / "guest", program], check=True)
    subprocess.run(["fsck.erofs", f"--extract={folder / 'root'}", guest_image / "root.img"], check=True,
                   capture_output=True)
    body = (folder / "root/usr/lib/cupel/cupel-guest").read_bytes()
    assert body == (folder / "guest").read_bytes()
    # What is another each time that the program is compiled.
    assert b".swift_modhash" not in body and b".note.gnu.build-id" not in body


def test_the_root_lists_what_its_larger_files_digest_to(guest_image, folder):
    root = folder / "root"
    subprocess.run(["fsck.erofs", f"--extract={root}", guest_image / "root.img"], check=True, capture_output=True)
    listed = root / "usr/lib/cupel/sha256sums"
    relative = listed.read_text().replace("  /", "  ")
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet"], cwd=root, input=relative, text=True, check=True)
    names = [line.partition("  ")[2] for line in relative.splitlines()]
    large = {str(path.relative_to(root)) for path in root.rglob("*")
             if path.is_file() and not path.is_symlink() and path.stat().st_size >= 16 << 10 and path != listed}
    assert names == sorted(large, key=str.encode) and "usr/bin/cargo" in large


def copied(packages, folder):
    """A folder with the same archives, which may be replaced."""
    place = folder / "packages"
    place.mkdir()
    for path in packages.iterdir():
        os.link(path, place / path.name) if path.stat().st_dev == place.stat().st_dev else shutil.copy(path, place)
    return place


def refused(folder, *options):
    """The error of a build that makes nothing, and leaves nothing."""
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    done = cupel("image", "build", "--output", folder / "image", *options, env={"TMPDIR": str(parts)}, check=2)
    assert not (folder / "image").exists()
    assert list(parts.iterdir()) == [] and not list(folder.glob(".cupel-image-*"))
    assert done.stdout == ""
    return done.stderr


def test_a_changed_archive_is_refused_by_the_name_of_its_package(guest_image, folder):
    options = image_builds.kept(guest_image)
    packages = copied(options[1], folder)
    archive = next(packages.glob("bubblewrap_*.deb"))
    body = bytearray(archive.read_bytes())
    body[-1] ^= 1
    archive.unlink()
    archive.write_bytes(body)
    error = refused(folder, *options[2:], "--package-folder", packages)
    assert re.search(r"the archive of bubblewrap \S+ has changed", error) and "cupel image lock" in error


def test_a_missing_archive_is_named(guest_image, folder):
    options = image_builds.kept(guest_image)
    packages = copied(options[1], folder)
    next(packages.glob("bubblewrap_*.deb")).unlink()
    error = refused(folder, *options[2:], "--package-folder", packages)
    assert re.search(r"the archive of bubblewrap \S+ is missing", error)


def test_a_vanished_archive_is_named(guest_image, folder):
    """Debian replaces packages, and then has the old ones no more."""
    path = folder / "list"
    path.write_text(re.sub(r"^bubblewrap \S+", "bubblewrap 0.0.1-1", image_builds.listed(guest_image), flags=re.M))
    error = refused(folder, "--packages", path)
    assert re.search(f"{image_builds.OUT_OF_DATE}: bubblewrap 0.0.1-1[;\n]", error) and "cupel image lock" in error


@pytest.mark.parametrize("options, expected", [
    (["--append", "cupel.roothash=00"], "no words of Cupel's own"),
    (["--append", "a\nb"], "printable ASCII"),
    (["--kernel", "Package.swift"], "dpkg-deb"),
    (["--packages", "Package.swift"], "line 1 of the list of packages"),
    (["--settings", "Package.swift"], "Package.swift"),
    (["--guest", "/nowhere/cupel-guest"], "there is no program of the guest at /nowhere/cupel-guest"),
])
def test_parts_that_make_no_image_are_refused_at_once(folder, options, expected):
    image_builds.skip_where_none_can_be_made()
    options = [str(image_builds.ROOT / part) if part == "Package.swift" else part for part in options]
    assert expected in refused(folder, *options)


def test_settings_that_a_guest_would_refuse_are_refused_before_they_are_in_an_image(folder):
    image_builds.skip_where_none_can_be_made()
    (folder / "guest.toml").write_text("port = 9000\n")
    error = refused(folder, "--settings", folder / "guest.toml")
    assert "the setting port makes no sense within a machine that builds once" in error


def test_only_root_can_make_one(folder):
    image_builds.skip_where_none_can_be_made()
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", CUPEL, "image", "build", "--output",
               folder / "image", "--guest", "/bin/true"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2 and "an image is made as root" in done.stderr


def test_a_folder_that_is_there_stays_as_it_is(folder):
    image_builds.skip_where_none_can_be_made()
    (folder / "image").mkdir()
    (folder / "image/file").touch()
    done = cupel("image", "build", "--output", folder / "image", check=2)
    assert "is there already" in done.stderr and os.listdir(folder / "image") == ["file"]


@contextlib.contextmanager
def at_work(guest_image, folder):
    """A build whose root is being made, and the folder of its parts."""
    parts = folder / "parts"
    parts.mkdir()
    command = [CUPEL, "image", "build", "--output", folder / "image", *image_builds.kept(guest_image)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**ENVIRONMENT, "TMPDIR": str(parts)})
    # Where the root has a folder of the packages, mmdebstrap is at work.
    end = time.monotonic() + 300
    while not list(parts.glob(".cupel-image-*/root/var")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "no root is being made"
        time.sleep(0.1)
    try:
        yield process, parts
    finally:
        process.kill()
        process.communicate()


def programs_of(parts):
    return [path for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if str(parts).encode() in read(path)]


def test_an_interrupted_build_leaves_nothing(guest_image, folder):
    with at_work(guest_image, folder) as (process, parts):
        process.send_signal(signal.SIGINT)
        error = process.stderr.read()
        assert process.wait(60) == 130, error
        assert list(parts.iterdir()) == [] and sorted(os.listdir(folder)) == ["parts"]
        assert str(parts) not in pathlib.Path("/proc/mounts").read_text()
        assert programs_of(parts) == []


def test_no_program_outlives_a_build_that_is_killed(guest_image, folder):
    with at_work(guest_image, folder) as (process, parts):
        assert programs_of(parts)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while programs_of(parts):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert not (folder / "image").exists()


def read(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.skipif(not THOROUGH, reason="it takes as long as an image: CUPEL_THOROUGH=1")
def test_a_guest_that_needs_what_the_image_lacks_is_refused(guest_image, folder):
    (folder / "other.c").write_text("int other(void) { return 0; }\n")
    (folder / "main.c").write_text("int other(void);\nint main(void) { return other(); }\n")
    subprocess.run(["cc", "-shared", "-o", "libcupel-other.so", "other.c"], cwd=folder, check=True)
    subprocess.run(["cc", "-o", "guest", "main.c", "-L.", "-lcupel-other"], cwd=folder, check=True)
    for name in ("other.c", "main.c", "libcupel-other.so"):
        (folder / name).unlink()
    error = refused(folder, "--guest", folder / "guest", *image_builds.kept(guest_image))
    assert "needs what the image does not have: libcupel-other.so" in error


@pytest.mark.skipif(not THOROUGH, reason="it fetches all packages: CUPEL_THOROUGH=1")
def test_a_list_of_today_has_what_was_asked_for(folder):
    image_builds.skip_where_none_can_be_made()
    cupel("image", "lock", "--output", folder / "list", "--add", "pkg-config", check=0)
    names = {line.split()[0] for line in (folder / "list").read_text().splitlines() if line}
    assert {"pkg-config", "bubblewrap", "erofs-utils", "systemd-boot-efi"} <= names
    error = cupel("image", "lock", "--output", folder / "other", "--add", "no-such-package", check=2).stderr
    assert "no-such-package" in error and not (folder / "other").exists()
