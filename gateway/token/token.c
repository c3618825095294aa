// SPDX-License-Identifier: MIT
/* token.c — see token.h: the compact form (RFC 7515, 7.1), and the claims (RFC 7519, 4.1). */
#include "gateway/token/keys.h"

#include <jansson.h>
#include <math.h>
#include <nettle/sha2.h>

/* The dates that a number of JSON can say exactly. */
static const double DATE_MAX = 9007199254740991.0;

/* The three parts of a token, still in base64. */
struct parts {
	struct str header, payload, signature;
	struct str text; /* what is signed: header, dot, payload */
};

static bool split(struct str token, struct parts *p)
{
	if (token.len > TOKEN_BYTES_MAX)
		return false;
	const char *first = memchr(token.ptr, '.', token.len);
	if (!first)
		return false;
	const char *payload = first + 1, *end = token.ptr + token.len;
	const char *second = memchr(payload, '.', (size_t)(end - payload));
	if (!second)
		return false;
	p->header = str_of(token.ptr, (size_t)(first - token.ptr));
	p->payload = str_of(payload, (size_t)(second - payload));
	p->text = str_of(token.ptr, (size_t)(second - token.ptr));
	p->signature = str_of(second + 1, (size_t)(end - second - 1));
	return true; /* a third dot is no base64 */
}

/* The caller owns the result; NULL when it is no object. */
static json_t *load(struct arena *arena, struct str part)
{
	struct str bytes;
	if (!token_base64url(arena, part, &bytes))
		return NULL;
	json_t *object = json_loadb(bytes.ptr, bytes.len,
				    JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

/* False when there is something else under this name. Nothing there: an empty text. */
static bool text_of(struct arena *arena, const json_t *object, const char *name, struct str *text)
{
	const json_t *value = json_object_get(object, name);
	*text = STR("");
	if (!value)
		return true;
	if (!json_is_string(value))
		return false;
	*text = arena_copy(arena, str_of(json_string_value(value), json_string_length(value)));
	return true;
}

/* ---- the signature ---- */

static bool fits(const struct token_key *key, enum token_algorithm algorithm, struct str kid)
{
	return key->algorithm == algorithm &&
	       (kid.len == 0 || key->kid.len == 0 || str_equal(key->kid, kid));
}

/* A token without a `kid` is tried with each key of its algorithm, and a key without one (of PEM)
 * with each token. */
static enum token_result check_signature(const struct token_keys *keys, const struct parts *p,
					 struct str alg, struct str kid, struct str signature)
{
	enum token_algorithm algorithm;
	if (!token_algorithm_named(alg, &algorithm))
		return TOKEN_ALGORITHM;
	enum token_result result = TOKEN_ALGORITHM;
	for (size_t i = 0; i < keys->count; i++) {
		const struct token_key *key = &keys->keys[i];
		if (fits(key, algorithm, kid)) {
			if (token_key_verifies(key, p->text, signature))
				return TOKEN_OK;
			result = TOKEN_SIGNATURE;
		} else if (key->algorithm == algorithm && result == TOKEN_ALGORITHM) {
			result = TOKEN_UNKNOWN_KEY;
		}
	}
	return result;
}

static enum token_result check_header(const struct token_keys *keys, const struct parts *p,
				      struct arena *arena)
{
	struct str alg, kid, signature;
	json_t *header = load(arena, p->header);
	if (!header || !token_base64url(arena, p->signature, &signature)) {
		json_decref(header);
		return TOKEN_MALFORMED;
	}
	/* `crit` names what a reader must know besides; nothing of it is known here. */
	bool is_read = !json_object_get(header, "crit") && text_of(arena, header, "alg", &alg) &&
		       text_of(arena, header, "kid", &kid);
	json_decref(header);
	return is_read ? check_signature(keys, p, alg, kid, signature) : TOKEN_MALFORMED;
}

/* ---- the claims ---- */

/* Seconds since 1970, rounded to the token's disadvantage by the caller; -1: none, -2: no date. */
static double date_of(const json_t *claims, const char *name)
{
	const json_t *value = json_object_get(claims, name);
	if (!value)
		return -1;
	double date = json_is_real(value) ? json_real_value(value) : -2;
	return date >= 0 && date <= DATE_MAX ? date : -2;
}

static enum token_result check_dates(const json_t *claims, const struct token_rules *rules,
				     uint64_t now_s, uint64_t *ends_in_ms)
{
	enum { SECOND_MS = 1000 };
	double ends = date_of(claims, "exp"), begins = date_of(claims, "nbf");
	if (ends < 0 || begins == -2)
		return TOKEN_CLAIMS;
	uint64_t until_s = (uint64_t)floor(ends) + rules->leeway_s;
	if (now_s >= until_s)
		return TOKEN_EXPIRED;
	if (begins >= 0 && now_s + rules->leeway_s < (uint64_t)ceil(begins))
		return TOKEN_EARLY;
	*ends_in_ms = (until_s - now_s) * SECOND_MS;
	return TOKEN_OK;
}

static bool is_audience(const struct token_rules *rules, const json_t *value)
{
	for (size_t i = 0; json_is_string(value) && i < rules->audience_count; i++)
		if (str_equal(rules->audiences[i],
			      str_of(json_string_value(value), json_string_length(value))))
			return true;
	return false;
}

static enum token_result check_audience(const json_t *claims, const struct token_rules *rules)
{
	const json_t *aud = json_object_get(claims, "aud");
	if (!aud)
		return rules->audience_count ? TOKEN_AUDIENCE : TOKEN_OK;
	if (!json_is_array(aud))
		return is_audience(rules, aud) ? TOKEN_OK : TOKEN_AUDIENCE;
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (is_audience(rules, json_array_get(aud, i)))
			return TOKEN_OK;
	return TOKEN_AUDIENCE;
}

static bool read_patterns(struct arena *arena, const json_t *list, struct room_patterns *patterns)
{
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > CLAIMS_PATTERNS_MAX)
		return false;
	struct str *texts = arena_alloc(arena, (count + 1) * sizeof *texts);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(list, i);
		if (!json_is_string(value))
			return false;
		texts[i] = arena_copy(arena,
				      str_of(json_string_value(value), json_string_length(value)));
	}
	*patterns = (struct room_patterns){.list = texts, .count = count};
	return true;
}

/* `rooms`: a list for both, or {"join":[…],"write":[…]}; without `write`, whoever may join may
 * write. */
static bool read_rooms(struct arena *arena, const json_t *payload, struct claims *claims)
{
	const json_t *rooms = json_object_get(payload, "rooms");
	claims->join = claims->write = (struct room_patterns){.is_any = true};
	if (!rooms)
		return true;
	const json_t *join = json_is_object(rooms) ? json_object_get(rooms, "join") : rooms;
	const json_t *write = json_is_object(rooms) ? json_object_get(rooms, "write") : NULL;
	if (!read_patterns(arena, join, &claims->join))
		return false;
	claims->write = claims->join;
	return !write || read_patterns(arena, write, &claims->write);
}

/* Who it is: a digest that no guest's key can have, since a key holds no NUL. */
static struct str identity_of(struct arena *arena, struct str issuer, struct str subject)
{
	static const uint8_t kind[] = "token"; /* its NUL counts */
	static const char hex[] = "0123456789abcdef";
	uint8_t issuer_len[sizeof(uint64_t)], digest[SHA256_DIGEST_SIZE];
	for (size_t i = 0; i < sizeof issuer_len; i++)
		issuer_len[i] = (uint8_t)((uint64_t)issuer.len >> (8 * i));
	struct sha256_ctx ctx;
	sha256_init(&ctx);
	sha256_update(&ctx, sizeof kind, kind);
	sha256_update(&ctx, sizeof issuer_len, issuer_len);
	sha256_update(&ctx, issuer.len, (const uint8_t *)issuer.ptr);
	sha256_update(&ctx, subject.len, (const uint8_t *)subject.ptr);
	sha256_digest(&ctx, sizeof digest, digest);
	char *text = arena_alloc(arena, CLAIMS_IDENTITY_LEN);
	for (size_t i = 0; i < sizeof digest; i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	return str_of(text, CLAIMS_IDENTITY_LEN);
}

static enum token_result check_claims(const json_t *payload, const struct token_rules *rules,
				      uint64_t now_s, struct arena *arena, struct claims *claims)
{
	struct str issuer, subject;
	enum token_result result = check_dates(payload, rules, now_s, &claims->ends_in_ms);
	if (result != TOKEN_OK)
		return result;
	result = check_audience(payload, rules);
	if (result != TOKEN_OK)
		return result;
	if (!text_of(arena, payload, "iss", &issuer) ||
	    (rules->issuer.len && !str_equal(rules->issuer, issuer)))
		return TOKEN_ISSUER;
	if (!text_of(arena, payload, "sub", &subject) || !subject.len ||
	    !text_of(arena, payload, "name", &claims->name) || !read_rooms(arena, payload, claims))
		return TOKEN_CLAIMS;
	claims->identity = identity_of(arena, issuer, subject);
	return TOKEN_OK;
}

enum token_result token_check(const struct token_keys *keys, const struct token_rules *rules,
			      uint64_t now_s, struct str token, struct arena *arena,
			      struct claims *claims)
{
	struct parts p;
	*claims = (struct claims){0};
	if (!split(token, &p))
		return TOKEN_MALFORMED;
	enum token_result result = check_header(keys, &p, arena);
	if (result != TOKEN_OK)
		return result;
	json_t *payload = load(arena, p.payload);
	result = payload ? check_claims(payload, rules, now_s, arena, claims) : TOKEN_MALFORMED;
	json_decref(payload);
	if (result != TOKEN_OK)
		*claims = (struct claims){0};
	return result;
}

const char *token_result_text(enum token_result result)
{
	static const char *const texts[] = {
		[TOKEN_OK] = "good",
		[TOKEN_MALFORMED] = "not a signed token",
		[TOKEN_ALGORITHM] = "signed with an algorithm that none of the keys has",
		[TOKEN_UNKNOWN_KEY] = "signed with a key that is not known here",
		[TOKEN_SIGNATURE] = "the signature does not fit",
		[TOKEN_EXPIRED] = "expired",
		[TOKEN_EARLY] = "not valid yet",
		[TOKEN_AUDIENCE] = "meant for another audience",
		[TOKEN_ISSUER] = "from another issuer",
		[TOKEN_CLAIMS] =
			"a claim is missing or not what it should be: exp, nbf, sub, name, rooms",
	};
	return texts[result];
}
