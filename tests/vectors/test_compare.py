# SPDX-License-Identifier: MIT
"""compare.py accepts four equal outputs and nothing else (vectors R35)."""

from __future__ import annotations

import contextlib
import io
import unittest

from compare import LANGUAGES, Result, report

ONE = "a" * 64
OTHER = "b" * 64


def good() -> dict[str, Result]:
    """Four runners that passed two files."""
    return {
        language: Result(0, f"{language} x.json {ONE} 3/3\n{language} y.json {OTHER} 2/2\n") for language in LANGUAGES
    }


def with_output(old: str, new: str) -> dict[str, Result]:
    """The same, with a text replaced in the output of Node."""
    results = good()
    output = results["node"].output
    assert old in output
    results["node"] = Result(0, output.replace(old, new))
    return results


class Comparison(unittest.TestCase):
    """Each difference is found."""

    def verdict(self, results: dict[str, Result]) -> int:
        """The exit status, without its text."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return report(results)

    def test_four_equal_outputs_pass_in_any_order(self) -> None:
        """Neither the order of languages nor that of lines counts."""
        self.assertEqual(self.verdict(good()), 0)
        self.assertEqual(self.verdict(dict(reversed(good().items()))), 0)
        results = good()
        lines = results["go"].output.splitlines(keepends=True)
        results["go"] = Result(0, "".join(reversed(lines)))
        self.assertEqual(self.verdict(results), 0)

    def test_the_last_line_counts_files_cases_and_languages(self) -> None:
        """The line that the job prints."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            report(good())
        self.assertEqual(output.getvalue().splitlines()[-1], "vectors ok: 2 files, 5 cases, 4 languages")

    def test_a_missing_language_fails(self) -> None:
        """Each of the four must have run."""
        for language in LANGUAGES:
            results = good()
            del results[language]
            with self.subTest(language=language):
                self.assertEqual(self.verdict(results), 1)

    def test_every_other_difference_fails(self) -> None:
        """Lines and counts that are missing, different, too many, or no lines."""
        line = f"node y.json {OTHER} 2/2\n"
        for old, new in (
            (line, ""),
            (OTHER, ONE),
            ("2/2", "3/3"),
            ("2/2", "1/2"),
            ("2/2", "0/0"),
            (line, line + line),
            (line, line + f"node z.json {ONE} 1/1\n"),
            (line, line + "done\n"),
            (line, line + "\n"),
            (line, f"node y.json {OTHER} invalid\n"),
            (line, f"go y.json {OTHER} 2/2\n"),
            (line, line.replace(" 2/2", "  2/2")),
        ):
            with self.subTest(new=new):
                self.assertEqual(self.verdict(with_output(old, new)), 1)

    def test_a_language_that_fails_with_good_lines_fails(self) -> None:
        """The exit status counts too."""
        results = good()
        results["python"] = Result(1, results["python"].output)
        self.assertEqual(self.verdict(results), 1)

    def test_four_outputs_without_a_line_fail(self) -> None:
        """Nothing was run."""
        self.assertEqual(self.verdict({language: Result(0, "") for language in LANGUAGES}), 1)


if __name__ == "__main__":
    unittest.main()
