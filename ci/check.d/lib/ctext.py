# SPDX-License-Identifier: MIT
"""C as text: without comments and strings, its functions, its includes. No preprocessing: what is written counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKENS = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.DOTALL | re.VERBOSE,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
_HEAD = re.compile(
    r"^(?!typedef\b|extern\b|_Static_assert\b|else\b|return\b)[A-Za-z_][^;{}#=()]*?\b(?P<name>\w+)\s*\(", re.MULTILINE
)
_END = re.compile(r"[^;{}=]*(?P<end>[;{])")  # what may stand between the parameters and a body: attributes


class Function(NamedTuple):
    """A function's definition (`body` is its text between the braces) or declaration (`body` is None)."""

    name: str
    line: int
    is_static: bool
    params: list[str]
    body: str | None


class Include(NamedTuple):
    line: int
    is_system: bool
    name: str


def code(text: str) -> str:
    """The text with comments and the insides of strings blanked; lines keep their numbers."""
    return _TOKENS.sub(_blank, text)


def comments(text: str) -> str:
    """The text with everything but comments blanked; lines keep their numbers."""
    kept = []
    at = 0
    for token in _TOKENS.finditer(text):
        kept.append(_spaces(text[at : token.start()]))
        kept.append(token.group() if token.group("comment") else _spaces(token.group()))
        at = token.end()
    return "".join(kept) + _spaces(text[at:])


def code_lines(text: str) -> int:
    return sum(1 for line in code(text).splitlines() if line.strip())


def comment_lines(text: str) -> int:
    """Lines of comments alone, as counting programs count them."""
    alone = zip(code(text).splitlines(), comments(text).splitlines(), strict=True)
    return sum(1 for bare, comment in alone if comment.strip() and not bare.strip())


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def includes(text: str) -> list[Include]:
    # Names of own headers are strings, which `code` blanks: comments alone are taken out.
    bare = _TOKENS.sub(lambda token: _blank(token) if token.group("comment") else token.group(), text)
    return [
        Include(line_of(bare, match.start(1)), match.group(1) == "<", match.group(2))
        for match in _INCLUDE.finditer(bare)
    ]


def functions(text: str) -> Iterator[Function]:
    """Functions at file level, in the layout of .clang-format: each begins in the first column."""
    bare = without_directives(code(text))
    for head in _HEAD.finditer(bare):
        close = _closing(bare, head.end(), "()")
        end = _END.match(bare, close + 1)
        if end is None:
            continue
        is_body = end.group("end") == "{"
        yield Function(
            head.group("name"),
            line_of(bare, head.start("name")),
            re.match(r"static\b|KEEP__ALWAYS_INLINE\b", head.group()) is not None,
            split_params(bare[head.end() : close]),
            bare[end.end() : _closing(bare, end.end(), "{}")] if is_body else None,
        )


def split_params(params: str) -> list[str]:
    """The parameters of a list, split at its own commas; none for `void`."""
    parts, depth, part = [], 0, ""
    for char in params:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    cleaned = [" ".join(each.split()) for each in parts]
    return [each for each in cleaned if each not in ("", "void")]


def without_directives(text: str) -> str:
    """The text with preprocessor lines (and those that continue them) blanked."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _spaces(m.group()), text, flags=re.MULTILINE)


def calls(text: str, name: str) -> list[int]:
    """The lines on which the name is called, or taken as a function."""
    bare = without_directives(code(text))
    pattern = re.compile(rf"(?<![\w.>]){re.escape(name)}\s*\(")
    return [line_of(bare, match.start()) for match in pattern.finditer(bare)]


def _closing(text: str, at: int, pair: str) -> int:
    """Where the bracket closes that was opened just before `at`."""
    depth = 1
    while depth and at < len(text):
        depth += (text[at] == pair[0]) - (text[at] == pair[1])
        at += 1
    return at - 1


def _spaces(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _blank(token: re.Match[str]) -> str:
    if token.group("comment"):
        return _spaces(token.group())
    quote = token.group()[0]
    return quote + _spaces(token.group()[1:-1]) + quote
