// SPDX-License-Identifier: MIT
/* token.c — fuzz target: a token's header and claims under a good signature, and a file of keys.
 * The first byte says which. */
#include "gateway/token/token.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1800000000, LEEWAY_S = 30 };
#define SECRET "0123456789abcdef0123456789abcdef"

static void put_base64(struct buf *b, struct str bytes)
{
	struct base64_encode_ctx ctx;
	base64url_encode_init(&ctx);
	char *at = buf_space(b, BASE64_ENCODE_LENGTH(bytes.len) + BASE64_ENCODE_FINAL_LENGTH);
	size_t len = base64_encode_update(&ctx, at, bytes.len, (const uint8_t *)bytes.ptr);
	len += base64_encode_final(&ctx, at + len);
	while (len && at[len - 1] == '=')
		len--;
	b->len += len;
}

static void sign(struct buf *b)
{
	struct hmac_sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	hmac_sha256_set_key(&ctx, sizeof SECRET - 1, (const uint8_t *)SECRET);
	hmac_sha256_update(&ctx, b->len, (const uint8_t *)b->ptr);
	hmac_sha256_digest(&ctx, sizeof digest, digest);
	BUF_LIT(b, ".");
	put_base64(b, str_of((const char *)digest, sizeof digest));
}

static void check_claims(const struct claims *c)
{
	CHECK(c->identity.len == CLAIMS_IDENTITY_LEN && c->ends_in_ms > 0);
	CHECK(c->join.count <= CLAIMS_PATTERNS_MAX && c->write.count <= CLAIMS_PATTERNS_MAX);
	CHECK(c->join.is_any || c->join.count == 0 || c->join.list);
	(void)room_patterns_allow(&c->join, STR("a room"));
	(void)room_patterns_allow(&c->write, c->name);
}

static void check(struct str token)
{
	char why[TOKEN_WHY_MAX];
	struct arena arena = {0};
	struct claims claims;
	struct token_rules rules = {.leeway_s = LEEWAY_S};
	struct token_keys *keys = token_keys_read_secret(STR(SECRET), why);
	enum token_result result = token_check(keys, &rules, NOW_S, token, &arena, &claims);
	if (result == TOKEN_OK)
		check_claims(&claims);
	else
		CHECK(!claims.identity.len && *token_result_text(result));
	token_keys_free(keys);
	arena_free(&arena);
}

static void check_signed(struct str header, struct str claims)
{
	struct buf token = {0};
	put_base64(&token, header);
	BUF_LIT(&token, ".");
	put_base64(&token, claims);
	sign(&token);
	check(buf_view(&token));
	buf_free(&token);
}

static void read_keys(struct str file)
{
	char why[TOKEN_WHY_MAX] = "";
	struct token_keys *keys = token_keys_read(file, why);
	CHECK(keys ? token_keys_count(keys) > 0 : *why != '\0');
	token_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str text = str_of((const char *)data + 1, size - 1);
	const char *line = memchr(text.ptr, '\n', text.len);
	if (*data == 'k')
		read_keys(text);
	else if (*data == 't' || !line)
		check(text);
	else
		check_signed(str_of(text.ptr, (size_t)(line - text.ptr)),
			     str_of(line + 1, (size_t)(text.ptr + text.len - line) - 1));
	return 0;
}
