/* make_certs.c - certificates for tests of TLS, by OpenSSL. Any thread. */
#include "support/make_certs.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

#define A_DAY_S 86400

static void
check(bool is_good)
{
	if (is_good)
		return;
	fprintf(stderr, "cannot make certificates\n");
	abort();
}

static void
cert_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	check(extension && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* 'ca' NULL: signed by itself, an authority. */
static X509 *
cert_make(const char *name, EVP_PKEY *key, const struct test_ca *ca)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *subject;

	check(cert != NULL);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -A_DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), A_DAY_S);
	subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	                           (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, ca ? X509_get_subject_name(ca->cert) : subject);
	X509_set_pubkey(cert, key);
	if (!ca)
		cert_add(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
	check(X509_sign(cert, ca ? ca->key : key, EVP_sha256()) > 0);
	return cert;
}

struct test_ca
make_ca(const char *name)
{
	struct test_ca ca = {.key = EVP_EC_gen("P-256")};

	check(ca.key != NULL);
	ca.cert = cert_make(name, ca.key, NULL);
	return ca;
}

void
free_ca(struct test_ca *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
}

void
write_ca(const struct test_ca *ca, const char *path)
{
	FILE *file = fopen(path, "w");

	check(file && PEM_write_X509(file, ca->cert) == 1 && fclose(file) == 0);
}

void
write_pair(const struct test_ca *ca, const char *name, const char *key_path,
           const char *cert_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = cert_make(name, key, ca);
	FILE *file = fopen(key_path, "w");

	check(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	      fclose(file) == 0);
	file = fopen(cert_path, "w");
	check(file && PEM_write_X509(file, cert) == 1 &&
	      PEM_write_X509(file, ca->cert) == 1 && fclose(file) == 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}
