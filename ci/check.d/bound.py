# SPDX-License-Identifier: MIT
"""Every function, constant and field is in each language, or stands in bindings/unbound.txt (bindings R56).

Functions and constants are looked for by their C names where the binding's own code names them; fields by their names
in what users see, whatever the language's way to write two words. Statuses are ci/gen's matter. What cgo calls is
declared to it as in bindings R44.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib import ctext, public
from lib.tree import Finding, Tree, main

LIST = "bindings/unbound.txt"
LANGUAGES = ("python", "node", "go")
# The binding's own code, and what users of the language see of it.
CODE = {
    "python": ("swig/*.i", "bindings/python/src/libkeep/*.py"),
    "node": ("bindings/node/src/*.c", "bindings/node/src/*.h", "bindings/node/lib/*.js"),
    "go": ("bindings/go/*.go", "bindings/go/*.h"),
}
FACE = {
    "python": ("bindings/python/src/libkeep/*.py",),
    "node": ("bindings/node/index.d.ts",),
    "go": ("bindings/go/*.go",),
}
GENERATED = {"python": "python/_errors.py", "node": "node/status.js", "go": "go/zstatus.go"}
UNSEEN = ("size", "reserved")  # fields that are C's own matter


def swig_words(text: str) -> set[str]:
    """Names in a SWIG file: not the ignored ones, but those that its macros and %extend put together."""
    text = ctext.code(re.sub(r"^%ignore .*$", "", text, flags=re.MULTILINE))
    words = set(re.findall(r"\w+", text))
    words |= {f"{handle}_free" for handle in re.findall(r"%keep_box\((\w+)", text)}
    words |= {f"{handle}_free_batch" for handle in re.findall(r"%keep_box_batch\((\w+)", text)}
    for extended in re.finditer(r"%extend (\w+) \{(.*?)\n\}", text, re.DOTALL):
        words |= {f"{extended[1]}_{verb}" for verb in re.findall(r"(\w+)\(", extended[2])}
    return words


def go_words(text: str) -> set[str]:
    """Names in a Go file: not those that `#cgo` lines alone mention."""
    return set(re.findall(r"\w+", re.sub(r"^(?://)?\s*#cgo .*$", "", text, flags=re.MULTILINE)))


def words_of(tree: Tree, language: str, patterns: tuple[str, ...]) -> set[str]:
    words = set(re.findall(r"\w+", public.gen(tree).FILES[GENERATED[language]]()))
    for path in tree.paths(*patterns):
        if path.endswith("_test.go"):
            continue
        text = tree.read(path)
        if path.endswith(".i"):
            words |= swig_words(text)
        elif path.endswith(".go"):
            words |= go_words(text)
        else:
            words |= set(re.findall(r"\w+", ctext.code(text) if path.endswith((".c", ".h")) else text))
    return words


def squeezed(word: str) -> str:
    return word.replace("_", "").lower()


def fields(tree: Tree) -> Iterator[str]:
    """STRUCT.FIELD of every public struct that a binding converts."""
    for struct in public.gen(tree).structs():
        for field in struct.fields:
            if field not in UNSEEN:
                yield f"{struct.tag.removeprefix('struct ')}.{field}"


def missing(tree: Tree, language: str) -> Iterator[str]:
    code = words_of(tree, language, CODE[language])
    face = {squeezed(word) for word in words_of(tree, language, FACE[language])}
    names = [function.name for function in public.functions(tree)]
    names += [constant.name for constant in public.constants(tree)]
    yield from (name for name in names if name not in code)
    yield from (name for name in fields(tree) if squeezed(name.split(".")[1]) not in face)


def reasons(tree: Tree) -> dict[tuple[str, str], int]:
    """(symbol, language) and the line that excuses it; STRUCT.* is all its fields, `all` is every language."""
    found = {}
    for line, row in tree.table(LIST, 3):
        for language in LANGUAGES if row[1] == "all" else [row[1]]:
            found[row[0], language] = line
    return found


def excuse(listed: dict[tuple[str, str], int], name: str, language: str) -> int:
    struct = name.split(".")[0] + ".*"
    return listed.get((name, language), listed.get((struct, language), 0))


def check_bound(tree: Tree) -> Iterator[Finding]:
    listed = reasons(tree)
    used = set()
    for language in LANGUAGES:
        for name in missing(tree, language):
            line = excuse(listed, name, language)
            used.add(line)
            if not line:
                sentence = f"{name} is bound nowhere, and {LIST} does not say why (bindings R56)"
                yield Finding(f"bindings/{language}", 1, sentence)
    for line in sorted(set(listed.values()) - used):
        yield Finding(LIST, line, "what stands here is bound: the line is not needed")


def check_reasons(tree: Tree) -> Iterator[Finding]:
    for line, row in tree.table(LIST, 3):
        if len(row) < 3 or row[1] not in (*LANGUAGES, "all"):
            yield Finding(LIST, line, f"SYMBOL LANGUAGE REASON; a language is one of {', '.join(LANGUAGES)}, all")


def check_cgo(tree: Tree) -> Iterator[Finding]:
    """Every C function that Go calls is noescape and nocallback, and no other is."""
    texts = {path: tree.read(path) for path in tree.paths("bindings/go/*.go") if not path.endswith("_test.go")}
    called = {name for text in texts.values() for name in re.findall(r"\bC\.(keep_\w+)\(", text)}
    for promise in ("noescape", "nocallback"):
        promised = {n for text in texts.values() for n in re.findall(rf"#cgo {promise} (\w+)", text)}
        for name in sorted(called - promised):
            yield Finding("bindings/go/cgo.go", 1, f"{name} is not declared {promise} (bindings R44)")
        for name in sorted(promised - called):
            yield Finding("bindings/go/cgo.go", 1, f"{name} is declared {promise}, but never called (bindings R44)")


if __name__ == "__main__":
    main(check_reasons, check_bound, check_cgo)
