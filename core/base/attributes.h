/* SPDX-License-Identifier: MIT */
/*
 * What the compilers and checkers need to be told, for core/ itself. All conditionals on compiler and checker stand
 * here, so that the code has one path.
 */
#ifndef KEEP_BASE_ATTRIBUTES_H
#define KEEP_BASE_ATTRIBUTES_H

#define KEEP__CLEANUP(function) __attribute__((cleanup(function)))
#define KEEP__NORETURN __attribute__((noreturn))
#define KEEP__LIKELY(condition) __builtin_expect(!!(condition), 1)
#define KEEP__UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* A struct that may lie anywhere, and over bytes. */
#define KEEP__OVERLAY __attribute__((packed, may_alias))

/* Where branches are counted, a function is one, whoever calls it. */
#ifdef KEEP_COVERAGE
#define KEEP__ALWAYS_INLINE static __attribute__((noinline))
#else
#define KEEP__ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

/* A thread's own value, reached without a call also from a shared library; keep such values few and small. */
#define KEEP__THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* The processor's CRC-32C of eight bytes, four and one, for functions marked with the first, where there is one. */
#if defined(__x86_64__)
#define KEEP__WITH_CRC32C __attribute__((target("sse4.2")))
#define KEEP__HAS_CRC32C __builtin_cpu_supports("sse4.2")
#define KEEP__CRC32C_WORD(crc, word) __builtin_ia32_crc32di((crc), (word))
#define KEEP__CRC32C_HALF(crc, half) __builtin_ia32_crc32si((crc), (half))
#define KEEP__CRC32C_BYTE(crc, byte) __builtin_ia32_crc32qi((crc), (byte))
#else
#define KEEP__WITH_CRC32C
#define KEEP__HAS_CRC32C 0
#define KEEP__CRC32C_WORD(crc, word) (crc)
#define KEEP__CRC32C_HALF(crc, half) (crc)
#define KEEP__CRC32C_BYTE(crc, byte) (crc)
#endif

/* clang's -Wthread-safety; gcc ignores it. */
#ifdef __clang__
#define KEEP__CAPABILITY(name) __attribute__((capability(name)))
#define KEEP_HOLDS(lock) __attribute__((requires_capability(lock)))
#define KEEP__ACQUIRES(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define KEEP__RELEASES(...) __attribute__((release_capability(__VA_ARGS__)))
#define KEEP__UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define KEEP__CAPABILITY(name)
#define KEEP_HOLDS(lock)
#define KEEP__ACQUIRES(...)
#define KEEP__RELEASES(...)
#define KEEP__UNCHECKED
#endif

/*
 * Poison: bytes that nobody may touch until they are unpoisoned, so that AddressSanitizer and valgrind find a stray
 * access where it happens. KEEP_VALGRIND is set by the build for the valgrind and ct jobs.
 */
#if defined(__SANITIZE_ADDRESS__)
#define KEEP__WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEP__WITH_ASAN 1
#endif
#endif

#if defined(KEEP__WITH_ASAN)
#include <sanitizer/asan_interface.h>
#define KEEP__POISON(ptr, len) __asan_poison_memory_region((ptr), (len))
#define KEEP__UNPOISON(ptr, len) __asan_unpoison_memory_region((ptr), (len))
#elif defined(KEEP_VALGRIND)
#include <valgrind/memcheck.h>
#define KEEP__POISON(ptr, len) (void)VALGRIND_MAKE_MEM_NOACCESS((ptr), (len))
#define KEEP__UNPOISON(ptr, len) (void)VALGRIND_MAKE_MEM_DEFINED((ptr), (len))
#else
#define KEEP__POISON(ptr, len) ((void)(ptr), (void)(len))
#define KEEP__UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

/* Memory outside the heap that points into it, so that LeakSanitizer takes nothing there for lost. */
#if defined(KEEP__WITH_ASAN)
#include <sanitizer/lsan_interface.h>
#define KEEP__REACHES(ptr, len) __lsan_register_root_region((ptr), (len))
#else
#define KEEP__REACHES(ptr, len) ((void)(ptr), (void)(len))
#endif

/* A deliberate decision on secret data, for the constant-time job: says what leaves and why that is fine. */
#if defined(KEEP_VALGRIND)
#define KEEP_CT_RELEASE(reason, ptr, len) (void)VALGRIND_MAKE_MEM_DEFINED((ptr), (len))
#else
#define KEEP_CT_RELEASE(reason, ptr, len) ((void)(ptr), (void)(len))
#endif

#endif
