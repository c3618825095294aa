// SPDX-License-Identifier: MIT
/* rocks_dir.c — see store/rocks_dir.h. */
#include "historyd/store/rocks_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_LISTED = 3, NAMES_BYTES = 3 * 64, CURRENT_BYTES = 64 };

static const char manifest_prefix[] = "MANIFEST-";

/* What stands in a directory, besides what every file system puts there. */
struct contents {
	size_t files;             /* without the mark */
	size_t tables;            /* of them, *.sst */
	size_t strangers;         /* of them, those that no creation leaves */
	char listed[NAMES_BYTES]; /* some of their names */
	bool has_mark, has_current;
};

/* ---- what is there ---- */

static bool begins(const char *name, const char *beginning)
{
	return strncmp(name, beginning, strlen(beginning)) == 0;
}

static bool ends(const char *name, const char *end)
{
	size_t len = strlen(name);
	return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* What RocksDB has made before the mark says that it is done; no tables are among it. */
static bool is_of_creation(const char *name)
{
	return strcmp(name, "CURRENT") == 0 || strcmp(name, "IDENTITY") == 0 ||
	       strcmp(name, "LOCK") == 0 || begins(name, "LOG") || begins(name, manifest_prefix) ||
	       begins(name, "OPTIONS-") || ends(name, ".log") || ends(name, ".dbtmp");
}

static void note_file(struct contents *c, const char *name)
{
	size_t len = strlen(c->listed);
	if (strcmp(name, MARK_FILE) == 0) {
		c->has_mark = true;
		return;
	}
	c->files++;
	c->tables += ends(name, ".sst");
	c->strangers += !is_of_creation(name);
	c->has_current |= strcmp(name, "CURRENT") == 0;
	if (c->files <= NAMES_LISTED)
		snprintf(c->listed + len, sizeof c->listed - len, "%s%.50s", len ? ", " : "", name);
	else if (c->files == NAMES_LISTED + 1)
		snprintf(c->listed + len, sizeof c->listed - len, ", …");
}

static bool is_always_there(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

/* False with errno set. */
static bool look(DIR *dir, struct contents *c)
{
	struct dirent *entry;
	*c = (struct contents){0};
	rewinddir(dir);
	while (errno = 0, (entry = readdir(dir)) != NULL)
		if (!is_always_there(entry->d_name))
			note_file(c, entry->d_name);
	return errno == 0;
}

/* ---- sentences ---- */

struct error_buf {
	const char *path;
	char *error;
	size_t error_len;
};

static bool reject(const struct error_buf *to, const char *what)
{
	snprintf(to->error, to->error_len, "data directory %s %s", to->path, what);
	return false;
}

static bool reject_errno(const struct error_buf *to)
{
	if (errno == EWOULDBLOCK)
		return reject(to, "is in use by another process (" MARK_FILE " is locked)");
	const char *what = errno == EACCES || errno == EPERM || errno == EROFS
				   ? "may not be read and written by this user"
				   : "cannot be opened";
	snprintf(to->error, to->error_len, "data directory %s %s (%s)", to->path, what,
		 strerror(errno));
	return false;
}

/* An empty directory may be where a disk was not mounted. */
#define ON_PURPOSE \
	": mount its disk or restore a backup; a new one is made by one start with create"

static bool reject_without_current(const struct error_buf *to, const struct contents *c)
{
	char what[2 * NAMES_BYTES];
	snprintf(what, sizeof what,
		 "has lost its file CURRENT, or is none of ours: it holds %zu file%s, %zu of them "
		 "tables (%s%s); restore a backup, or give an empty directory",
		 c->files + c->has_mark, c->files + c->has_mark == 1 ? "" : "s", c->tables,
		 c->listed, c->files ? "" : MARK_FILE);
	return reject(to, what);
}

/* Messages are nobody else's to read, whatever the modes of the files. */
static bool is_private(int dir_fd, const struct error_buf *to)
{
	struct stat dir;
	char what[PATH_MAX + 128];
	if (fstat(dir_fd, &dir) != 0)
		return reject_errno(to);
	if ((dir.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return true;
	snprintf(what, sizeof what, "is open to other users (mode %04o): chmod -R go= %s",
		 (unsigned)(dir.st_mode & 07777), to->path);
	return reject(to, what);
}

/* ---- an existing database ---- */

/* The name of the MANIFEST in use. False: CURRENT cannot be read or names none. */
static bool read_current(int dir_fd, char manifest[CURRENT_BYTES])
{
	const size_t prefix = strlen(manifest_prefix);
	/* Whatever the name stands for now, it must not keep us waiting. */
	int fd = openat(dir_fd, "CURRENT", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd >= 0 ? read(fd, manifest, CURRENT_BYTES - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (len <= 0 || manifest[len - 1] != '\n')
		return false;
	manifest[len - 1] = '\0';
	size_t digits =
		begins(manifest, manifest_prefix) ? strspn(manifest + prefix, "0123456789") : 0;
	return digits > 0 && (size_t)len == prefix + digits + 1;
}

/* Opens what CURRENT names; its length is that at the last look. */
static bool open_manifest(struct data_dir *d, int dir_fd, const char *name)
{
	struct stat file;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (d->manifest_fd >= 0)
		close(d->manifest_fd);
	d->manifest_fd = fd;
	d->manifest = strtoull(name + strlen(manifest_prefix), NULL, 10);
	d->manifest_bytes = 0;
	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
		d->manifest_bytes = (uint64_t)file.st_size;
	return true;
}

static bool check_database(struct data_dir *d, int dir_fd, const struct error_buf *to)
{
	char manifest[CURRENT_BYTES];
	char what[CURRENT_BYTES + 128];
	if (!read_current(dir_fd, manifest))
		return reject(to,
			      "is damaged: its file CURRENT names no MANIFEST; restore a backup");
	bool is_there = open_manifest(d, dir_fd, manifest);
	if (is_there && d->manifest_bytes > 0)
		return true;
	snprintf(what, sizeof what,
		 "is damaged: its file %s, which CURRENT names, is %s; restore a backup", manifest,
		 is_there ? "empty" : "missing");
	return reject(to, what);
}

/* ---- a new one ---- */

/* The parent of a directory that was just made keeps its name after a power cut, too. */
static void sync_parent(int dir_fd)
{
	int parent = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		(void)fsync(parent);
		close(parent);
	}
}

/* Takes away what an earlier creation has left: nothing in it was ever acked. */
static bool clear(DIR *dir)
{
	struct dirent *entry;
	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (is_of_creation(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			return false;
	return true;
}

static bool begin_new(struct data_dir *d, DIR *dir)
{
	d->is_new = true;
	d->mark = (struct mark){0};
	if (!clear(dir) || !mark_write(&d->file, &d->mark) || !mark_sync(&d->file) ||
	    fsync(dirfd(dir)) != 0)
		return false;
	sync_parent(dirfd(dir));
	return true;
}

/* Whether there is nothing here but what a creation begins with: no database, or the mark says that
 * it was not made to its end. */
static bool may_be_made(const struct data_dir *d, const struct contents *c)
{
	if (c->files == 0)
		return !d->has_mark || !d->mark.is_made;
	return c->strangers == 0 && d->has_mark && !d->mark.is_made;
}

static bool open_contents(struct data_dir *d, DIR *dir, bool may_create, const struct error_buf *to)
{
	struct contents c;
	if (!look(dir, &c))
		return reject_errno(to);
	if (!c.has_mark && c.files == 0 && !may_create)
		return reject(to, "holds nothing" ON_PURPOSE);
	if (!c.has_mark && c.files > 0) { /* nothing is put where it is refused */
		if (!c.has_current)
			return reject_without_current(to, &c);
		if (!check_database(d, dirfd(dir), to))
			return false;
	}
	if (!mark_open(&d->file, dirfd(dir)))
		return reject_errno(to);
	d->has_mark = mark_read(&d->file, &d->mark);
	if (may_be_made(d, &c) && may_create)
		return begin_new(d, dir) || reject_errno(to);
	return c.has_current ? check_database(d, dirfd(dir), to) : reject_without_current(to, &c);
}

bool data_dir_open(struct data_dir *d, const char *path, struct data_dir_params params, char *error,
		   size_t error_len)
{
	const struct error_buf to = {path, error, error_len};
	*d = (struct data_dir){.file = {.fd = -1}, .manifest_fd = -1};
	DIR *dir = opendir(path);
	if (!dir && errno == ENOENT && params.may_create && mkdir(path, 0700) == 0)
		dir = opendir(path);
	if (!dir && errno == ENOENT && !params.may_create)
		return reject(&to, "does not exist" ON_PURPOSE);
	if (!dir)
		return reject_errno(&to);
	bool is_open = (!params.is_start || is_private(dirfd(dir), &to)) &&
		       open_contents(d, dir, params.may_create, &to);
	closedir(dir);
	if (!is_open)
		data_dir_close(d);
	return is_open;
}

void data_dir_close(struct data_dir *d)
{
	mark_close(&d->file);
	if (d->manifest_fd >= 0)
		close(d->manifest_fd);
	d->manifest_fd = -1;
}

bool data_dir_follow(struct data_dir *d, const char *path)
{
	char manifest[CURRENT_BYTES];
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	bool is_open = read_current(dir, manifest) && open_manifest(d, dir, manifest);
	close(dir);
	d->manifest_bytes = 0; /* what of it is on disk is not known */
	return is_open;
}

/* RocksDB may be writing to it at this moment, and the mark must not claim what is not on disk. */
static void note_manifest(struct data_dir *d)
{
	struct stat file;
	if (fstat(d->manifest_fd, &file) == 0 && (uint64_t)file.st_size != d->manifest_bytes &&
	    fsync(d->manifest_fd) == 0)
		d->manifest_bytes = (uint64_t)file.st_size;
}

bool data_dir_mark(struct data_dir *d, uint64_t sequence, uint64_t losses)
{
	note_manifest(d);
	const struct mark mark = {.is_made = true,
				  .sequence = sequence,
				  .losses = losses,
				  .manifest = d->manifest,
				  .manifest_bytes = d->manifest_bytes};
	return mark_write(&d->file, &mark);
}

bool data_dir_sync(const struct data_dir *d)
{
	return mark_sync(&d->file);
}

bool data_dir_copy_mark(const char *path, const struct mark *mark)
{
	struct mark_file file;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	bool is_written = mark_open(&file, dir) && fchmod(dir, S_IRWXU) == 0 &&
			  mark_write(&file, mark) && mark_sync(&file);
	mark_close(&file);
	is_written = fsync(dir) == 0 && is_written;
	close(dir);
	return is_written;
}
