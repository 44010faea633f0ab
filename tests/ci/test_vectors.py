# SPDX-License-Identifier: MIT
"""The rules of the vectors: their form check is run, their generators repeat themselves."""

import vectors
from support import CheckCase, folder

WRITE = "from pathlib import Path\nPath(__file__).parents[1].joinpath('x.json').write_text({text})\n"


class Vectors(CheckCase):
    def test_what_the_form_check_says_is_found(self) -> None:
        with folder({"tests/vectors/lint.py": "raise SystemExit('x.json: duplicate key')"}) as tree:
            self.assertIn("x.json: duplicate key", [finding.sentence for finding in vectors.check_form(tree)])
        with folder({"tests/vectors/lint.py": "print('fine')"}) as tree:
            self.assertEqual(list(vectors.check_form(tree)), [])

    def generated(self, text: str) -> list[str]:
        texts = {"tests/vectors/x.json": "{}", "tests/vectors/make/x.py": WRITE.format(text=text)}
        with folder(texts) as tree:
            return [finding.path for finding in vectors.check_generators(tree)]

    def test_a_generator_makes_what_is_committed(self) -> None:
        self.assertEqual(self.generated("'{}'"), [])
        self.assertEqual(self.generated("'[]'"), ["tests/vectors/x.json"])
        self.assertEqual(self.generated("str(id(object())) * 3"), ["tests/vectors/x.json"])
        self.assertEqual(self.generated("1 / 0"), ["tests/vectors/make/x.py"])
