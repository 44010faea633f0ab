/* SPDX-License-Identifier: MIT */
/*
 * The program that must be found: a branch on a byte that nobody may look at. It proves that findings are seen.
 */
#include <stdint.h>
#include <stdio.h>
#include <valgrind/memcheck.h>

int main(void)
{
    volatile uint8_t byte = 1;

    (void)VALGRIND_MAKE_MEM_UNDEFINED((const void *)(uintptr_t)&byte, 1);
    if (byte != 0)
        printf("a branch\n");
    return 0;
}
