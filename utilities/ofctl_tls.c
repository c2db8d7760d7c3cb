/* ofctl_tls.c - weir-ofctl's end of a TLS connection, by OpenSSL. Below ofctl_conn.c. */
#include "ofctl_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdint.h>

#include "cli.h"

const char *ofctl_tls_private_key, *ofctl_tls_certificate, *ofctl_tls_ca_cert;

static const char *
tls_reason(void)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	return reason ? reason : "cannot be read";
}

static SSL_CTX *
tls_context(const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ofctl_tls_private_key || !ofctl_tls_certificate || !ofctl_tls_ca_cert)
		cli_die("%s: --private-key, --certificate and --ca-cert are needed",
		        name);
	if (!ctx)
		cli_die("TLS: out of memory");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_use_certificate_chain_file(ctx, ofctl_tls_certificate) != 1)
		cli_die("%s: %s", ofctl_tls_certificate, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(ctx, ofctl_tls_private_key, SSL_FILETYPE_PEM) !=
	    1)
		cli_die("%s: %s", ofctl_tls_private_key, tls_reason());
	if (SSL_CTX_load_verify_locations(ctx, ofctl_tls_ca_cert, NULL) != 1)
		cli_die("%s: %s", ofctl_tls_ca_cert, tls_reason());
	return ctx;
}

static void
tls_wait(const SSL *ssl)
{
	struct pollfd p = {.fd = SSL_get_fd(ssl), .events = POLLIN};

	if (SSL_want_write(ssl))
		p.events = POLLOUT;
	(void)poll(&p, 1, -1);
}

struct ssl_st *
ofctl_tls_open(int fd, const char *name)
{
	SSL_CTX *ctx = tls_context(name);
	SSL *ssl = SSL_new(ctx);
	int ret;

	SSL_CTX_free(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		cli_die("TLS: out of memory");
	while ((ret = SSL_connect(ssl)) != 1) {
		int error = SSL_get_error(ssl, ret);

		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
			cli_die("%s: TLS handshake failed: %s", name, tls_reason());
		tls_wait(ssl);
	}
	return ssl;
}

void
ofctl_tls_close(struct ssl_st *ssl)
{
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static long
tls_outcome(SSL *ssl, int ret)
{
	if (ret > 0)
		return ret;
	switch (SSL_get_error(ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return -EPROTO;
	}
}

long
ofctl_tls_read(struct ssl_st *ssl, void *data, size_t n)
{
	return tls_outcome(ssl,
	                   SSL_read(ssl, data, (int)(n < INT16_MAX ? n : INT16_MAX)));
}

long
ofctl_tls_write(struct ssl_st *ssl, const void *data, size_t n)
{
	return tls_outcome(ssl,
	                   SSL_write(ssl, data, (int)(n < INT16_MAX ? n : INT16_MAX)));
}

bool
ofctl_tls_is_pending(const struct ssl_st *ssl)
{
	return SSL_pending(ssl) > 0;
}
