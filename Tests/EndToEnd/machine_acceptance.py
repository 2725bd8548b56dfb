# SPDX-License-Identifier: Apache-2.0
"""What a verifier names who accepts one image on one operator's machines."""
import dataclasses
import pathlib

from conftest import cupel


@dataclasses.dataclass(frozen=True)
class Acceptance:
    """A policy: the operator's TPM CA, and the list that was computed from an image's files."""
    folder: pathlib.Path
    authority: pathlib.Path = None
    measurements: pathlib.Path = None
    # Further lines of the policy.
    more: str = ""

    @classmethod
    def made(cls, folder, image, server):
        return cls(folder, server.authority, measured(image, folder))

    def of(self, image, server):
        return dataclasses.replace(self, authority=server.authority, measurements=measured(image, self.folder))

    def without_authority(self):
        return dataclasses.replace(self, authority=None)

    def without_list(self):
        return dataclasses.replace(self, measurements=None)

    def wanting(self, text):
        return dataclasses.replace(self, more=text)

    @property
    def trust(self):
        """Arguments of `cupel build` and `cupel verify` that name whom to believe."""
        options = ["--tpm-ca", self.authority] if self.authority else []
        return options + (["--images", self.measurements] if self.measurements else [])

    @property
    def options(self):
        """Arguments of `cupel verify`."""
        path = self.folder / f"policy-{abs(hash(self))}.yaml"
        path.write_text(f"version: 1\nplatforms: vtpm\nrequireNonce: true\n{self.more}\n")
        return ["--policy", path, *self.trust]


def measured(image, folder):
    """The list that `cupel image measure` computes from an image's files alone, once."""
    path = folder / f"{image.name}.measurements.json"
    if not path.exists():
        cupel("image", "measure", image, "--platform", "vtpm", "--output", path, check=0)
    return path
