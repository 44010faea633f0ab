/* SPDX-License-Identifier: MIT */
/*
 * What the other headers put before their declarations. Under SWIG all of it is empty: the wrapper generator
 * sees plain C.
 *
 * KEEP_API        the function is exported
 * KEEP_MUST_USE   the result is a status that must be looked at
 * KEEP_OWN        whoever receives this handle frees it
 * KEEP_NULLABLE   NULL is allowed here
 * KEEP_AUTO(T)    declares `T *` that `T_free` ends when its scope is left: KEEP_AUTO(keep_secret) key = NULL;
 */
#ifndef KEEP_ATTRIBUTES_H
#define KEEP_ATTRIBUTES_H

#ifdef SWIG
#define KEEP_API
#define KEEP_MUST_USE
#else
#define KEEP_API __attribute__((visibility("default")))
#define KEEP_MUST_USE __attribute__((warn_unused_result))
#endif

/* The initialiser of a struct that begins with its size and whose defaults are all zero. */
#ifdef __cplusplus
#define KEEP_SIZED(type) { sizeof(type) }
#else
#define KEEP_SIZED(type) { .size = sizeof(type) }
#endif

#define KEEP_OWN
#define KEEP_NULLABLE
#define KEEP_AUTO(type) __attribute__((cleanup(type##_free), unused)) type *

#ifdef __cplusplus
#define KEEP_BEGIN_DECLS extern "C" {
#define KEEP_END_DECLS }
#else
#define KEEP_BEGIN_DECLS
#define KEEP_END_DECLS
#endif

#endif
