// SPDX-License-Identifier: MIT
/* test_token.c — tokens as issuers and strangers write them. The test signs them itself; the
 * examples of the RFCs and, end to end, those of another library say that it signs as others do. */
#include "tests/unit/test_token.h"

/* ---- the examples of the RFCs ---- */

static void test_examples(void **state)
{
	(void)state;
	/* None says a subject, so a good signature ends at the claims, and a bad one before. */
	const struct {
		struct str keys, token;
	} rows[] = {
		/* RFC 7515, A.1 */
		{STR("{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
		     "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwj"
		     "AzZr1Z9CAow\"}"),
		 STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly"
		     "9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_"
		     "wW1gFWFOEjXk")},
		/* RFC 7515, A.3 */
		{STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		     "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"),
		 STR("eyJhbGciOiJFUzI1NiJ9."
		     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc"
		     "1"
		     "9yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-"
		     "F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
		     "Kg6NU1Q")},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token_keys *keys = keys_of(rows[i].keys);
		struct claims claims;
		assert_int_equal(
			token_check(keys, &no_rules, 1300819000, rows[i].token, &arena, &claims),
			TOKEN_CLAIMS);
		assert_int_equal(check(keys, rows[i].token), TOKEN_EXPIRED);
		char *other = arena_alloc(&arena, rows[i].token.len);
		memcpy(other, rows[i].token.ptr, rows[i].token.len);
		char *at = other + rows[i].token.len - 10;
		*at = *at == 'A' ? 'B' : 'A';
		assert_int_equal(check(keys, str_of(other, rows[i].token.len)), TOKEN_SIGNATURE);
		token_keys_free(keys);
	}
}

/* ---- algorithms ---- */

static void test_each_algorithm(void **state)
{
	(void)state;
	EVP_PKEY *pairs[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-256"),
			     EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	static const char *const headers[] = {"{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}",
					      "{\"alg\":\"EdDSA\"}"};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct token_keys *keys = keys_of(pem_of(pairs[i]));
		assert_int_equal(token_keys_count(keys), 1);
		assert_int_equal(check(keys, sign(pairs[i], headers[i], GOOD)), TOKEN_OK);
		/* The oldest attack: a public key, which everybody has, as the secret of HS256. */
		assert_int_equal(
			check(keys, sign_secret("{\"alg\":\"HS256\"}", GOOD, pem_of(pairs[i]))),
			TOKEN_ALGORITHM);
		for (size_t j = 0; j < ARRAY_LEN(headers); j++)
			if (j != i)
				assert_int_equal(check(keys, sign(pairs[i], headers[j], GOOD)),
						 TOKEN_ALGORITHM);
		/* Another key of the same kind. */
		EVP_PKEY *other = i == 0   ? EVP_RSA_gen(2048)
				  : i == 1 ? EVP_EC_gen("P-256")
					   : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		assert_int_equal(check(keys, sign(other, headers[i], GOOD)), TOKEN_SIGNATURE);
		EVP_PKEY_free(other);
		token_keys_free(keys);
	}
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		EVP_PKEY_free(pairs[i]);
}

static void test_headers(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		enum token_result result;
	} rows[] = {
		{"{\"alg\":\"HS256\"}", TOKEN_OK},
		{"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"any\"}", TOKEN_OK},
		{"{\"alg\":\"none\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"None\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"hs256\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"HS512\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"RS256\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"\"}", TOKEN_ALGORITHM},
		{"{}", TOKEN_ALGORITHM},
		{"{\"alg\":5}", TOKEN_MALFORMED},
		{"{\"alg\":\"HS256\",\"kid\":5}", TOKEN_MALFORMED},
		{"{\"alg\":\"HS256\",\"alg\":\"none\"}", TOKEN_MALFORMED},
		{"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", TOKEN_MALFORMED},
		{"[\"HS256\"]", TOKEN_MALFORMED},
		{"", TOKEN_MALFORMED},
	};
	struct token_keys *keys = secret_of(STR(SECRET "\n"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(check(keys, sign_secret(rows[i].header, GOOD, STR(SECRET))),
				 rows[i].result);
	token_keys_free(keys);
}

static void test_shapes(void **state)
{
	(void)state;
	struct token_keys *keys = secret_of(STR(SECRET));
	struct str good = sign_secret("{\"alg\":\"HS256\"}", GOOD, STR(SECRET));
	for (size_t len = 0; len < good.len; len++)
		assert_int_not_equal(check(keys, str_of(good.ptr, len)), TOKEN_OK);
	static const char *const behind[] = {"=", ".", " ", "\n", "A", ".A"};
	for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
		char text[TEXT_MAX];
		int len = snprintf(text, sizeof text, STR_FMT "%s", STR_ARG(good), behind[i]);
		assert_int_not_equal(check(keys, str_of(text, (size_t)len)), TOKEN_OK);
	}
	/* The last letter of a digest of 32 bytes has two bits that say nothing: one spelling only.
	 */
	char *other = arena_alloc(&arena, good.len);
	memcpy(other, good.ptr, good.len);
	other[good.len - 1]++;
	assert_int_equal(check(keys, str_of(other, good.len)), TOKEN_MALFORMED);
	char *long_one = arena_alloc(&arena, TOKEN_BYTES_MAX + 1);
	memset(long_one, 'A', TOKEN_BYTES_MAX + 1);
	assert_int_equal(check(keys, str_of(long_one, TOKEN_BYTES_MAX + 1)), TOKEN_MALFORMED);
	token_keys_free(keys);
}

/* ---- claims ---- */

static void test_claims(void **state)
{
	(void)state;
	static const struct {
		const char *payload;
		enum token_result result;
	} rows[] = {
		{GOOD, TOKEN_OK},
		{"{\"sub\":\"u1\"}", TOKEN_CLAIMS},
		{"{\"exp\":1800000060}", TOKEN_CLAIMS},
		{"{\"sub\":\"\",\"exp\":1800000060}", TOKEN_CLAIMS},
		{"{\"sub\":7,\"exp\":1800000060}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":\"1800000060\"}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":-1}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1e300}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1800000060.9}", TOKEN_OK},
		{"{\"sub\":\"u1\",\"exp\":1799999971}", TOKEN_OK}, /* within the leeway */
		{"{\"sub\":\"u1\",\"exp\":1799999970}", TOKEN_EXPIRED},
		{"{\"sub\":\"u1\",\"exp\":0}", TOKEN_EXPIRED},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"nbf\":1800000030}", TOKEN_OK},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"nbf\":1800000031}", TOKEN_EARLY},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"nbf\":\"now\"}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":\"chat\"}", TOKEN_OK},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":[\"mail\",\"chat\"]}", TOKEN_OK},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":\"mail\"}", TOKEN_AUDIENCE},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":[]}", TOKEN_AUDIENCE},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":{\"chat\":1}}", TOKEN_AUDIENCE},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"iss\":\"else\"}", TOKEN_ISSUER},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"name\":5}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"rooms\":\"a\"}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"rooms\":[5]}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"exp\":1800000060,\"rooms\":{\"write\":[]}}", TOKEN_CLAIMS},
		{"{\"sub\":\"u1\",\"sub\":\"u2\",\"exp\":1800000060}", TOKEN_MALFORMED},
		{"[]", TOKEN_MALFORMED},
	};
	struct token_keys *keys = secret_of(STR(SECRET));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* The right issuer and audience unless the row says otherwise. */
		struct token_rules rules = {.leeway_s = 30};
		if (strstr(rows[i].payload, "iss"))
			rules.issuer = STR("here");
		if (strstr(rows[i].payload, "aud")) {
			rules.audiences[0] = STR("talk");
			rules.audiences[1] = STR("chat");
			rules.audience_count = 2;
		}
		struct claims claims;
		enum token_result result = token_check(
			keys, &rules, NOW_S,
			sign_secret("{\"alg\":\"HS256\"}", rows[i].payload, STR(SECRET)), &arena,
			&claims);
		if (result != rows[i].result)
			fail_msg("%s: %s", rows[i].payload, token_result_text(result));
	}
	token_keys_free(keys);
}

static void test_what_nobody_asked_for(void **state)
{
	(void)state;
	struct token_keys *keys = secret_of(STR(SECRET));
	struct token_rules rules = {
		.issuer = STR("here"), .audiences = {STR("chat")}, .audience_count = 1};
	struct claims claims;
	struct str none = sign_secret("{\"alg\":\"HS256\"}", GOOD, STR(SECRET));
	assert_int_equal(token_check(keys, &rules, NOW_S, none, &arena, &claims), TOKEN_AUDIENCE);
	rules.audience_count = 0;
	assert_int_equal(token_check(keys, &rules, NOW_S, none, &arena, &claims), TOKEN_ISSUER);
	struct str for_others =
		sign_secret("{\"alg\":\"HS256\"}",
			    "{\"sub\":\"u1\",\"exp\":1800000060,\"aud\":\"mail\"}", STR(SECRET));
	assert_int_equal(check(keys, for_others), TOKEN_AUDIENCE);
	token_keys_free(keys);
}

static void test_what_a_token_says(void **state)
{
	(void)state;
	struct token_keys *keys = secret_of(STR(SECRET));
	struct claims claims;
	struct str token =
		sign_secret("{\"alg\":\"HS256\"}",
			    "{\"sub\":\"u1\",\"iss\":\"here\",\"name\":\"ann\",\"role\":"
			    "\"operator\",\"exp\":1800000060,"
			    "\"rooms\":{\"join\":[\"team-*\",\"main\"],\"write\":[\"team-1\"]}}",
			    STR(SECRET));
	assert_int_equal(token_check(keys, &no_rules, NOW_S, token, &arena, &claims), TOKEN_OK);
	assert_str(claims.name, "ann");
	assert_int_equal(claims.ends_in_ms, 60000);
	assert_true(room_patterns_allow(&claims.join, STR("team-2")));
	assert_true(room_patterns_allow(&claims.join, STR("main")));
	assert_false(room_patterns_allow(&claims.join, STR("mainly")));
	assert_false(room_patterns_allow(&claims.write, STR("team-2")));
	assert_true(room_patterns_allow(&claims.write, STR("team-1")));
	token = sign_secret("{\"alg\":\"HS256\"}",
			    "{\"sub\":\"u1\",\"exp\":1800000060,\"rooms\":[]}", STR(SECRET));
	assert_int_equal(token_check(keys, &no_rules, NOW_S, token, &arena, &claims), TOKEN_OK);
	assert_false(room_patterns_allow(&claims.join, STR("main")));
	assert_false(room_patterns_allow(&claims.write, STR("main")));
	token = sign_secret("{\"alg\":\"HS256\"}", GOOD, STR(SECRET));
	assert_int_equal(token_check(keys, &no_rules, NOW_S, token, &arena, &claims), TOKEN_OK);
	assert_true(room_patterns_allow(&claims.join, STR("main")));
	token_keys_free(keys);
}

static void test_patterns(void **state)
{
	(void)state;
	const struct {
		struct str pattern, room;
		bool is_allowed;
	} rows[] = {
		{STR("*"), STR(""), true},
		{STR("*"), STR("anything"), true},
		{STR(""), STR(""), true},
		{STR(""), STR("a"), false},
		{STR("a*"), STR("a"), true},
		{STR("a*"), STR("ba"), false},
		{STR("*a"), STR("banana"), true},
		{STR("*a"), STR("banane"), false},
		{STR("b*n*a"), STR("banana"), true},
		{STR("b*x*a"), STR("banana"), false},
		{STR("**"), STR("a"), true},
		{STR("a?"), STR("ab"), false},
		{STR("[a]"), STR("a"), false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct room_patterns patterns = {.list = &rows[i].pattern, .count = 1};
		assert_int_equal(room_patterns_allow(&patterns, rows[i].room), rows[i].is_allowed);
	}
}

static struct str identity_of(const struct token_keys *keys, const char *payload)
{
	struct claims claims;
	assert_int_equal(token_check(keys, &no_rules, NOW_S,
				     sign_secret("{\"alg\":\"HS256\"}", payload, STR(SECRET)),
				     &arena, &claims),
			 TOKEN_OK);
	assert_int_equal(claims.identity.len, CLAIMS_IDENTITY_LEN);
	return claims.identity;
}

static void test_identities(void **state)
{
	(void)state;
	static const char *const who[] = {
		"{\"sub\":\"ab\",\"exp\":1800000060}",
		"{\"iss\":\"a\",\"sub\":\"b\",\"exp\":1800000060}",
		"{\"iss\":\"ab\",\"sub\":\"c\",\"exp\":1800000060}",
		"{\"iss\":\"a\",\"sub\":\"bc\",\"exp\":1800000060}",
	};
	struct token_keys *keys = secret_of(STR(SECRET));
	for (size_t i = 0; i < ARRAY_LEN(who); i++)
		for (size_t j = 0; j < ARRAY_LEN(who); j++)
			assert_int_equal(
				str_equal(identity_of(keys, who[i]), identity_of(keys, who[j])),
				i == j);
	token_keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_examples, forget),
		cmocka_unit_test_teardown(test_each_algorithm, forget),
		cmocka_unit_test_teardown(test_headers, forget),
		cmocka_unit_test_teardown(test_shapes, forget),
		cmocka_unit_test_teardown(test_claims, forget),
		cmocka_unit_test_teardown(test_what_nobody_asked_for, forget),
		cmocka_unit_test_teardown(test_what_a_token_says, forget),
		cmocka_unit_test_teardown(test_patterns, forget),
		cmocka_unit_test_teardown(test_identities, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
