// SPDX-License-Identifier: MIT
/* files.c — see shell/files.h. */
#include "gateway/shell/files.h"

#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_BYTES_MAX = 64 * 1024 * 1024 };

/* NULL: none that belongs to a web client. */
static const char *type_of(struct str path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".webmanifest", "application/manifest+json"},
		{".txt", "text/plain; charset=utf-8"},
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct str ending = str_from(types[i].ending);
		if (path.len > ending.len &&
		    str_equal(str_of(path.ptr + path.len - ending.len, ending.len), ending))
			return types[i].type;
	}
	return NULL;
}

static struct str file_key(const void *item)
{
	return ((const struct file *)item)->path;
}

static bool read_file(const char *path, size_t len, struct buf *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	char *space = buf_space(content, len + 1);
	ssize_t got;
	while (content->len < len && (got = read(fd, space + content->len, len - content->len)) > 0)
		content->len += (size_t)got;
	close(fd);
	return content->len == len;
}

static bool add_file(struct files *all, const FTSENT *entry, size_t dir_len)
{
	struct buf content = {0};
	if (!read_file(entry->fts_accpath, (size_t)entry->fts_statp->st_size, &content)) {
		buf_free(&content);
		return false;
	}
	struct file *f = mem_alloc(sizeof *f);
	f->path = str_copy(str_from(entry->fts_path + dir_len));
	f->content = buf_view(&content);
	f->type = type_of(f->path);
	snprintf(f->etag, sizeof f->etag, "\"%016" PRIx64 "\"", hash_bytes(f->content, 0));
	table_add(&all->files, f);
	return true;
}

/* Files whose names begin with a dot, links, and notes for people are none of the web client's. */
static bool add_files(struct files *all, FTS *tree, size_t dir_len, char *error, size_t error_len)
{
	FTSENT *entry;
	uint64_t total = 0;
	while ((entry = fts_read(tree)) != NULL) {
		bool is_hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
		if (is_hidden && entry->fts_info == FTS_D)
			fts_set(tree, entry, FTS_SKIP);
		bool is_bad = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
			      entry->fts_info == FTS_NS;
		bool is_file = entry->fts_info == FTS_F && entry->fts_level > 0 && !is_hidden &&
			       type_of(str_from(entry->fts_name));
		if (is_file)
			total += (uint64_t)entry->fts_statp->st_size;
		if (total > FILES_BYTES_MAX) {
			snprintf(error, error_len, "--web: more than %d MiB of files",
				 FILES_BYTES_MAX >> 20);
			return false;
		}
		if (is_bad || (is_file && !add_file(all, entry, dir_len))) {
			snprintf(error, error_len, "--web: cannot read %s", entry->fts_path);
			return false;
		}
	}
	return true;
}

bool files_open(struct files *all, const char *dir, char *error, size_t error_len)
{
	table_init(&all->files, file_key, 0);
	if (!*dir)
		return true;
	struct str root = str_copy(str_from(dir));
	while (root.len > 1 && root.ptr[root.len - 1] == '/')
		root.len--;
	char *paths[] = {(char *)(uintptr_t)root.ptr, NULL};
	paths[0][root.len] = '\0';
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	bool is_read = tree && add_files(all, tree, root.len, error, error_len);
	if (!tree)
		snprintf(error, error_len, "--web: cannot read %s", dir);
	if (is_read && !table_find(&all->files, STR("/index.html"))) {
		snprintf(error, error_len, "--web: %s has no index.html", dir);
		is_read = false;
	}
	if (tree)
		fts_close(tree);
	mem_free(paths[0]);
	return is_read;
}

void files_close(struct files *all)
{
	struct file *f;
	TABLE_EACH (&all->files, i, f) {
		mem_free((char *)(uintptr_t)f->path.ptr);
		mem_free((char *)(uintptr_t)f->content.ptr);
		mem_free(f);
	}
	table_free(&all->files);
}

const struct file *files_find(const struct files *all, struct str path)
{
	return table_find(&all->files, str_equal(path, STR("/")) ? STR("/index.html") : path);
}
