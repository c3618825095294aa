// SPDX-License-Identifier: MIT
/* tokens.c — see shell/tokens.h. */
#include "gateway/shell/tokens.h"
#include "proto/shell/clock.h"
#include "proto/shell/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 * 1024, ERROR_MAX = 512 };

/* The whole file at `b`, or why not. */
static const char *read_all(int fd, struct buf *b)
{
	ssize_t len;
	char piece[4096];
	while ((len = read(fd, piece, sizeof piece)) > 0) {
		buf_append(b, piece, (size_t)len);
		if (b->len > FILE_BYTES_MAX)
			return "larger than 256 KiB";
	}
	return len < 0 ? strerror(errno) : NULL;
}

static const char *read_file(const char *path, bool is_secret, struct buf *b)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return strerror(errno);
	const char *why = fstat(fd, &st) != 0    ? strerror(errno)
			  : !S_ISREG(st.st_mode) ? "not a file"
			  : is_secret && (st.st_mode & S_IRWXO)
				  ? "others than its owner and group may use it (chmod o=)"
				  : read_all(fd, b);
	close(fd);
	return why;
}

bool tokens_read(struct tokens *t, char *error, size_t error_len)
{
	char why[TOKEN_WHY_MAX];
	struct buf file = {0};
	bool is_secret = *t->secret_file;
	const char *path = is_secret ? t->secret_file : t->keys_file;
	struct token_keys *keys = NULL;
	const char *wrong = read_file(path, is_secret, &file);
	if (!wrong) {
		keys = is_secret ? token_keys_read_secret(buf_view(&file), why)
				 : token_keys_read(buf_view(&file), why);
		wrong = keys ? NULL : why;
	}
	if (wrong)
		snprintf(error, error_len, "--token-%s: cannot use %s: %s",
			 is_secret ? "secret" : "keys", path, wrong);
	if (file.ptr)
		explicit_bzero(file.ptr, file.len);
	buf_free(&file);
	if (!keys)
		return false;
	token_keys_free(t->keys);
	t->keys = keys;
	return true;
}

void tokens_reload(struct tokens *t)
{
	char error[ERROR_MAX];
	if (!t->keys)
		return;
	if (tokens_read(t, error, sizeof error))
		log_info("token_keys", "count=%zu", token_keys_count(t->keys));
	else
		log_error("token_keys", "why=\"%s\"", error);
}

const char *tokens_check(void *ctx, struct str token, struct arena *arena, struct claims *claims)
{
	enum { SECOND_US = 1000000 };
	struct tokens *t = ctx;
	enum token_result result =
		token_check(t->keys, &t->rules, clock_utc_us() / SECOND_US, token, arena, claims);
	if (result == TOKEN_OK)
		t->taken++;
	else
		t->refused++;
	return result == TOKEN_OK ? NULL : token_result_text(result);
}

void tokens_close(struct tokens *t)
{
	token_keys_free(t->keys);
	t->keys = NULL;
}
