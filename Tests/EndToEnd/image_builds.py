# SPDX-License-Identifier: Apache-2.0
"""Runs `cupel image build` for the tests: once with what apt has, and then with the archives that this kept."""
import os
import shutil
import subprocess

import pytest

from conftest import CUPEL, ENVIRONMENT, ROOT, cupel

PINNED = ROOT / "Sources/Machines/Image/guest-packages.txt"
# What the error says where Debian has replaced a package that this release pins.
OUT_OF_DATE = "apt finds no archive any more of what the list pins"


def skip_where_none_can_be_made():
    missing = [name for name in ("mmdebstrap", "unshare", "apt-get") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        # Where all tests are to run, that is no reason to run fewer.
        assert not os.environ.get("CI"), f"images are made by root, with {', '.join(missing) or 'what is here'}"
        pytest.skip(f"images are made by root, with {', '.join(missing) or 'what is here'}; "
                    "Scripts/requirements tests installs it")


def first(output, *options):
    """Makes an image, and keeps the packages beside it. Where the pinned ones are gone, of those of today: tests go on
    when Debian does."""
    kept = output.parent / "packages"
    done = cupel("image", "build", "--output", output, "--save-packages", kept, *options, timeout=2400)
    if done.returncode and OUT_OF_DATE in done.stderr:
        print(f"\nthe list of packages is out of date: make a new one with 'cupel image lock --output {PINNED}'\n"
              f"{done.stderr}")
        fresh = output.parent / "packages.list"
        cupel("image", "lock", "--output", fresh, check=0, timeout=2400)
        done = cupel("image", "build", "--output", output, "--save-packages", kept, "--packages", fresh, *options,
                     timeout=2400)
    assert done.returncode == 0, done.stderr
    return output


def kept(image):
    """The options that make another image of the same packages, without a network."""
    folder, fresh = image.parent / "packages", image.parent / "packages.list"
    if not folder.is_dir():
        pytest.skip("the packages of this image were not kept")
    return ["--package-folder", folder, *(["--packages", fresh] if fresh.exists() else [])]


def listed(image):
    """The list that an image of the tests was made of."""
    fresh = image.parent / "packages.list"
    return (fresh if fresh.exists() else PINNED).read_text()


def run(script, *arguments, environment=None):
    """Runs a shell script as it would be run on another machine: with another name and another resolver, without a
    network."""
    command = ["unshare", "--mount", "--uts", "--net", "sh", "-eu", "-c", script, "sh", CUPEL, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, **(environment or {})},
                          timeout=1200)
