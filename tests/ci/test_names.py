# SPDX-License-Identifier: MIT
"""The rules of names in core/, and of public structs."""

import headers
import names
from support import CheckCase

BODY = "\n{\n}\n"


class Names(CheckCase):
    def test_functions_are_named_by_who_may_call_them(self) -> None:
        public = {"core/include/keep/thing.h": "KEEP_API void keep_thing_do(void);\n"}
        for text, is_fine in (
            (f"static int count_things(void){BODY}", True),
            (f"KEEP__ALWAYS_INLINE bool judge(void){BODY}", True),
            (f"int keep__thing_take(void){BODY}", True),
            (f"void keep_thing_do(void){BODY}", True),
            (f"static int keep__thing_take(void){BODY}", False),
            (f"int take_thing(void){BODY}", False),
            (f"void keep_thing_undo(void){BODY}", False),
        ):
            found = self.found(names.check_functions, {**public, "core/memory/x.c": text})
            self.assertEqual(found, [] if is_fine else ["core/memory/x.c:1"], text)

    def test_functions_of_private_headers_are_private(self) -> None:
        self.assert_clean(names.check_functions, {"core/base/x.h": f"static inline int keep__x(void){BODY}"})
        self.assert_found(
            names.check_functions, {"core/base/x.h": f"static inline int x(void){BODY}"}, "core/base/x.h:1"
        )

    def test_types_and_macros_of_private_headers_are_private(self) -> None:
        for text in ("#define LIMIT 1\n", "typedef int thing;\n", "struct thing {\n", "enum thing {\n"):
            self.assert_found(names.check_headers, {"core/base/x.h": text}, "core/base/x.h:1")
        fine = (
            "#define KEEP_BASE_X_H\n#define KEEP__LIMIT 1\nstruct keep_pool {\n"
            'typedef struct KEEP__CAPABILITY("lock") keep__x {\n} keep__x;\n'
        )
        self.assert_clean(names.check_headers, {"core/base/x.h": fine})

    def test_what_needs_a_lock_is_annotated(self) -> None:
        self.assert_found(names.check_locked, {"core/a/x.c": f"static int count_locked(int *a){BODY}"}, "core/a/x.c:1")
        self.assert_clean(
            names.check_locked, {"core/a/x.c": f"static int count_locked(int *a) KEEP_HOLDS(a->lock){BODY}"}
        )
        declared = {
            "core/a/x.c": f"int keep__count_locked(int *a) KEEP_HOLDS(*a);\nint keep__count_locked(int *a){BODY}"
        }
        self.assert_clean(names.check_locked, declared)


class Structs(CheckCase):
    def test_options_and_reports_can_grow(self) -> None:
        path = "core/include/keep/x.h"
        sized = "typedef struct keep_x_options {\n    size_t size;\n} keep_x_options;\n"
        self.assert_clean(
            headers.check_structs, {path: f"{sized}#define KEEP_X_OPTIONS_INIT KEEP_SIZED(keep_x_options)\n"}
        )
        self.assert_found(headers.check_structs, {path: sized}, f"{path}:1")
        self.assert_found(headers.check_structs, {path: sized.replace("size_t size", "int a")}, f"{path}:1")
        self.assert_clean(
            headers.check_structs, {path: "typedef struct keep_bytes {\n    const void *data;\n} keep_bytes;\n"}
        )
