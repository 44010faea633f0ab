# SPDX-License-Identifier: MIT
"""The rules of the documents: comments of exported functions, what documents name, examples."""

import json
from collections.abc import Callable, Iterator

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


class Examples(DocumentCase):
    def run_example(self, suffix: str, text: str) -> str:
        return examples.run(examples.Example("x.md", 1, suffix, text), ROOT)

    def test_blocks_are_found_with_their_language(self) -> None:
        text = "# x\n\n```c\nint x;\n```\n\n```text\nno\n```\n\n```js\n1;\n```\n"
        found = list(examples.examples(Tree({"README.md": text})))
        self.assertEqual([(each.line, each.suffix) for each in found], [(3, "c"), (11, "js")])

    def test_every_language_must_be_shown(self) -> None:
        self.assert_found(examples.check, {"README.md": "```sh\nls\n```\n"}, *["README.md:1"] * 4)

    def test_an_example_that_fails_is_found(self) -> None:
        self.assertIn("7", self.run_example("py", "raise SystemExit(7)"))
        self.assertIn("nothing", self.run_example("js", "require('nothing')"))
        self.assertEqual(self.run_example("py", "print(1)"), "")
