/* lookup.h - the addresses of a host, without waiting for them. For endpoint.c. Main
 * thread. */
#pragma once

#include <event2/event.h>
#include <stddef.h>

struct lookup;

/* 'n' addresses as text, in the order to try them; 0: there are none, and why. The lookup
 * is over, and freed after this call. */
typedef void lookup_fn(const char *const *addresses, size_t n, const char *why,
                       void *aux);

/* As the system is set up to: by /etc/hosts, DNS and so on. Calls 'fn' later, from the
 * loop. */
struct lookup *lookup_start(struct event_base *loop, const char *host, lookup_fn *fn,
                            void *aux);

/* 'fn' will not be called any more. NULL is fine. */
void lookup_cancel(struct lookup *lookup);
