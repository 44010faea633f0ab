# SPDX-License-Identifier: MIT
"""C as text: what the checks see of a file."""

from lib import ctext
from support import CheckCase


class Text(CheckCase):
    def test_comments_and_strings_are_no_code(self) -> None:
        text = 'int x; /* goto */ int y; // free()\nchar *s = "malloc(/*";\n'
        self.assertEqual(ctext.code(text).split(), ["int", "x;", "int", "y;", "char", "*s", "=", '"', '";'])
        self.assertEqual(ctext.calls(text, "malloc"), [])

    def test_lines_keep_their_numbers(self) -> None:
        text = "/* a\n b */\nfree(x);\n"
        self.assertEqual(ctext.calls(text, "free"), [3])

    def test_a_call_is_a_whole_word_outside_of_directives(self) -> None:
        self.assertEqual(ctext.calls("keep_free(x); y.free(z); #\n#define f free(x)\nfree (x);", "free"), [3])

    def test_includes_say_their_kind(self) -> None:
        found = ctext.includes('#include <a/b.h>\n/* #include <no.h> */\n#include "c.h"\n')
        self.assertEqual(found, [(1, True, "a/b.h"), (3, False, "c.h")])

    def test_functions_have_names_parameters_and_bodies(self) -> None:
        text = (
            "static int f(int a, void (*g)(int, int)) HOLDS(*a)\n{\n    return a;\n}\n\nint h(void);\nint x = f(1);\n"
        )
        first, second = ctext.functions(text)
        self.assertEqual((first.name, first.line, first.is_static), ("f", 1, True))
        self.assertEqual(first.params, ["int a", "void (*g)(int, int)"])
        self.assertIn("return a;", first.body or "")
        self.assertEqual((second.name, second.params, second.body), ("h", [], None))

    def test_lines_are_counted_as_code_or_as_comment(self) -> None:
        text = "/*\n * a\n */\nint x; /* b */\n\nint y;\n"
        self.assertEqual((ctext.code_lines(text), ctext.comment_lines(text)), (2, 3))
