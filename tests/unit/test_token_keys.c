// SPDX-License-Identifier: MIT
/* test_token_keys.c — files of keys, and which key a token is checked with. */
#include "tests/unit/test_token.h"

static void test_keys_by_kid(void **state)
{
	(void)state;
	struct token_keys *keys =
		keys_of(STR("{\"keys\":["
			    "{\"kty\":\"oct\",\"kid\":\"old\",\"k\":"
			    "\"b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk\"},"
			    "{\"kty\":\"oct\",\"kid\":\"new\",\"alg\":\"HS256\",\"use\":\"sig\","
			    "\"k\":\"bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3\"},"
			    "{\"kty\":\"oct\",\"kid\":\"enc\",\"use\":\"enc\",\"k\":\"short\"}]}"));
	struct str old = STR("oldoldoldoldoldoldoldoldoldoldoldold"),
		   new = STR("newnewnewnewnewnewnewnewnewnewnewnew");
	assert_int_equal(token_keys_count(keys), 2);
	assert_int_equal(check(keys, sign_secret("{\"alg\":\"HS256\",\"kid\":\"old\"}", GOOD, old)),
			 TOKEN_OK);
	assert_int_equal(check(keys, sign_secret("{\"alg\":\"HS256\",\"kid\":\"new\"}", GOOD, new)),
			 TOKEN_OK);
	assert_int_equal(check(keys, sign_secret("{\"alg\":\"HS256\"}", GOOD, new)), TOKEN_OK);
	assert_int_equal(check(keys, sign_secret("{\"alg\":\"HS256\",\"kid\":\"old\"}", GOOD, new)),
			 TOKEN_SIGNATURE);
	assert_int_equal(
		check(keys, sign_secret("{\"alg\":\"HS256\",\"kid\":\"gone\"}", GOOD, new)),
		TOKEN_UNKNOWN_KEY);
	token_keys_free(keys);
}

static void test_files_that_are_refused(void **state)
{
	(void)state;
	const struct str files[] = {
		STR(""),
		STR("{"),
		STR("{}"),
		STR("[]"),
		STR("{\"keys\":{}}"),
		STR("{\"keys\":[]}"),
		STR("{\"keys\":[5]}"),
		STR("{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"\"}]}"),
		STR("{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}"),
		STR("{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":"
		    "\"b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk\"}"),
		STR("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
		STR("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\"}"),
		STR("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"),
		STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		    "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"), /* not on the curve
										*/
		STR("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}"),
		STR("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
		STR("-----BEGIN PUBLIC KEY-----\n"),
		STR("a secret of more than thirty-two bytes is no key that is public"),
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char why[TOKEN_WHY_MAX] = "";
		if (token_keys_read(files[i], why))
			fail_msg("taken: " STR_FMT, STR_ARG(files[i]));
		assert_true(strlen(why) > 0);
	}
	char why[TOKEN_WHY_MAX] = "";
	assert_null(token_keys_read_secret(STR("0123456789abcdef0123456789abcde \n"), why));
	assert_string_equal(why, "a secret must have 32 bytes or more");
}

static void test_weak_and_private_keys_are_refused(void **state)
{
	(void)state;
	char why[TOKEN_WHY_MAX] = "";
	EVP_PKEY *weak = EVP_RSA_gen(1024), *other = EVP_EC_gen("P-384"),
		 *good = EVP_EC_gen("P-256");
	assert_null(token_keys_read(pem_of(weak), why));
	assert_null(token_keys_read(pem_of(other), why));
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, good, NULL, NULL, 0, NULL, NULL), 1);
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	assert_null(token_keys_read(str_of(text, (size_t)len), why));
	BIO_free(bio);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(other);
	EVP_PKEY_free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_keys_by_kid, forget),
		cmocka_unit_test_teardown(test_files_that_are_refused, forget),
		cmocka_unit_test_teardown(test_weak_and_private_keys_are_refused, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
