// SPDX-License-Identifier: MIT
/* help.h — what a program says of itself from its rows: --help, and the tables of the docs. */
#ifndef PARLOR_PROTO_SHELL_HELP_H
#define PARLOR_PROTO_SHELL_HELP_H

#include "proto/shell/options.h"

#define HELP_DOCS "options|limits|metrics|errors"

void help_print(const struct program *p);

/* One of HELP_DOCS, as a table in Markdown on stdout; false for other words. `limits` are the
 * options that clients feel, `errors` the codes that clients get, the same from every program. */
bool help_docs(const struct program *p, const char *what);

#endif
