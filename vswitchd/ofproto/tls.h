/* tls.h - TLS sessions for connections.c, with the key and certificates that
 * ofproto_set_tls() named: 1.2 and 1.3, both sides verified. Main thread. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct ssl_st;

/* A session of its own for one connection, the caller's until channel_create() takes it.
 * Files that have changed are read again first; where that fails what was read before
 * stays in force, with a warning. NULL with the reason. */
struct ssl_st *tls_session_create(bool is_accepting, struct error *err);

/* Forgets everything: at the end of the process, and for tests. */
void tls_forget(void);
