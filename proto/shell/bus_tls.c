// SPDX-License-Identifier: MIT
/* bus_tls.c — see bus_tls.h. */
#include "proto/shell/bus_tls.h"
#include "proto/shell/busio_nng.h"

#include <ctype.h>
#include <errno.h>
#include <nng/supplemental/tls/tls.h>
#include <signal.h>
#include <stdio.h>

enum { FILE_MAX_BYTES = 256 * 1024 };

/* One a process, as nng's sockets are: which certificate somebody has is not a port's business. */
static struct {
	nng_tls_config *dials, *listens; /* NULL: no certificate */
	bool is_insecure;
} bus;

/* ---- files ---- */

/* The text of a file, terminated; NULL with a sentence in `error`. */
static char *read_text(const char *option, const char *path, char *error, size_t error_len)
{
	FILE *f = fopen(path, "re");
	char *text = f ? mem_alloc(FILE_MAX_BYTES + 1) : NULL;
	size_t len = f ? fread(text, 1, FILE_MAX_BYTES, f) : 0;
	bool is_read = f && !ferror(f);
	int why = errno;
	if (f)
		fclose(f);
	if (is_read && len > 0)
		return text;
	mem_free(text);
	snprintf(error, error_len, "--%s: cannot read %s: %s", option, path,
		 is_read ? "it is empty" : strerror(why));
	return NULL;
}

static bool reject(const char *option, const char *path, int rc, char *error, size_t error_len)
{
	if (rc != 0)
		snprintf(error, error_len, "--%s: cannot use %s: %s", option, path,
			 nng_strerror(rc));
	return rc == 0;
}

/* ---- the two ends ---- */

static bool set_up(nng_tls_config **config, nng_tls_mode mode, const struct bus_security *o,
		   const char *ca, const char *cert, const char *key, char *error, size_t error_len)
{
	CHECK(nng_tls_config_alloc(config, mode) == 0);
	CHECK(nng_tls_config_version(*config, NNG_TLS_1_2, NNG_TLS_1_3) == 0);
	CHECK(nng_tls_config_auth_mode(*config, NNG_TLS_AUTH_MODE_REQUIRED) == 0);
	if (mode == NNG_TLS_MODE_CLIENT)
		CHECK(nng_tls_config_server_name(*config, BUS_NAME) == 0);
	return reject("bus-ca", o->ca, nng_tls_config_ca_chain(*config, ca, NULL), error,
		      error_len) &&
	       reject("bus-cert", o->cert, nng_tls_config_own_cert(*config, cert, key, NULL), error,
		      error_len);
}

static bool load(const struct bus_security *o, char *error, size_t error_len)
{
	char *ca = read_text("bus-ca", o->ca, error, error_len);
	char *cert = ca ? read_text("bus-cert", o->cert, error, error_len) : NULL;
	char *key = cert ? read_text("bus-key", o->key, error, error_len) : NULL;
	bool is_good =
		key &&
		set_up(&bus.dials, NNG_TLS_MODE_CLIENT, o, ca, cert, key, error, error_len) &&
		set_up(&bus.listens, NNG_TLS_MODE_SERVER, o, ca, cert, key, error, error_len);
	if (key)
		explicit_bzero(key, FILE_MAX_BYTES);
	mem_free(ca);
	mem_free(cert);
	mem_free(key);
	return is_good;
}

/* The first call of nng starts its threads, and a service waits for signals in one of its own. */
static bool load_unsignalled(const struct bus_security *o, char *error, size_t error_len)
{
	sigset_t all, before;
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	bool is_good = load(o, error, error_len);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return is_good;
}

bool bus_tls_open(const struct bus_security *o, char *error, size_t error_len)
{
	bus.is_insecure = o->is_insecure;
	if (!*o->ca && !*o->cert && !*o->key)
		return true;
	if (*o->ca && *o->cert && *o->key)
		return load_unsignalled(o, error, error_len);
	snprintf(error, error_len, "--bus-ca, --bus-cert and --bus-key: give all, or none");
	return false;
}

int bus_tls_dialer(nng_dialer dialer)
{
	return nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, bus.dials);
}

int bus_tls_listener(nng_listener listener)
{
	return nng_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, bus.listens);
}

/* ---- addresses ---- */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool bus_tls_is_for(const char *url)
{
	return begins(url, "tls+tcp://");
}

/* 127.0.0.0/8 and ::1 as numbers, and the name that stands for them. */
static bool is_loopback(const char *host)
{
	if (begins(host, "localhost:") || begins(host, "[::1]:"))
		return true;
	return begins(host, "127.") && host[strspn(host, "0123456789.")] == ':';
}

bool bus_tls_allows(const char *address, char *error, size_t error_len)
{
	if (bus_tls_is_for(address) && !bus.dials) {
		snprintf(error, error_len,
			 "'%s' needs --bus-ca, --bus-cert and --bus-key (see "
			 "deploy/make-certificates)",
			 address);
		return false;
	}
	if (!begins(address, "tcp://") || is_loopback(address + strlen("tcp://")) ||
	    bus.is_insecure)
		return true;
	snprintf(error, error_len,
		 "'%s' would let whoever reaches it read and forge everything: use tls+tcp://, or "
		 "--bus-insecure on a network that only the services can reach",
		 address);
	return false;
}
