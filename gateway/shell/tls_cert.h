// SPDX-License-Identifier: MIT
/* tls_cert.h — the certificate and its key, read from files, and what TLS here is like: versions,
 * ciphers, protocols. Read again while running: who is connected keeps the old one. */
#ifndef PARLOR_GATEWAY_SHELL_TLS_CERT_H
#define PARLOR_GATEWAY_SHELL_TLS_CERT_H

#include "proto/base.h"

#include <openssl/ssl.h>

/* NULL with a sentence in `error` when the files are not what they should be. `*end_s`: when the
 * certificate ends (UTC). */
SSL_CTX *tls_cert_read(const char *cert, const char *key, uint64_t *end_s, char *error,
		       size_t error_len);

/* The oldest error that OpenSSL keeps for this thread, as a sentence; the others are dropped. */
const char *tls_error(void);

#endif
