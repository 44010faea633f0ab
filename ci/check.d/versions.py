# SPDX-License-Identifier: MIT
"""One version everywhere: the header's (bindings T33). A manifest that takes it from the header needs no look."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lib import ctext
from lib.tree import Finding, Tree, main

HEADER = "core/include/keep/version.h"
NUMBER = r"[0-9]+\.[0-9]+\.[0-9]+"
# A manifest, and where in it a version would be written out.
WRITTEN = {
    "CMakeLists.txt": rf"project\([^)]*\bVERSION\s+({NUMBER})",
    "core/CMakeLists.txt": rf"\bVERSION\s+({NUMBER})",
    "bindings/python/CMakeLists.txt": rf"project\([^)]*\bVERSION\s+({NUMBER})",
    "bindings/python/pyproject.toml": rf'^version\s*=\s*"({NUMBER})"',
    "bindings/python/src/libkeep/__init__.py": rf'^__version__[^=]*=\s*"({NUMBER})"',
    "bindings/go/*.go": rf'Version\w*\s*=\s*"({NUMBER})"',
    "keep.pc.in": rf"^Version:\s*({NUMBER})",
    "README.md": rf"\blibkeep ({NUMBER})",
}
# npm needs its version written out.
JSON = ("bindings/node/package.json", "bindings/node/package-lock.json")


def header_version(tree: Tree) -> str:
    text = tree.read(HEADER)
    parts = re.findall(r"^#define KEEP_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$", text, re.MULTILINE)
    return ".".join(number for _, number in parts)


def written(tree: Tree) -> Iterator[tuple[str, int, str]]:
    """(path, line, version) of all manifests."""
    for pattern, place in WRITTEN.items():
        for path in tree.paths(pattern):
            text = tree.read(path)
            for match in re.finditer(place, text, re.MULTILINE):
                yield path, ctext.line_of(text, match.start(1)), match.group(1)
    for path in tree.paths(*JSON):
        manifest = json.loads(tree.read(path))
        yield path, 1, manifest.get("version", "none")
        own = manifest.get("packages", {}).get("", {})
        if "version" in own:
            yield path, 1, own["version"]


def check(tree: Tree) -> Iterator[Finding]:
    wanted = header_version(tree)
    for path, line, version in written(tree):
        if version != wanted:
            yield Finding(path, line, f"version {version}, but the header says {wanted} (bindings T33)")


if __name__ == "__main__":
    main(check)
