# SPDX-License-Identifier: MIT
"""The rules of the documents: comments of exported functions, what documents name and claim, examples."""

import json
from collections.abc import Callable, Iterator

import claims
import comments
import references
from lib.tree import ROOT, Finding, Tree
from support import CheckCase, folder, real

import examples

HEADERS = {path: real(path) for path in Tree.of(ROOT).paths("core/include/keep/*.h")}
SECRET = "core/include/keep/secret.h"


class DocumentCase(CheckCase):
    def sentences(self, check: Callable[[Tree], Iterator[Finding]], texts: dict[str, str]) -> list[str]:
        with folder({**HEADERS, **texts}) as tree:
            return [finding.sentence for finding in check(tree)]


class Comments(DocumentCase):
    def changed(self, old: str, new: str) -> list[str]:
        self.assertIn(old, HEADERS[SECRET])
        return self.sentences(comments.check_comments, {SECRET: HEADERS[SECRET].replace(old, new, 1)})

    def test_the_headers_as_they_are_pass(self) -> None:
        self.assertEqual(self.sentences(comments.check_comments, {}), [])

    def test_a_function_without_a_comment_is_found(self) -> None:
        declaration = "KEEP_API KEEP_MUST_USE keep_status keep_secret_melt("
        self.assertEqual(len(self.changed(declaration, f"int keep_between;\n{declaration}")), 1)

    def test_rows_name_what_exists(self) -> None:
        for old, new in (
            (" * KEEP_OK        the secret is writable\n", ""),
            (" * KEEP_OK        the secret is frozen\n", " * KEEP_OK        x\n * KEEP_ERR_TIRED  rest\n"),
            (" * bytes   NULL only", " * octets   NULL only"),
        ):
            self.assertEqual(len(self.changed(old, new)), 1, old)

    def test_what_cannot_fail_says_so(self) -> None:
        bytes_h = "core/include/keep/bytes.h"
        text = HEADERS[bytes_h].replace("Cannot fail.", "")
        self.assertEqual(len(self.sentences(comments.check_comments, {bytes_h: text})), 1)

    def vectors(self, *steps: dict[str, object]) -> dict[str, str]:
        file = {"schema": "keep-memory-1", "scripts": [{"id": "x", "script": list(steps)}]}
        return {"tests/vectors/memory.json": json.dumps(file)}

    def test_a_status_that_a_test_saw_is_listed(self) -> None:
        put = {"op": "read_window", "steps": [{"op": "put", "status": "BUSY"}]}
        self.assertEqual(self.sentences(comments.check_seen, self.vectors(put)), [])
        put["steps"] = [{"op": "put", "status": "TIMEOUT"}]
        self.assertIn("saw TIMEOUT", self.sentences(comments.check_seen, self.vectors(put))[0])

    def test_an_op_that_nobody_knows_is_asked_about(self) -> None:
        self.assertIn("dance", self.sentences(comments.check_seen, self.vectors({"op": "dance", "status": "BUSY"}))[0])


class References(DocumentCase):
    def test_every_document_is_there(self) -> None:
        there = dict.fromkeys(references.REQUIRED, "x")
        self.assert_clean(references.check_documents, there)
        del there["docs/threats.md"]
        self.assert_found(references.check_documents, there, "docs/threats.md:1")

    def test_paths_links_and_jobs_exist(self) -> None:
        for text in ("See `core/base/gone.h`.", "See [it](docs/gone.md).", "Run `ci/run gone-job`."):
            self.assertEqual(len(self.sentences(references.check_paths, {"docs/x.md": text})), 1, text)
        fine = "See `core/include/keep/`, `core/include/keep/*.h`, [it](y.md#part), [that](https://example.org)."
        self.assertEqual(self.sentences(references.check_paths, {"docs/x.md": fine, "docs/y.md": ""}), [])

    def test_symbols_exist(self) -> None:
        for text in ("`keep_secret_forget`", "`KEEP_ERR_TIRED`", "`KEEP_MAX_FUN`"):
            self.assertEqual(len(self.sentences(references.check_symbols, {"docs/x.md": text})), 1, text)
        fine = "`keep_secret_free`, `KEEP_ERR_BUSY`, `KEEP_MAX_TIERS`, `keep_secret_*`, `KEEP_BACKING_…`"
        self.assertEqual(self.sentences(references.check_symbols, {"docs/x.md": fine}), [])

    def test_numbers_are_the_headers(self) -> None:
        self.assertEqual(self.sentences(references.check_constants, {"x.md": "| `KEEP_MAX_TIERS` | 8 |\n"}), [])
        self.assertEqual(len(self.sentences(references.check_constants, {"x.md": "| `KEEP_MAX_TIERS` | 9 |\n"})), 1)

    def test_tables_of_fields_are_whole(self) -> None:
        table = "<!-- fields: keep_acquire_options -->\n| field | means |\n|---|---|\n| `timeout_ms` | wait |\n"
        self.assertEqual(len(self.sentences(references.check_fields, {"x.md": table})), 1)
        self.assertEqual(self.sentences(references.check_fields, {"x.md": table + "| `flags` | how |\n"}), [])


class Claims(DocumentCase):
    def test_a_linked_test_has_the_title_of_the_link(self) -> None:
        tests = {"tests/c/test_x.c": "START_TEST(a_freed_one_is_closed)\n", "tests/x.mjs": "test('one, two', () => {\n"}
        fine = "See [a freed one is closed](../tests/c/test_x.c), [one, two](../tests/x.mjs), [them](../tests/x.md)."
        self.assertEqual(self.sentences(claims.check_tests, {**tests, "docs/x.md": fine}), [])
        for title in ("a freed one is", "is closed", "freed ones"):
            text = f"See [{title}](../tests/c/test_x.c)."
            self.assertEqual(len(self.sentences(claims.check_tests, {**tests, "docs/x.md": text})), 1, title)

    def test_the_map_has_every_file(self) -> None:
        files = {"core/base/x.c": "x", "core/base/x.h": "x"}
        heading = "### `core/base/`\n\n| file | holds |\n|---|---|\n"
        for rows, lacking in (("| `x` | x |\n", 0), ("", 1), ("| `y` | y |\n", 2)):
            found = self.found(claims.check_map, {**files, claims.MAP: heading + rows})
            self.assertEqual(len(found), lacking, rows)

    def test_the_lock_order_is_that_of_the_enum(self) -> None:
        enum = {claims.LOCKS: "typedef enum keep__rank {\n    KEEP__RANK_A = 1, /* KEEP__RANK_C */\n    KEEP__RANK_B }"}
        for text, count in (("KEEP__RANK_A KEEP__RANK_B, KEEP__RANK_A", 0), ("KEEP__RANK_B KEEP__RANK_A", 1)):
            self.assertEqual(len(self.found(claims.check_ranks, {**enum, claims.MAP: text})), count)

    def test_the_jobs_are_those_of_ci_run(self) -> None:
        run = {"ci/run": "x=1\nknown=(gcc fuzz-replay\n    docs)\n", "ci/test": "core=(gcc)\nlanguages=(docs)\n"}
        table = "| job | | does |\n|---|---|---|\n| `gcc` | ✓ | x |\n| `fuzz-replay` | | x |\n"
        self.assert_clean(claims.check_jobs, {**run, claims.JOBS: table + "| `docs` | ✓ | x |\n"})
        for row, findings in (("", 2), ("| `docs` | | x |\n", 1), ("| `docs` | ✓ | x |\n| `no` | | x |\n", 1)):
            self.assertEqual(len(self.found(claims.check_jobs, {**run, claims.JOBS: table + row})), findings, row)

    def test_the_oldest_languages_are_those_of_the_manifests(self) -> None:
        texts = {path: real(path) for path in claims.OLDEST}
        told = "Python 3.9, Node.js 18.18, Go 1.24, libsodium 1.0.18\n"
        self.assert_clean(claims.check_oldest, {**texts, "README.md": told})
        for word, other in (("3.9", "3.10"), ("18.18", "20"), ("1.24", "1.2"), ("1.0.18", "1.0.1")):
            self.assertEqual(len(self.found(claims.check_oldest, {**texts, "README.md": told.replace(word, other)})), 1)


class Examples(DocumentCase):
    def run_example(self, suffix: str, text: str) -> str:
        return examples.run(examples.Example("x.md", 1, suffix, text), ROOT)

    def test_blocks_are_found_with_their_language(self) -> None:
        text = "# x\n\n```c\nint x;\n```\n\n```text\nno\n```\n\n```js\n1;\n```\n"
        found = list(examples.examples(Tree({"README.md": text})))
        self.assertEqual([(each.line, each.suffix) for each in found], [(3, "c"), (11, "js")])

    def test_every_language_must_be_shown(self) -> None:
        self.assert_found(examples.check, {"README.md": "```sh\nls\n```\n"}, *["README.md:1"] * 4)

    def test_a_fence_that_is_left_open_is_found(self) -> None:
        self.assert_found(examples.open_fences, {"README.md": "```sh\nls\n```\n\n```sh\npwd\n"}, "README.md:5")

    def test_an_example_that_fails_is_found(self) -> None:
        self.assertIn("7", self.run_example("py", "raise SystemExit(7)"))
        self.assertIn("nothing", self.run_example("js", "require('nothing')"))
        self.assertEqual(self.run_example("py", "print(1)"), "")
