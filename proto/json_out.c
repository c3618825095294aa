// SPDX-License-Identifier: MIT
/* json_out.c — see json_out.h. */
#include "proto/json_out.h"

/* 0: copy as it is; 'u': \u00XX; any other: backslash and that letter. */
static const char escapes[256] = {
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n',          'u',
	'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u',          'u',
	'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\', [0x7f] = 'u',
};

void json_out_str(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	BUF_LIT(b, "\"");
	size_t plain = 0; /* start of the run that can be copied whole */
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char escape = escapes[c];
		if (!escape)
			continue;
		buf_append(b, s.ptr + plain, i - plain);
		plain = i + 1;
		if (escape == 'u') {
			char six[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
			buf_append(b, six, sizeof six);
		} else {
			char two[2] = {'\\', escape};
			buf_append(b, two, sizeof two);
		}
	}
	buf_append(b, s.ptr + plain, s.len - plain);
	BUF_LIT(b, "\"");
}
