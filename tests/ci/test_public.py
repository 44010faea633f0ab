# SPDX-License-Identifier: MIT
"""The rules of the public headers, and of everything that is made from them: symbols, record, bindings, versions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import abi
import alone
import bound
import headers
import symbols
import versions
from lib import public
from lib.tree import Tree
from support import CheckCase, folder, real

TOP = """/* SPDX-License-Identifier: MIT */
/*
 * A thing: what it is.
 *
 * Lifetime: whoever makes it frees it.
 * Threads: locked
 * Limits: none
 */
"""
HEADER = "core/include/keep/thing.h"
FUNCTION = "KEEP_API keep_status keep_thing_do(keep_thing *thing, size_t len);\n"
STATUS = (
    '#define KEEP_STATUS_MAP(X) \\\n    X(OK, 0, "success")\n#define KEEP_ERROR_MAP(X) \\\n    X(BUSY, 7, "in use")\n'
)
STRUCTS = """#define KEEP_MAX_THINGS 7
enum {
    KEEP_THING_BLUE = 1
};
typedef struct keep_thing_options {
    size_t size;
    int wide_open;
} keep_thing_options;
"""


class Headers(CheckCase):
    def header(self, *parts: str) -> dict[str, str]:
        return {HEADER: TOP + "typedef struct keep_thing keep_thing;\n" + "".join(parts)}

    def test_the_top_comment_says_what_users_must_know(self) -> None:
        self.assert_clean(headers.check_top, self.header(FUNCTION))
        for old, new in (("Lifetime:", "Life:"), ("Threads: locked", "Threads: fine"), (" * Limits: none\n", "")):
            text = self.header(FUNCTION)[HEADER].replace(old, new)
            self.assert_found(headers.check_top, {HEADER: text}, f"{HEADER}:1")
        swapped = TOP.replace(" * Threads: locked\n * Limits: none\n", " * Limits: none\n * Threads: locked\n")
        self.assert_found(headers.check_top, {HEADER: swapped + FUNCTION}, f"{HEADER}:1")

    def test_names_begin_with_keep(self) -> None:
        for text in (
            "#define THING 1\n",
            "struct thing {\n",
            "typedef int thing;\n",
            "typedef enum {\n    A\n} thing;\n",
        ):
            self.assert_found(
                headers.check_names, {HEADER: text}, f"{HEADER}:{text.count(chr(10)) if '}' in text else 1}"
            )
        self.assert_clean(headers.check_names, self.header(FUNCTION))

    def test_every_declared_function_is_exported(self) -> None:
        self.assert_found(headers.check_names, {HEADER: FUNCTION.removeprefix("KEEP_API ")}, f"{HEADER}:1")
        self.assert_found(headers.check_names, {HEADER: FUNCTION.replace("_do", "_Do")}, f"{HEADER}:1")

    def test_parameters_are_counted_as_a_reader_counts(self) -> None:
        for params, count in (
            (
                "keep_thing *t, const void *bytes, size_t len, void *out, size_t cap, size_t *out_len, keep_error *err",
                3,
            ),
            ("int a, int b, int c, int d, int e", 5),
            ("keep_pool *pool, size_t len, size_t count, keep_secret **out_secrets", 4),
        ):
            self.assertEqual(headers.count_parameters(params.split(", ")), count, params)
        six = FUNCTION.replace("size_t len", "int a, int b, int c, int d, int e")
        self.assert_found(headers.check_parameters, {HEADER: six}, f"{HEADER}:1")

    def test_outputs_come_last(self) -> None:
        swapped = FUNCTION.replace("size_t len", "int *out_len, int flags")
        self.assert_found(headers.check_parameters, {HEADER: swapped}, f"{HEADER}:1")

    def test_declarations_say_what_their_results_are(self) -> None:
        make = "KEEP_API KEEP_MUST_USE keep_status keep_thing_new(KEEP_OWN keep_thing **out_thing);\n"
        free = "KEEP_API keep_status keep_thing_free(keep_thing **thing);\n"
        self.assert_clean(headers.check_declarations, {HEADER: make + free})
        for text, line in (
            (make.replace("KEEP_MUST_USE ", ""), 1),
            (make.replace("KEEP_OWN ", ""), 1),
            (free.replace("KEEP_API", "KEEP_API KEEP_MUST_USE"), 1),
            (free + make, 2),
        ):
            self.assert_found(headers.check_declarations, {HEADER: text}, f"{HEADER}:{line}")

    def test_binding_lines_are_what_the_generator_reads(self) -> None:
        for words in ("blocks", "waits", "payload len", "payload thing 512", "none each language has its own"):
            self.assert_clean(headers.check_bindings, {HEADER: f"/*\n * Binding: {words}\n */\n{FUNCTION}"})
        for words in ("block", "payload", "payload size", "payload len big", "none"):
            self.assert_found(
                headers.check_bindings, {HEADER: f"/*\n * Binding: {words}\n */\n{FUNCTION}"}, f"{HEADER}:2"
            )
        at_a_time = TOP.replace("locked", "one at a time") + f"/*\n * Binding: payload len\n */\n{FUNCTION}"
        self.assert_found(headers.check_bindings, {HEADER: at_a_time}, f"{HEADER}:{TOP.count(chr(10)) + 2}")

    def test_headers_without_comments_are_no_reference(self) -> None:
        self.assert_found(headers.check_band, {HEADER: FUNCTION}, "core/include/keep/keep.h:1")

    def test_a_header_that_needs_another_one_does_not_stand_alone(self) -> None:
        attributes = {path: real(path) for path in ("core/include/keep/attributes.h",)}
        with folder({**attributes, HEADER: "size_t keep_thing_len(void);\n"}) as tree:
            self.assertGreaterEqual(len(list(alone.check(tree))), len(alone.COMPILERS))
        with folder({**attributes, HEADER: "#include <stddef.h>\nsize_t keep_thing_len(void);\n"}) as tree:
            self.assertEqual(list(alone.check(tree)), [])

    def test_a_name_that_is_a_word_of_cxx_does_not_compile_there(self) -> None:
        with folder({HEADER: "int keep_thing_make(int class);\n"}) as tree:
            found = alone.compile_alone(tree, HEADER, ["g++", "-std=c++17", "-x", "c++"])
            self.assertIn("g++", str(found))


class Symbols(CheckCase):
    def test_lists_are_compared_both_ways(self) -> None:
        self.assertEqual(len(list(symbols.compare("x", {"keep_a"}, {"keep_b"}))), 2)
        self.assertEqual(list(symbols.compare("x", {"keep_a"}, {"keep_a"})), [])

    def test_exports_are_read_from_nm(self) -> None:
        printed = "0000 A KEEP_0.1\n0010 T keep_wipe@@KEEP_0.1\n0020 T stray\n"
        self.assertEqual(symbols.exported(printed, "KEEP_0.1"), {"keep_wipe", "stray"})

    def test_the_version_script_is_read_up_to_its_local_part(self) -> None:
        self.assertEqual(symbols.listed("KEEP_0.1 {\n global:\n  keep_a;\n local:\n  *;\n};"), {"keep_a"})

    def test_a_stray_name_of_the_archive_is_found(self) -> None:
        good = "\nstatus.c.o:\n0000 T keep_wipe\n0010 T keep__wipe\n"
        self.assertEqual(list(symbols.judge_archive(good)), [])
        self.assertEqual(len(list(symbols.judge_archive(good + "0020 D table\n"))), 1)

    def test_a_library_that_is_not_built_is_found(self) -> None:
        with folder({}) as tree:
            self.assertEqual(len(list(symbols.check_built(tree))), 3)

    def test_a_library_that_is_not_hardened_is_found(self) -> None:
        good = "SONAME [libkeep.so.0.1]\n(NEEDED) [libc.so.6]\nGNU_STACK 0 RW 0x10\nGNU_RELRO\nFLAGS BIND_NOW\n"
        self.assertEqual(list(symbols.judge_dynamic(good, "libkeep.so.0.1")), [])
        for old, new in (
            ("0.1]", "0.2]"),
            ("libc.so.6", "libnews.so.1"),
            (" RW ", " RWE "),
            ("GNU_RELRO", ""),
            ("FLAGS BIND_NOW", "(TEXTREL) BIND_NOW"),
        ):
            self.assertEqual(len(list(symbols.judge_dynamic(good.replace(old, new), "libkeep.so.0.1"))), 1, old)

    def test_a_struct_that_grows_differs_from_its_record(self) -> None:
        texts = {path: real(path) for path in Tree.of(public.GEN.parents[1]).paths(public.HEADERS)}
        record = {path: real(path) for path in ("core/abi/structs.txt", "core/abi/symbols.txt")}
        with folder({**texts, **record}) as tree:
            self.assertEqual(list(abi.check(tree)), [])
        texts["core/include/keep/bytes.h"] = texts["core/include/keep/bytes.h"].replace(
            "    size_t len;", "    size_t len, more;"
        )
        with folder({**texts, **record}) as tree:
            self.assertEqual([finding.path for finding in abi.check(tree)], ["core/abi/structs.txt"])


class Bound(CheckCase):
    """A binding of three lines: each is taken away once, and missed."""

    texts: ClassVar[dict[str, str]] = {
        HEADER: STRUCTS + FUNCTION,
        "core/include/keep/status.h": STATUS,
        "bindings/unbound.txt": "",
        "bindings/python/src/libkeep/thing.py": "n.keep_thing_do(n.KEEP_MAX_THINGS, n.KEEP_THING_BLUE); wide_open\n",
        "bindings/node/src/thing.c": "keep_thing_do(t, 1); CONSTANT(KEEP_MAX_THINGS), CONSTANT(KEEP_THING_BLUE)\n",
        "bindings/node/index.d.ts": "wideOpen?: number;\n",
        "bindings/go/cgo.go": "#cgo noescape keep_thing_do\n#cgo nocallback keep_thing_do\n",
        "bindings/go/thing.go": "C.keep_thing_do(t); C.KEEP_MAX_THINGS; C.KEEP_THING_BLUE; WideOpen int\n",
    }

    @contextmanager
    def without(self, path: str = "", words: str = "") -> Iterator[Tree]:
        texts = dict(self.texts)
        if path:
            texts[path] = texts[path].replace(words, "x")
        with folder(texts) as tree:
            yield tree

    def test_what_is_complete_passes(self) -> None:
        with self.without() as tree:
            self.assertEqual([str(finding) for finding in bound.check_bound(tree)], [])

    def test_what_is_taken_out_of_one_binding_is_missed(self) -> None:
        for path, words, name in (
            ("bindings/python/src/libkeep/thing.py", "n.keep_thing_do", "keep_thing_do"),
            ("bindings/node/src/thing.c", "keep_thing_do(t, 1)", "keep_thing_do"),
            ("bindings/go/thing.go", "C.keep_thing_do(t)", "keep_thing_do"),
            ("bindings/node/src/thing.c", "KEEP_MAX_THINGS", "KEEP_MAX_THINGS"),
            ("bindings/python/src/libkeep/thing.py", "KEEP_THING_BLUE", "KEEP_THING_BLUE"),
            ("bindings/node/index.d.ts", "wideOpen", "keep_thing_options.wide_open"),
            ("bindings/go/thing.go", "WideOpen", "keep_thing_options.wide_open"),
        ):
            with self.without(path, words) as tree:
                found = [finding.sentence.split()[0] for finding in bound.check_bound(tree)]
                self.assertEqual(found, [name], path)

    def test_a_reason_excuses_and_is_not_kept_longer_than_needed(self) -> None:
        texts = {**self.texts, "bindings/unbound.txt": "keep_thing_do node no thing there\n"}
        with folder({**texts, "bindings/node/src/thing.c": "KEEP_MAX_THINGS KEEP_THING_BLUE"}) as tree:
            self.assertEqual(list(bound.check_bound(tree)), [])
        with folder(texts) as tree:
            self.assertEqual([finding.path for finding in bound.check_bound(tree)], ["bindings/unbound.txt"])
        with folder({**self.texts, "bindings/unbound.txt": "keep_thing_do cobol because\nkeep_thing_do go\n"}) as tree:
            self.assertEqual(len(list(bound.check_reasons(tree))), 2)

    def test_swig_names_what_its_macros_make(self) -> None:
        words = bound.swig_words(
            "%ignore keep_wipe;\n%keep_box(keep_pool, pool, Pool)\n%extend keep_secret {\n    int put(int);\n}\n"
        )
        self.assertLessEqual({"keep_pool_free", "keep_secret_put"}, words)
        self.assertNotIn("keep_wipe", words)

    def test_cgo_is_told_about_every_call(self) -> None:
        with self.without("bindings/go/cgo.go", "#cgo noescape") as tree:
            self.assertEqual(len(list(bound.check_cgo(tree))), 1)
        with self.without("bindings/go/thing.go", "C.keep_thing_do(t)") as tree:
            self.assertEqual(len(list(bound.check_cgo(tree))), 2)


class Versions(CheckCase):
    def test_every_manifest_says_what_the_header_says(self) -> None:
        header = {"core/include/keep/version.h": real("core/include/keep/version.h")}
        for path, text in (
            ("CMakeLists.txt", "project(keep VERSION {} LANGUAGES C)"),
            ("bindings/python/pyproject.toml", 'version = "{}"'),
            ("bindings/node/package.json", '{{"version": "{}"}}'),
            ("bindings/node/package-lock.json", '{{"version": "0.1.0", "packages": {{"": {{"version": "{}"}}}}}}'),
            ("bindings/go/version.go", 'const Version = "{}"'),
            ("README.md", "This is libkeep {}."),
        ):
            self.assert_clean(versions.check, {**header, path: text.format("0.1.0")})
            self.assert_found(versions.check, {**header, path: text.format("0.1.1")}, f"{path}:1")
