// SPDX-License-Identifier: MIT
/* rocks_mark.c — see store/rocks_mark.h. A slot is a line of text, so that it can be read
 * without tools. */
#include "historyd/store/rocks_mark.h"
#include "proto/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	SLOTS = 2,
	SLOT_AT = 512,   /* between two slots: no more than one is in a sector */
	SLOT_BYTES = 224 /* of the line, with its end */
};

/* Part of the format of the file. */
static const uint64_t sum_seed = 0x5061726c6f724d31;

struct slot {
	char line[SLOT_BYTES + 1];
};

static void write_slot(struct slot *slot, uint64_t turn, const struct mark *mark)
{
	char text[SLOT_BYTES];
	int len = snprintf(text, sizeof text,
			   "parlor-mark 1 turn=%020" PRIu64 " made=%d losses=%020" PRIu64
			   " sequence=%020" PRIu64 " manifest=%020" PRIu64 " bytes=%020" PRIu64,
			   turn, mark->is_made, mark->losses, mark->sequence, mark->manifest,
			   mark->manifest_bytes);
	CHECK(len > 0 && (size_t)len < sizeof text);
	len = snprintf(slot->line, sizeof slot->line, "%s sum=%016" PRIx64, text,
		       hash_bytes(str_of(text, (size_t)len), sum_seed));
	CHECK(len > 0 && len < SLOT_BYTES);
	memset(slot->line + len, ' ', SLOT_BYTES - (size_t)len);
	slot->line[SLOT_BYTES - 1] = '\n';
}

/* A slot is what this program would write, byte for byte, or it is nothing. */
static bool read_slot(const struct mark_file *f, unsigned at, uint64_t *turn, struct mark *mark)
{
	struct slot found = {0};
	struct slot again;
	int is_made = 0;
	if (pread(f->fd, found.line, SLOT_BYTES, (off_t)at * SLOT_AT) != SLOT_BYTES)
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): what is out of range is not written again as it was. */
	if (sscanf(found.line,
		   "parlor-mark 1 turn=%20" SCNu64 " made=%1d losses=%20" SCNu64
		   " sequence=%20" SCNu64 " manifest=%20" SCNu64 " bytes=%20" SCNu64,
		   turn, &is_made, &mark->losses, &mark->sequence, &mark->manifest,
		   &mark->manifest_bytes) != 6)
		return false;
	mark->is_made = is_made;
	write_slot(&again, *turn, mark);
	return memcmp(again.line, found.line, SLOT_BYTES) == 0;
}

bool mark_open(struct mark_file *f, int dir_fd)
{
	*f = (struct mark_file){
		.fd = openat(dir_fd, MARK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
	if (f->fd < 0)
		return false;
	if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	int why = errno;
	mark_close(f);
	errno = why;
	return false;
}

void mark_close(struct mark_file *f)
{
	if (f->fd >= 0) {
		(void)fsync(f->fd);
		close(f->fd);
	}
	f->fd = -1;
}

bool mark_read(struct mark_file *f, struct mark *mark)
{
	bool is_found = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		uint64_t turn;
		struct mark in_slot;
		if (!read_slot(f, i, &turn, &in_slot) || (is_found && turn < f->turn))
			continue;
		is_found = true;
		f->turn = turn;
		*mark = in_slot;
	}
	return is_found;
}

bool mark_write(struct mark_file *f, const struct mark *mark)
{
	struct slot slot;
	write_slot(&slot, ++f->turn, mark);
	return pwrite(f->fd, slot.line, SLOT_BYTES, (off_t)(f->turn % SLOTS) * SLOT_AT) ==
	       SLOT_BYTES;
}

bool mark_sync(const struct mark_file *f)
{
	return fsync(f->fd) == 0;
}
