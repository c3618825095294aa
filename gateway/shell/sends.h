// SPDX-License-Identifier: MIT
/* sends.h — many send()s in one system call, by io_uring where the kernel has it and allows
 * it. A fan-out to a thousand readers is then a few system calls instead of a thousand, which is a
 * tenth of its cost. Where there is no io_uring, sends_open says so and whoever sends does it one
 * by one. Not here: what to do with what a socket did not take (shell/conn.c). */
#ifndef PARLOR_GATEWAY_SHELL_SENDS_H
#define PARLOR_GATEWAY_SHELL_SENDS_H

#include "proto/base.h"

#include <sys/types.h>

struct sends;

/* What became of one: the bytes that the socket took, or a negative errno. */
typedef void sent_fn(void *tag, struct str bytes, ssize_t sent);

/* NULL: the system does not allow it. */
struct sends *sends_open(sent_fn *on_sent);
void sends_close(struct sends *s);

/* To be sent by the next sends_run, or at once when there are many already. The bytes stay the
 * caller's and must last until then; one socket may be named only once in between. */
void sends_add(struct sends *s, int fd, struct str bytes, void *tag);
void sends_run(struct sends *s);

#endif
