/* SPDX-License-Identifier: MIT */
/*
 * Files of the kernel that say what a test wants. For programs linked with -Wl,--wrap=open.
 */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

/* From now on the file holds `text`; NULL: it is not there. Both pointers are kept. */
void replace_file(const char *path, const char *text);

/* From now on the kernel has no file at all. */
void hide_files(void);

#endif
