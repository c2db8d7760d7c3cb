/* make_certs.h - a certificate authority and certificates by it, as PEM files, made when
 * a test needs them. Any thread. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

struct test_ca {
	EVP_PKEY *key;
	X509 *cert;
};

/* Each ends the test program if something fails. */
struct test_ca make_ca(const char *name);
void free_ca(struct test_ca *ca);
void write_ca(const struct test_ca *ca, const char *path);

/* A key of its own and a certificate by 'ca', followed by the CA's. */
void write_pair(const struct test_ca *ca, const char *name, const char *key_path,
                const char *cert_path);
