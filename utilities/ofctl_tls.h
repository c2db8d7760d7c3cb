/* ofctl_tls.h - TLS below weir-ofctl's connection. For ofctl_conn.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;

/* Files of --private-key, --certificate and --ca-cert; all are needed. */
extern const char *ofctl_tls_private_key, *ofctl_tls_certificate, *ofctl_tls_ca_cert;

/* Over a connected non-blocking socket; both sides are verified. Ends the process if
 * something is wrong. */
struct ssl_st *ofctl_tls_open(int fd, const char *name);
void ofctl_tls_close(struct ssl_st *ssl);

/* Bytes, 0 at the end, or -EAGAIN: wait until the socket is ready. -EPROTO. */
long ofctl_tls_read(struct ssl_st *ssl, void *data, size_t n);
long ofctl_tls_write(struct ssl_st *ssl, const void *data, size_t n);
/* Bytes have been received that a poll would not show. */
bool ofctl_tls_is_pending(const struct ssl_st *ssl);
