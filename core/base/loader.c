/* SPDX-License-Identifier: MIT */
/*
 * Loader: the seam of dlopen.
 */
#include "base/loader.h"

#include <dlfcn.h>
#include <string.h>

#include "base/banned.h"

void *keep__loader_open(const char *name)
{
    return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

keep__function keep__loader_find(void *library, const char *symbol)
{
    void *address = dlsym(library, symbol);
    keep__function function;

    /* POSIX gives functions as object pointers, C has no cast for that */
    _Static_assert(sizeof address == sizeof function, "pointer");
    memcpy(&function, &address, sizeof function);
    return function;
}
