// SPDX-License-Identifier: MIT
/* files.h — the web client's files, read once, at the start, and served from memory: a path
 * is looked up in a table, so that no request can reach the file system. */
#ifndef PARLOR_GATEWAY_SHELL_FILES_H
#define PARLOR_GATEWAY_SHELL_FILES_H

#include "proto/base.h"
#include "proto/table.h"

enum { ETAG_MAX = 24 };

struct file {
	struct str path;
	struct str content;
	const char *type;
	char etag[ETAG_MAX];
};

struct files {
	struct table files; /* by path, "/app.js" */
};

/* Reads what is below `dir`, or nothing when it is "". False with a sentence in `error`. */
NODISCARD
bool files_open(struct files *all, const char *dir, char *error, size_t error_len);
void files_close(struct files *all);

/* By a path without escapes; NULL: there is none. */
const struct file *files_find(const struct files *all, struct str path);

#endif
