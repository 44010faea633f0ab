# SPDX-License-Identifier: MIT
"""The public headers: form (style R8), names (bindings R53), parameters and structs (style R7, R12)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib import ctext, public
from lib.tree import Finding, Tree, main

THREADS = ("immutable", "one at a time", "locked")
MAX_PARAMETERS = 5
MAX_UNBOUND = 12
BAND = (3.0, 6.0)  # comment lines per code line that style R8 asks for
LEAST = 1.0  # below it a header set is no reference any more

NAME = re.compile(
    r"(?:^#[ \t]*define[ \t]+|^typedef [^;{]*?(?=\w+;)|^\} |\b(?:struct|union|enum)[ ]+)(?P<name>\w+)", re.MULTILINE
)


def top_comment(text: str) -> str:
    found = re.search(r"/\*\n( \*.*?)\*/", text, re.DOTALL)
    return found.group(1) if found else ""


def check_top(tree: Tree) -> Iterator[Finding]:
    """SPDX, what this is, lifetime, threads, limits: in this order. A header without functions needs no lifetime."""
    for path in tree.paths(public.HEADERS):
        text = tree.read(path)
        comment = top_comment(text)
        if not text.startswith("/* SPDX-License-Identifier: MIT */\n/*\n * "):
            yield Finding(path, 1, "begins with the licence line and a comment that says what this is (style R8)")
        labels = re.findall(r"^ \* (Lifetime|Threads|Limits):", comment, re.MULTILINE)
        if labels != sorted(labels, key=["Lifetime", "Threads", "Limits"].index):
            yield Finding(path, 1, "lifetime, threads, limits stand in another order (style R8)")
        wanted = wanted_labels(text)
        if not wanted <= set(labels):
            yield Finding(path, 1, f"says nothing about {', '.join(sorted(wanted - set(labels)))} (style R8)")
        for threads in re.findall(r"^ \* Threads: (.*)$", comment, re.MULTILINE):
            if threads.rstrip(".") not in THREADS:
                yield Finding(path, 1, f"Threads: is one of {', '.join(THREADS)} (bindings R8)")


def wanted_labels(text: str) -> set[str]:
    """Handles have all three; functions alone have threads."""
    if re.search(r"^typedef struct (\w+) \1;", text, re.MULTILINE):
        return {"Lifetime", "Threads", "Limits"}
    return {"Threads"} if re.search(r"^KEEP_API", text, re.MULTILINE) else set()


def check_names(tree: Tree) -> Iterator[Finding]:
    """No name outside of keep_ and KEEP_, and every function declared here is exported."""
    for path in tree.paths(public.HEADERS):
        bare = ctext.code(tree.read(path))
        for match in NAME.finditer(bare):
            if not match.group("name").startswith(("keep_", "KEEP_")):
                line = ctext.line_of(bare, match.start("name"))
                yield Finding(path, line, f"{match.group('name')} is not a name of libkeep (bindings R53)")
        exported = set(re.findall(r"^KEEP_API[^;(]*?(\w+)\(", bare, re.MULTILINE))
        for function in ctext.functions(bare):
            if not re.fullmatch(r"keep_[a-z0-9]+(_[a-z0-9]+)*", function.name):
                yield Finding(path, function.line, f"{function.name} is not keep_<noun>_<verb> (style 2)")
            if function.body is None and function.name not in exported:
                yield Finding(path, function.line, f"{function.name} is declared without KEEP_API (design 2 rule 4)")


def is_run(param: str) -> bool:
    """A pointer to several: bytes, handles, or structs, whose name is a plural; not to one handle or struct."""
    return "*" in param and not re.search(r"\bkeep_\w+ \*(?:KEEP_\w+ )?\w*[^s]$", param)


def count_parameters(params: list[str]) -> int:
    """A pointer with its length is one; an output buffer, its capacity and out_len are one; keep_error is none."""
    names = [re.sub(r".*?(\w+)$", r"\1", each) for each in params]
    counted = 0
    for at, (name, each) in enumerate(zip(names, params, strict=True)):
        is_length = at > 0 and re.search(r"(?:^|_)(?:len|cap|count)$", name) and is_run(params[at - 1])
        is_filled = at > 1 and name in {"out_len", "out_count"} and names[at - 1].endswith("cap")
        counted += not (is_length or is_filled or each.startswith("keep_error *"))
    return counted


def check_parameters(tree: Tree) -> Iterator[Finding]:
    for path in tree.paths(public.HEADERS):
        for function in ctext.functions(tree.read(path)):
            count = count_parameters(function.params)
            if count > MAX_PARAMETERS:
                yield Finding(
                    path,
                    function.line,
                    f"{function.name} has {count} parameters, at most {MAX_PARAMETERS}: make options (style R7)",
                )
            names = [each for each in function.params if re.search(r"\bout_\w+$", each)]
            tail = [each for each in function.params if not re.search(r"^keep_error \*|\bcap$", each)][-len(names) :]
            if names and names != tail:
                yield Finding(path, function.line, f"{function.name}: outputs come last (style 2)")


def check_declarations(tree: Tree) -> Iterator[Finding]:
    """Statuses must be looked at, but those of ending; handles that come out are owned; ending comes last."""
    for path in tree.paths(public.HEADERS):
        bare = ctext.without_directives(ctext.code(tree.read(path)))
        ended: set[str] = set()
        for match in re.finditer(r"^KEEP_API\b([^;(]*?)\b(keep_([a-z]+)_?\w*)\(([^;]*)\);", bare, re.MULTILINE):
            before, name, noun, params = match.groups()
            line = ctext.line_of(bare, match.start())
            is_end = re.search(r"_free(_batch)?$", name) is not None
            if "keep_status" in before and ("KEEP_MUST_USE" in before) == is_end:
                yield Finding(path, line, f"{name}: KEEP_MUST_USE marks every status but that of ending (style R14)")
            if re.search(r"(?<!KEEP_OWN )keep_\w+ \*\*out_", params):
                yield Finding(path, line, f"{name}: a handle that comes out is KEEP_OWN (style R13)")
            if noun in ended and not is_end:
                yield Finding(path, line, f"{name} stands after its noun's free: create, use, inspect, free (style R8)")
            ended |= {noun} if is_end else set()


def check_structs(tree: Tree) -> Iterator[Finding]:
    """Options and reports begin with their size and have an ..._INIT, so that fields can be appended."""
    everything = "\n".join(tree.read(path) for path in tree.paths(public.HEADERS))
    for path in tree.paths(public.HEADERS):
        bare = ctext.code(tree.read(path))
        for match in re.finditer(r"(typedef )?\bstruct (keep_\w+) \{\s*([^;]*);", bare):
            is_value, name = bool(match[1]), match[2]  # a report has no typedef, what a format fixes has one
            is_sized = match[3] == "size_t size"
            line = ctext.line_of(bare, match.start())
            grows = re.search(r"_(options|error)$" if is_value else r"_(info|stats|report)$", name)
            if grows and not is_sized:
                yield Finding(path, line, f"{name} begins with `size_t size` (style R12)")
            if is_sized and f"#define {name.upper()}_INIT " not in everything:
                yield Finding(path, line, f"{name} has no {name.upper()}_INIT (style R12)")


def check_bindings(tree: Tree) -> Iterator[Finding]:
    """The `Binding:` lines are of the grammar that ci/gen reads."""
    unbound = 0
    for path in tree.paths(public.HEADERS):
        text = tree.read(path)
        at_a_time = "Threads: one at a time" in top_comment(text)
        for match in re.finditer(r"^ \* Binding: (.*)$", text, re.MULTILINE):
            line = ctext.line_of(text, match.start())
            words = match.group(1).split()
            declared = next((f for f in ctext.functions(text) if f.line > line), None)
            unbound += words[0] == "none"
            if not is_binding(words, declared.params if declared else []):
                yield Finding(
                    path, line, "Binding: blocks | waits | payload PARAMETER [THRESHOLD] | none REASON (bindings R8)"
                )
            if words[0] == "payload" and at_a_time:
                yield Finding(path, line, "payload is not for types that are used one at a time (bindings R8)")
    if unbound > MAX_UNBOUND:
        yield Finding(
            "core/include/keep/keep.h", 1, f"{unbound} functions are bound nowhere, at most {MAX_UNBOUND} (bindings R8)"
        )


def is_binding(words: list[str], params: list[str]) -> bool:
    if words[0] == "payload":
        names = [re.sub(r".*?(\w+)$", r"\1", each) for each in params]
        return 2 <= len(words) <= 3 and words[1] in names and all(word.isdigit() for word in words[2:])
    return (words[0] == "none" and len(words) > 1) or words in (["blocks"], ["waits"])


def check_band(tree: Tree) -> Iterator[Finding]:
    """Comment lines per code line, over all headers: told when out of the band, refused when hardly any are there."""
    texts = [tree.read(path) for path in tree.paths(public.HEADERS)]
    code = sum(map(ctext.code_lines, texts))
    density = sum(map(ctext.comment_lines, texts)) / max(code, 1)
    if not BAND[0] <= density <= BAND[1]:
        print(f"note: public headers hold {density:.1f} comment lines per code line; style R8 asks for 3 to 6")
    if code and density < LEAST:
        yield Finding(
            "core/include/keep/keep.h",
            1,
            f"public headers hold less than {LEAST:.0f} comment line per code line (style R8)",
        )


if __name__ == "__main__":
    main(check_top, check_names, check_parameters, check_declarations, check_structs, check_bindings, check_band)
