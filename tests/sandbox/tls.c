/* SPDX-License-Identifier: MIT */
/*
 * Makes the throw-away certificates with GnuTLS: ECDSA on P-256, valid for a few days. The CA's key is dropped once
 * it has signed; the server's stays in memory. Neither is ever written to a file.
 */
#include "tests/sandbox/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VALID_BEFORE_S 3600
#define VALID_S (30 * 86400)
#define EXPIRED_S 86400 /* ago */
#define SERIAL_BYTES 16
#define KEY_ID_BYTES 20

struct pair {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

/* Every step's result is added up: 0 is success, an error negative, and the first error is what is told. */
static void step(int *worst, int result)
{
	if (*worst == 0 && result < 0)
		*worst = result;
}

static int make_pair(struct pair *pair, const char *name)
{
	unsigned char serial[SERIAL_BYTES], key_id[KEY_ID_BYTES];
	size_t key_id_n = sizeof key_id;
	time_t now = time(NULL);
	int worst = 0;

	step(&worst, gnutls_x509_privkey_init(&pair->key));
	step(&worst, gnutls_x509_crt_init(&pair->crt));
	if (worst)
		return worst;
	step(&worst, gnutls_x509_privkey_generate(pair->key, GNUTLS_PK_ECDSA,
	                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	step(&worst, gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive, and without a leading zero */
	step(&worst, gnutls_x509_crt_set_version(pair->crt, 3));
	step(&worst, gnutls_x509_crt_set_serial(pair->crt, serial, sizeof serial));
	step(&worst, gnutls_x509_crt_set_key(pair->crt, pair->key));
	step(&worst, gnutls_x509_crt_set_activation_time(pair->crt, now - VALID_BEFORE_S));
	step(&worst, gnutls_x509_crt_set_expiration_time(pair->crt, now + VALID_S));
	step(&worst, gnutls_x509_crt_set_dn(pair->crt, name, NULL));
	step(&worst, gnutls_x509_crt_get_key_id(pair->crt, GNUTLS_KEYID_USE_SHA1, key_id, &key_id_n));
	step(&worst, gnutls_x509_crt_set_subject_key_id(pair->crt, key_id, key_id_n));
	return worst;
}

static int sign(struct pair *pair, const struct pair *ca)
{
	unsigned char key_id[KEY_ID_BYTES];
	size_t n = sizeof key_id;
	int worst = 0;

	step(&worst, gnutls_x509_crt_get_subject_key_id(ca->crt, key_id, &n, NULL));
	step(&worst, gnutls_x509_crt_set_authority_key_id(pair->crt, key_id, n));
	step(&worst, gnutls_x509_crt_sign2(pair->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
	return worst;
}

static int make_ca(struct pair *ca)
{
	int worst = make_pair(ca, "CN=alation-sandbox throw-away CA");

	if (worst)
		return worst;
	step(&worst, gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0));
	step(&worst, gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
	step(&worst, sign(ca, ca));
	return worst;
}

static int add_address(gnutls_x509_crt_t crt, const char *address)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	unsigned n = sizeof(struct in_addr);

	if (inet_pton(AF_INET, address, bytes) != 1) {
		n = sizeof(struct in6_addr);
		if (inet_pton(AF_INET6, address, bytes) != 1)
			return 0;
	}
	return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, bytes, n, GNUTLS_FSAN_APPEND);
}

static int add_names(gnutls_x509_crt_t crt, const char *address)
{
	static const char host[] = "localhost";
	int worst = 0;

	step(&worst, gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host, sizeof host - 1, GNUTLS_FSAN_SET));
	step(&worst, add_address(crt, "127.0.0.1"));
	step(&worst, add_address(crt, "::1"));
	if (strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0)
		step(&worst, add_address(crt, address));
	return worst;
}

static int make_server(struct pair *server, const struct pair *ca, enum tls_server which, const char *address)
{
	static const char other[] = "other.sandbox.example";
	int worst = make_pair(server, which == TLS_WRONG_HOST ? "CN=other.sandbox.example" : "CN=localhost");
	time_t now = time(NULL);

	if (worst)
		return worst;
	if (which == TLS_EXPIRED) {
		step(&worst, gnutls_x509_crt_set_activation_time(server->crt, now - 2 * EXPIRED_S));
		step(&worst, gnutls_x509_crt_set_expiration_time(server->crt, now - EXPIRED_S));
	}
	step(&worst, gnutls_x509_crt_set_basic_constraints(server->crt, 0, -1));
	step(&worst, gnutls_x509_crt_set_key_usage(server->crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
	step(&worst, gnutls_x509_crt_set_key_purpose_oid(server->crt, GNUTLS_KP_TLS_WWW_SERVER, 0));
	if (which == TLS_WRONG_HOST)
		step(&worst, gnutls_x509_crt_set_subject_alt_name(server->crt, GNUTLS_SAN_DNSNAME, other, sizeof other - 1,
		                                                  GNUTLS_FSAN_SET));
	else
		step(&worst, add_names(server->crt, address));
	step(&worst, sign(server, which == TLS_SELF_SIGNED ? server : ca));
	return worst;
}

static int export_certificate(const struct pair *pair, struct text *ret_pem)
{
	gnutls_datum_t pem;
	int result = gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM, &pem);

	if (result < 0)
		return result;
	text_add(ret_pem, (const char *)pem.data, pem.size);
	gnutls_free(pem.data);
	return 0;
}

static int export_key(const struct pair *pair, struct text *ret_pem)
{
	gnutls_datum_t pem;
	int result = gnutls_x509_privkey_export2(pair->key, GNUTLS_X509_FMT_PEM, &pem);

	if (result < 0)
		return result;
	text_add(ret_pem, (const char *)pem.data, pem.size);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return 0;
}

static bool write_file(const char *dir, const char *name, const struct text *pem)
{
	struct text path = { 0 };
	ssize_t written = -1;
	int fd;

	text_printf(&path, "%s/%s", dir, name);
	fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0) {
		written = write(fd, pem->p, pem->n);
		if (close(fd) < 0)
			written = -1;
	}
	if (written != (ssize_t)pem->n)
		fprintf(stderr, "alation-sandbox: cannot write '%s': %s\n", path.p, strerror(errno));
	text_free(&path);
	return written == (ssize_t)pem->n;
}

static int make_and_export(struct tls *tls, const struct pair *ca, enum tls_server which, const char *address)
{
	struct pair server = { 0 };
	int worst = make_server(&server, ca, which, address);

	if (!worst) {
		step(&worst, export_certificate(&server, &tls->servers[which].certificate_pem));
		step(&worst, export_key(&server, &tls->servers[which].key_pem));
	}
	gnutls_x509_privkey_deinit(server.key);
	gnutls_x509_crt_deinit(server.crt);
	return worst;
}

bool tls_make(struct tls *tls, const char *dir, const char *address)
{
	struct pair ca = { 0 };
	bool ok = false;
	int worst;

	*tls = (struct tls){ 0 };
	worst = make_ca(&ca);
	if (!worst)
		step(&worst, export_certificate(&ca, &tls->ca_pem));
	for (enum tls_server which = 0; which < TLS_SERVERS && !worst; which++)
		worst = make_and_export(tls, &ca, which, address);
	if (worst)
		fprintf(stderr, "alation-sandbox: cannot make certificates: %s\n", gnutls_strerror(worst));
	else if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		fprintf(stderr, "alation-sandbox: cannot make '%s': %s\n", dir, strerror(errno));
	else
		ok = write_file(dir, "ca.pem", &tls->ca_pem) &&
		     write_file(dir, "server.pem", &tls->servers[TLS_GOOD].certificate_pem);
	gnutls_x509_privkey_deinit(ca.key);
	gnutls_x509_crt_deinit(ca.crt);
	if (!ok)
		tls_free(tls);
	return ok;
}

void tls_free(struct tls *tls)
{
	for (enum tls_server which = 0; which < TLS_SERVERS; which++) {
		if (tls->servers[which].key_pem.p)
			explicit_bzero(tls->servers[which].key_pem.p, tls->servers[which].key_pem.n);
		text_free(&tls->servers[which].certificate_pem);
		text_free(&tls->servers[which].key_pem);
	}
	text_free(&tls->ca_pem);
}
