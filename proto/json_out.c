// SPDX-License-Identifier: MIT
/* json_out.c — see json_out.h. */
#include "proto/json_out.h"

/* 0: copy as it is; 'u': \u00XX; any other: backslash and that letter. */
static const char escapes[256] = {
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n',          'u',
	'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u',          'u',
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\', [0x7f] = 'u',
};

#define EACH_BYTE (UINT64_MAX / 255)

/* The high bit of each byte of `word` that is below 0x20; above such a byte it may be set wrongly.
 */
static uint64_t below_space(uint64_t word)
{
	return (word - EACH_BYTE * 0x20) & ~word & EACH_BYTE * 0x80;
}

static uint64_t equal_to(uint64_t word, unsigned char c)
{
	uint64_t difference = word ^ EACH_BYTE * c;
	return (difference - EACH_BYTE) & ~difference & EACH_BYTE * 0x80;
}

/* How many bytes from `at` on need no escape; at least those, in steps of eight. */
static size_t plain_words(struct str s, size_t at)
{
	size_t from = at;
	for (; s.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, s.ptr + at, sizeof word);
		if (below_space(word) | equal_to(word, '"') | equal_to(word, '\\') |
		    equal_to(word, 0x7f))
			break;
	}
	return at - from;
}

static void put_escaped(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char escape = escapes[c];
	if (escape == 'u') {
		char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		buf_append(b, six, sizeof six);
	} else {
		char two[2] = {'\\', escape};
		buf_append(b, two, sizeof two);
	}
}

void json_out_str(struct buf *b, struct str s)
{
	BUF_LIT(b, "\"");
	size_t plain = 0; /* start of the run that can be copied whole */
	size_t i = plain_words(s, 0);
	while (i < s.len) {
		unsigned char c = (unsigned char)s.ptr[i++];
		if (!escapes[c])
			continue;
		buf_append(b, s.ptr + plain, i - 1 - plain);
		put_escaped(b, c);
		plain = i;
		i += plain_words(s, i);
	}
	buf_append(b, s.ptr + plain, s.len - plain);
	BUF_LIT(b, "\"");
}
