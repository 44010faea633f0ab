# SPDX-License-Identifier: MIT
"""The public interface as ci/gen reads it from the headers, and what only checks need of it: constants."""

from __future__ import annotations

import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lib import ctext
from lib.tree import Tree

HEADERS = "core/include/keep/*.h"
GEN = Path(__file__).resolve().parents[2] / "gen"


class Constant(NamedTuple):
    """A macro with a value, or a value of an enum: for users of every language."""

    name: str
    path: str
    line: int


class Function(NamedTuple):
    """An exported function and where a header declares it."""

    name: str
    path: str
    line: int
    comment: str
    params: list[str]
    is_fallible: bool


def gen(tree: Tree) -> ModuleType:
    """ci/gen as a module that reads the headers of this tree."""
    loader = SourceFileLoader("keep_gen", str(GEN))
    module = ModuleType(loader.name)
    module.__file__ = str(GEN)
    sys.modules[loader.name] = module  # its dataclasses look there
    loader.exec_module(module)
    vars(module)["HEADERS"] = tree.root / "core" / "include" / "keep"
    return module


def functions(tree: Tree) -> list[Function]:
    """Every exported function, in the order of the headers."""
    places = {f.name: (path, f.line) for path in tree.paths(HEADERS) for f in ctext.functions(tree.read(path))}
    found = []
    for each in gen(tree).functions():
        path, line = places[each.name]
        is_fallible = re.search(rf"\bkeep_status\s+{each.name}\(", tree.read(path)) is not None
        params = [parameter.name for parameter in each.parameters]
        found.append(Function(each.name, path, line, each.comment, params, is_fallible))
    return found


def constants(tree: Tree) -> list[Constant]:
    """All public constants but statuses, which ci/gen gives to every language."""
    found = []
    for path in tree.paths(HEADERS):
        bare = ctext.code(tree.read(path))
        for name, line in [*_macros(bare), *_enum_values(bare)]:
            found.append(Constant(name, path, line))
    return found


def _macros(bare: str) -> list[tuple[str, int]]:
    """Object-like macros whose value is a number: not guards, attributes or initialisers."""
    pattern = re.compile(r"^#define (KEEP_\w+)[ \t]+\(*(?:[0-9]|KEEP_VERSION_|INT64_MAX)", re.MULTILINE)
    return [(match.group(1), ctext.line_of(bare, match.start())) for match in pattern.finditer(bare)]


def _enum_values(bare: str) -> list[tuple[str, int]]:
    bare = ctext.without_directives(bare)
    found = []
    for enum in re.finditer(r"\benum\b[^{;]*\{([^}]*)\}", bare):
        for value in re.finditer(r"\b(KEEP_\w+)\s*=", enum.group(1)):
            found.append((value.group(1), ctext.line_of(bare, enum.start(1) + value.start())))
    return [(name, line) for name, line in found if name != "KEEP_OK"]
