# SPDX-License-Identifier: MIT
"""The built library against the headers: exports, hidden names, what it loads, how it is hardened (bindings R52, T26).

Version script = headers = what nm sees; every other name is hidden; the archive adds no name outside keep_.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from lib import ctext, public
from lib.tree import Finding, Tree, main

SHARED = "build/libkeep.so"
STATIC = "build/libkeep.a"
MAP = "build/gen/keep.map"
# What the library may load; the others of design 5 come with their seams.
NEEDED = ("libsodium.so.", "libc.so.", "libpthread.so.", "libm.so.", "ld-linux", "libsqlite3.so.", "libcrypto.so.")


def tool(tree: Tree, *command: str) -> str:
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=True).stdout


def declared(tree: Tree) -> set[str]:
    """Functions that the headers declare, by another way than ci/gen's."""
    paths = tree.paths(public.HEADERS)
    return {function.name for path in paths for function in ctext.functions(tree.read(path)) if function.body is None}


def compare(what: str, found: set[str], wanted: set[str]) -> Iterator[Finding]:
    for name in sorted(found - wanted):
        yield Finding(what, 1, f"has {name}, which no public header declares (bindings R52)")
    for name in sorted(wanted - found):
        yield Finding(what, 1, f"lacks {name}, which a public header declares (bindings R52)")


def exported(printed: str, version: str) -> set[str]:
    """Names of `nm -D --defined-only`: NAME@@KEEP_0.1. The version's own name is no symbol of a program."""
    names = {line.split()[-1] for line in printed.splitlines()}
    return {
        name.removesuffix(f"@@{version}") for name in names if name != version and not name.startswith(f"{version}@")
    }


def listed(script: str) -> set[str]:
    return set(re.findall(r"^\s*(\w+);", script.split("local:")[0], re.MULTILINE))


def check_built(tree: Tree) -> Iterator[Finding]:
    """Without the library there is nothing to look at, which is not the same as finding nothing."""
    lacking = [path for path in (SHARED, STATIC, MAP) if not (tree.root / path).exists()]
    for path in lacking:
        yield Finding(path, 1, "is not built")
    if not lacking:
        for check in (check_exports, check_archive, check_dynamic):
            yield from check(tree)


def check_exports(tree: Tree) -> Iterator[Finding]:
    script = (tree.root / MAP).read_text()
    version = script[script.index("KEEP_") :].split()[0]
    wanted = declared(tree)
    yield from compare(MAP, listed(script), wanted)
    yield from compare(SHARED, exported(tool(tree, "nm", "-D", "--defined-only", SHARED), version), wanted)


def check_archive(tree: Tree) -> Iterator[Finding]:
    yield from judge_archive(tool(tree, "nm", "-g", "--defined-only", STATIC))


def judge_archive(printed: str) -> Iterator[Finding]:
    """A linker sees every global name of an archive, hidden or not: all begin with keep_. Rows are VALUE TYPE NAME."""
    for name in re.findall(r"^[0-9a-f]+ [A-Z] (\S+)$", printed, re.MULTILINE):
        if not name.startswith("keep_"):
            yield Finding(STATIC, 1, f"defines {name}, which is outside keep_ (design 2 rule 4)")


def check_dynamic(tree: Tree) -> Iterator[Finding]:
    yield from judge_dynamic(tool(tree, "readelf", "-dlW", SHARED), soname(tree))


def soname(tree: Tree) -> str:
    major, minor, _ = public.gen(tree).version()
    return f"libkeep.so.{major}.{minor}" if major == 0 else f"libkeep.so.{major}"


def judge_dynamic(printed: str, name: str) -> Iterator[Finding]:
    if f"[{name}]" not in printed:
        yield Finding(SHARED, 1, f"its SONAME is not {name} (bindings R51)")
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", printed):
        if not library.startswith(NEEDED):
            yield Finding(SHARED, 1, f"loads {library}, which is not in its list (bindings T26)")
    if "(TEXTREL)" in printed:
        yield Finding(SHARED, 1, "has text relocations (bindings T26)")
    stack = re.search(r"GNU_STACK.*", printed)
    if stack is None or re.search(r"\bR?WE\b", stack.group()):
        yield Finding(SHARED, 1, "asks for an executable stack (bindings T26)")
    if "GNU_RELRO" not in printed or not re.search(r"BIND_NOW|\bNOW\b", printed):
        yield Finding(SHARED, 1, "is not linked with relro and now (style R25)")


if __name__ == "__main__":
    main(check_built)
