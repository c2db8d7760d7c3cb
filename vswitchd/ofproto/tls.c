/* tls.c - the daemon's TLS material: read, read again when its files change, and made
 * into sessions for connections.c. Main thread. */
#include "vswitchd/ofproto/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "vswitchd/ofproto/ofproto.h"

LOG_MODULE(tls);

enum tls_file { TLS_KEY, TLS_CERTIFICATE, TLS_CA, TLS_N_FILES };

static const char *const file_names[] = {
	[TLS_KEY] = "private key",
	[TLS_CERTIFICATE] = "certificate",
	[TLS_CA] = "CA certificate",
};

/* What tells whether a file is still the one that was read. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t bytes;
	struct timespec modified;
};

static struct {
	char *paths[TLS_N_FILES]; /* NULL = not configured */
	bool bootstrap_ca;
	SSL_CTX *ctx; /* NULL = nothing that can be used has been read */
	struct stamp stamps[TLS_N_FILES]; /* of the last attempt */
} tls;

static struct stamp
stamp_of(const char *path)
{
	struct stamp stamp;
	struct stat st;

	memset(&stamp, 0, sizeof(stamp));
	if (path && stat(path, &st) == 0) {
		stamp.device = st.st_dev;
		stamp.inode = st.st_ino;
		stamp.bytes = st.st_size;
		stamp.modified = st.st_mtim;
	}
	return stamp;
}

static bool
stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

/* Notes the files as they are; whether they are other ones than before. */
static bool
tls_files_changed(void)
{
	bool changed = false;

	for (int i = 0; i < TLS_N_FILES; i++) {
		struct stamp now = stamp_of(tls.paths[i]);

		changed |= !stamp_equal(&now, &tls.stamps[i]);
		tls.stamps[i] = now;
	}
	return changed;
}

/* The daemon has nobody to ask for a passphrase, and must not wait for one. */
static int
no_passphrase(char *buffer UNUSED, int size UNUSED, int is_writing UNUSED,
              void *aux UNUSED)
{
	return 0;
}

static int
tls_file_error(enum tls_file file, struct error *err)
{
	unsigned long code = ERR_get_error(), next;
	const char *reason;

	/* The first entry is the deepest: a file that is missing, say. */
	while ((next = ERR_get_error()))
		if (!ERR_SYSTEM_ERROR(code) && ERR_SYSTEM_ERROR(next))
			code = next;
	if (ERR_SYSTEM_ERROR(code))
		reason = strerror((int)ERR_GET_REASON(code));
	else
		reason = ERR_reason_error_string(code);
	return error_set(err, -EINVAL, "TLS %s %s: %s", file_names[file], tls.paths[file],
	                 reason ? reason : "cannot be read");
}

static int
tls_load(SSL_CTX *ctx, bool has_ca, struct error *err)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, tls.paths[TLS_CERTIFICATE]) != 1)
		return tls_file_error(TLS_CERTIFICATE, err);
	if (SSL_CTX_use_PrivateKey_file(ctx, tls.paths[TLS_KEY], SSL_FILETYPE_PEM) != 1 &&
	    ERR_GET_REASON(ERR_peek_error()) != X509_R_KEY_VALUES_MISMATCH)
		return tls_file_error(TLS_KEY, err);
	if (SSL_CTX_check_private_key(ctx) != 1) {
		ERR_clear_error();
		return error_set(err, -EINVAL,
		                 "TLS private key %s does not belong to certificate %s",
		                 tls.paths[TLS_KEY], tls.paths[TLS_CERTIFICATE]);
	}
	if (!has_ca)
		return 0;
	if (SSL_CTX_load_verify_locations(ctx, tls.paths[TLS_CA], NULL) != 1)
		return tls_file_error(TLS_CA, err);
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(tls.paths[TLS_CA]));
	return 0;
}

/* Writes the certificate that the peer's chain ends in, if it could be an authority's. */
static int
tls_save_ca(STACK_OF(X509) * chain, struct error *err)
{
	const char *path = tls.paths[TLS_CA];
	X509 *ca = chain && sk_X509_num(chain) > 0
	                   ? sk_X509_value(chain, sk_X509_num(chain) - 1)
	                   : NULL;
	FILE *file;
	int fd, ret = 0;

	if (!ca || X509_self_signed(ca, 1) != 1)
		return error_set(err, -EINVAL,
		                 "the peer did not send the certificate of its CA");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	file = fdopen(fd, "w");
	if (!file) {
		ret = -errno;
		close(fd);
	} else {
		if (PEM_write_X509(file, ca) != 1)
			ret = -EIO;
		if (fclose(file))
			ret = -errno;
	}
	if (!ret)
		return 0;
	unlink(path);
	return error_set(err, ret, "%s: %s", path, strerror(-ret));
}

/* Trusts the first peer's CA, for connections to come: this one ends, and the next one is
 * verified. */
static int
tls_bootstrap(X509_STORE_CTX *store, void *aux UNUSED)
{
	struct error err;

	if (tls_save_ca(X509_STORE_CTX_get0_untrusted(store), &err))
		log_err("cannot bootstrap the CA certificate: %s", err.text);
	else
		log_info("CA certificate %s bootstrapped from the peer: connecting again",
		         tls.paths[TLS_CA]);
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static SSL_CTX *
tls_context_create(struct error *err)
{
	bool has_ca = !tls.bootstrap_ca || access(tls.paths[TLS_CA], F_OK) == 0;
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (!ctx) {
		error_set(err, -ENOMEM, "TLS: out of memory");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (!has_ca)
		SSL_CTX_set_cert_verify_callback(ctx, tls_bootstrap, NULL);
	if (tls_load(ctx, has_ca, err)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* Makes 'tls.ctx' what the files say now, or leaves it as it was. */
static int
tls_refresh(struct error *err)
{
	SSL_CTX *ctx;

	for (int i = 0; i < TLS_N_FILES; i++)
		if (!tls.paths[i])
			return error_set(err, -EINVAL,
			                 "TLS needs a %s (table SSL), and none is "
			                 "configured",
			                 file_names[i]);
	if (!tls_files_changed() && tls.ctx)
		return 0;
	ctx = tls_context_create(err);
	if (!ctx && !tls.ctx)
		return -EINVAL;
	if (!ctx) {
		log_warn("%s; what was read before stays in force", err->text);
		return 0;
	}
	SSL_CTX_free(tls.ctx);
	tls.ctx = ctx;
	return 0;
}

struct ssl_st *
tls_session_create(bool is_accepting, struct error *err)
{
	SSL *ssl;

	if (tls_refresh(err))
		return NULL;
	ssl = SSL_new(tls.ctx);
	if (!ssl) {
		error_set(err, -ENOMEM, "TLS: out of memory");
		return NULL;
	}
	if (is_accepting)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

void
tls_forget(void)
{
	static const struct ofproto_tls none = {.private_key = NULL};

	ofproto_set_tls(NULL, &none);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

void
ofproto_set_tls(struct event_base *loop UNUSED, const struct ofproto_tls *want)
{
	const char *paths[] = {
		[TLS_KEY] = want->private_key,
		[TLS_CERTIFICATE] = want->certificate,
		[TLS_CA] = want->ca_cert,
	};
	bool is_same = tls.bootstrap_ca == want->bootstrap_ca;

	for (int i = 0; i < TLS_N_FILES; i++) {
		if (paths[i] && !*paths[i])
			paths[i] = NULL;
		is_same &= same_text(paths[i], tls.paths[i]);
	}
	if (is_same)
		return;
	for (int i = 0; i < TLS_N_FILES; i++) {
		free(tls.paths[i]);
		tls.paths[i] = paths[i] ? xstrdup(paths[i]) : NULL;
	}
	tls.bootstrap_ca = want->bootstrap_ca;
	SSL_CTX_free(tls.ctx);
	tls.ctx = NULL;
	memset(tls.stamps, 0, sizeof(tls.stamps));
}
