# SPDX-License-Identifier: MIT
"""The rules of core/: layers, seams, form and sizes. Each is shown a text that breaks it and one that does not."""

import form
import layers
import seams
import sizes
from support import HEAD, CheckCase, folder, real


def source(*lines: str, name: str = "x") -> str:
    return "\n".join([HEAD + f'#include "base/{name}.h"', "", '#include "base/banned.h"', "", *lines, ""])


class Layers(CheckCase):
    def includes(self, path: str, *names: str) -> dict[str, str]:
        text = "".join(f"#include {name}\n" for name in names)
        return {"ci/layers.txt": real("ci/layers.txt"), path: text}

    def test_lower_layers_do_not_know_upper_ones(self) -> None:
        self.assert_found(layers.check, self.includes("core/base/x.c", '"memory/pages.h"'), "core/base/x.c:1")
        self.assert_found(layers.check, self.includes("core/base/x.c", '"keep/pool.h"'), "core/base/x.c:1")
        self.assert_clean(layers.check, self.includes("core/memory/x.c", '"base/lock.h"', '"keep/pool.h"', "<time.h>"))

    def test_siblings_do_not_know_each_other(self) -> None:
        self.assert_found(layers.check, self.includes("core/store/x.c", '"keystore/record.h"'), "core/store/x.c:1")
        self.assert_clean(layers.check, self.includes("core/store/x.c", '"store/path.h"', '"memory/secret.h"'))

    def test_pure_files_do_nothing_impure(self) -> None:
        for name in ('"base/lock.h"', '"base/clock.h"', '"base/random.h"', '"base/heap.h"', "<unistd.h>"):
            self.assert_found(layers.check, self.includes("core/memory/slab.c", name), "core/memory/slab.c:1")
        self.assert_clean(layers.check, self.includes("core/memory/slab.c", '"base/checked.h"', "<string.h>"))

    def test_users_see_public_headers_alone(self) -> None:
        for path in ("core/tool/x.c", "tests/c/api/x.c", "bindings/node/src/x.c"):
            self.assert_found(layers.check, self.includes(path, "<keep/keep.h>", '"base/lock.h"'), f"{path}:2")

    def test_a_folder_without_a_line_is_refused(self) -> None:
        self.assert_found(layers.check, self.includes("core/new/x.c"), "core/new/x.c:1")


class Seams(CheckCase):
    def text(self, path: str, text: str) -> dict[str, str]:
        return {"ci/seams.txt": real("ci/seams.txt"), path: text}

    def test_a_foreign_header_stands_in_its_seam_alone(self) -> None:
        for name in ("sodium.h", "sys/mman.h", "pthread.h", "openssl/evp.h", "sqlite3.h", "unheard-of.h"):
            self.assert_found(
                seams.check, self.text("core/memory/pool.c", f"\n#include <{name}>\n"), "core/memory/pool.c:2"
            )
        self.assert_clean(seams.check, self.text("core/base/crypto.c", "#include <sodium.h>\n"))

    def test_a_reserved_call_stands_in_its_seam_alone(self) -> None:
        for name in ("malloc", "free", "clock_gettime", "abort", "getrandom", "secure_getenv", "pthread_create"):
            self.assert_found(seams.check, self.text("core/memory/x.c", f"\n    {name}(x);\n"), "core/memory/x.c:2")
        self.assert_clean(seams.check, self.text("core/base/heap.c", "    free(x);\n"))
        self.assert_clean(seams.check, self.text("core/tool/x.c", "    free(x);\n"))


class Form(CheckCase):
    def test_every_source_has_its_licence_line(self) -> None:
        for path in ("core/base/x.c", "a.py", "b.mjs", "c.go", "ci/job", "CMakeLists.txt", "swig/keep.i"):
            self.assert_found(form.check_licence, {path: "text\n"}, f"{path}:1")
            self.assert_clean(form.check_licence, {path: "#!x\n# SPDX-License-Identifier: MIT\n"})
        self.assert_clean(form.check_licence, {"ci/seams.txt": "list\n", "README.md": "# x\n"})

    def test_a_file_says_what_it_is_for(self) -> None:
        self.assert_found(form.check_purpose, {"core/base/x.c": HEAD.split("/*\n")[0] + "int x;\n"}, "core/base/x.c:2")
        self.assert_clean(form.check_purpose, {"core/base/x.c": HEAD})

    def test_a_guard_is_the_name_of_its_header(self) -> None:
        for path, guard in (("core/base/x.h", "KEEP_BASE_X_H"), ("core/include/keep/x.h", "KEEP_X_H")):
            self.assert_clean(form.check_guards, {path: f"#ifndef {guard}\n#define {guard}\n#endif\n"})
            self.assert_found(form.check_guards, {path: "#ifndef X_H\n#define X_H\n#endif\n"}, f"{path}:1")

    def test_includes_stand_in_order(self) -> None:
        own, system, lower, banned = ('"base/x.h"', "<time.h>", '"base/die.h"', '"base/banned.h"')
        for names, line in (
            ([own, system, lower, banned], 0),
            ([system, own, lower, banned], 1),
            ([own, lower, system, banned], 2),
            ([own, system, '"base/lock.h"', lower, banned], 3),
            ([own, system, lower], 3),
            ([lower, system, banned], 1),
            ([own, banned, lower], 3),
        ):
            texts = {"core/base/x.h": "", "core/base/x.c": "".join(f"#include {name}\n" for name in names)}
            self.assertEqual(bool(self.found(form.check_includes, texts)), line > 0, names)
            self.assertIn(f"core/base/x.c:{line}", [*self.found(form.check_includes, texts), "core/base/x.c:0"])

    def test_a_part_of_something_begins_with_the_header_of_the_whole(self) -> None:
        part = '#include "base/whole.h"\n#include <time.h>\n#include "base/banned.h"\n'
        self.assert_clean(form.check_includes, {"core/base/part.c": part, "core/base/whole.h": ""})


class Sizes(CheckCase):
    def test_long_and_tangled_functions_are_found(self) -> None:
        long = source("void f(void)", "{", *["    x();"] * 60, "}")
        tangled = source("void g(int a)", "{", *["    if (a)", "        x();"] * 12, "}")
        fine = source("void h(int a)", "{", *["    if (a)", "        x();"] * 11, "}")
        with folder({"core/a/a.c": long, "core/a/b.c": tangled, "core/a/c.c": fine}) as tree:
            self.assertEqual([f.sentence.split(":")[0] for f in sizes.check_functions(tree)], ["f", "g"])

    def test_an_exception_excepts(self) -> None:
        tangled = source("void g(int a)", "{", *["    if (a)", "        x();"] * 12, "}")
        listed = {"core/a/b.c": tangled, "ci/size-exceptions.txt": "core/a/b.c:g cyclomatic a table in disguise\n"}
        with folder(listed) as tree:
            self.assertEqual(list(sizes.check_functions(tree)), [])

    def test_exceptions_are_few_reasoned_and_alive(self) -> None:
        rows = "".join(f"core/a.c:f{i} length reason\n" for i in range(13))
        self.assert_found(
            sizes.check_exceptions, {"ci/size-exceptions.txt": rows, "core/a.c": ""}, "ci/size-exceptions.txt:13"
        )
        self.assert_found(
            sizes.check_exceptions,
            {"ci/size-exceptions.txt": "core/a.c length\n", "core/a.c": ""},
            "ci/size-exceptions.txt:1",
        )
        self.assert_found(
            sizes.check_exceptions, {"ci/size-exceptions.txt": "core/gone.c length why\n"}, "ci/size-exceptions.txt:1"
        )

    def test_deep_nesting_is_found(self) -> None:
        def nested(depth: int) -> str:
            heads = [f"{'    ' * i}{'if' if i % 2 else 'for'} (;;) {{" for i in range(1, depth + 1)]
            return "\n".join(["int f(void)", "{", *heads, *("    " * i + "}" for i in range(depth, 0, -1)), "}"])

        self.assert_found(sizes.check_bodies, {"core/a.c": nested(4)}, "core/a.c:1")
        self.assert_clean(sizes.check_bodies, {"core/a.c": nested(3)})

    def test_many_parameters_are_found(self) -> None:
        nine = ", ".join(f"int p{i}" for i in range(9))
        self.assert_found(sizes.check_bodies, {"core/a.c": f"int f({nine})\n{{\n}}\n"}, "core/a.c:1")

    def test_statics_are_not_declared_ahead(self) -> None:
        self.assert_found(sizes.check_bodies, {"core/a.c": "static int f(int a);\n"}, "core/a.c:1")
        self.assert_clean(sizes.check_bodies, {"core/a.c": "static int f(int a)\n{\n}\n", "core/a.h": "int g(void);\n"})

    def test_goto_and_else_after_return_are_found(self) -> None:
        for text in (
            "    goto out;",
            "    if (a)\n        return 1;\n    else\n        b();",
            "    if (a) {\n        return 1;\n    } else {",
        ):
            self.assertEqual(len(self.found(sizes.check_constructs, {"core/a.c": text})), 1, text)
        self.assert_clean(
            sizes.check_constructs, {"core/a.c": "    if (a)\n        b();\n    else\n        return 1;\n/* goto */"}
        )

    def test_long_files_are_found(self) -> None:
        self.assert_found(
            sizes.check_files, {"core/a.c": "int x;\n" * 401, "core/b.c": "int x;\n\n" * 400}, "core/a.c:1"
        )
        self.assert_found(sizes.check_files, {"bindings/node/src/a.c": "int x;\n" * 601}, "bindings/node/src/a.c:1")

    def test_conditionals_stand_in_few_places(self) -> None:
        self.assert_found(sizes.check_conditionals, {"core/a.c": "#ifdef X\n#endif\n"}, "core/a.c:1")
        self.assert_clean(
            sizes.check_conditionals, {"core/a.h": "#ifndef KEEP_A_H\n", "core/base/attributes.h": "#if X\n"}
        )
        seam = {"ci/seams.txt": "<sodium.h> core/base/crypto.c\n", "core/base/crypto.c": "#if X\n#endif\n"}
        self.assert_clean(sizes.check_conditionals, seam)
        crowded = "#if X\n#endif\n" * 20 + "int x;\n" * 1000
        self.assert_found(sizes.check_conditionals, {"core/base/attributes.h": crowded}, "core/base/attributes.h:1")

    def test_a_name_of_one_file_is_its_own_in_all_of_core(self) -> None:
        for text in (
            "static int twice(void)\n{\n}\n",
            "static int twice[4];\n",
            "struct twice {\n",
            "#define twice 1\n",
        ):
            texts = {"core/a.c": "static bool twice(int a)\n{\n}\n", "core/b.c": text}
            self.assert_found(sizes.check_statics, texts, "core/b.c:1")
        self.assert_clean(sizes.check_statics, {"core/a.c": "static int one;\n", "core/b.c": "static int two;\n"})
