// SPDX-License-Identifier: MIT
/* tls_cert.c — see shell/tls_cert.h. */
#include "gateway/shell/tls_cert.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

const char *tls_error(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());
	ERR_clear_error();
	return why ? why : "unknown";
}

/* A key that is locked by a passphrase is refused; OpenSSL would ask the terminal. */
static int no_passphrase(char *buf, int size, int is_writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

/* Clients that offer HTTP/2 too, as browsers do, get HTTP/1.1; who names neither gets no answer. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *offered, unsigned len, void *ctx)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void set_up(SSL_CTX *ctx)
{
	CHECK(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
	CHECK(SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
	/* Browsers and others end connections without TLS's own goodbye; what was cut short is
	 * noticed by HTTP and WebSocket. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Buffers are held only while there is something in them: most connections are silent. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* Whoever returns brings a ticket; nothing is kept here. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	CHECK(SSL_CTX_set_num_tickets(ctx, 1) == 1);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
}

static uint64_t end_of(const SSL_CTX *ctx)
{
	struct tm tm;
	const X509 *cert = SSL_CTX_get0_certificate(ctx);
	if (!cert || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return 0;
	time_t end_s = timegm(&tm);
	return end_s > 0 ? (uint64_t)end_s : 0;
}

SSL_CTX *tls_cert_read(const char *cert, const char *key, uint64_t *end_s, char *error,
		       size_t error_len)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	CHECK(ctx != NULL);
	set_up(ctx);
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		snprintf(error, error_len, "--tls-cert: cannot use %s: %s", cert, tls_error());
	else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
		 SSL_CTX_check_private_key(ctx) != 1)
		snprintf(error, error_len, "--tls-key: cannot use %s: %s", key, tls_error());
	else {
		*end_s = end_of(ctx);
		return ctx;
	}
	SSL_CTX_free(ctx);
	return NULL;
}
