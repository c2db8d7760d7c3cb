/* lookup.c - asks the C library for a host's addresses: getaddrinfo_a() does so on a
 * thread of its own, and here is looked now and then whether it is done. Below
 * endpoint.c. Main thread. */
#include "vswitchd/ofproto/lookup.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

#define LOOK_MS       10
#define ADDRESSES_MAX 8

struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char *host;
	struct event *look;
	lookup_fn *fn; /* NULL: nobody waits for it any more */
	void *aux;
};

static void
lookup_free(struct lookup *lookup)
{
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	event_free(lookup->look);
	free(lookup->host);
	free(lookup);
}

static void
lookup_report(struct lookup *lookup, int code)
{
	char *addresses[ADDRESSES_MAX] = {NULL};
	size_t n = 0;

	if (code == 0)
		for (struct addrinfo *one = lookup->request.ar_result;
		     one && n < ADDRESSES_MAX; one = one->ai_next) {
			char text[NI_MAXHOST];

			if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text),
			                NULL, 0, NI_NUMERICHOST) == 0)
				addresses[n++] = xstrdup(text);
		}
	lookup->fn((const char *const *)addresses, n,
	           code ? gai_strerror(code) : "it has no address", lookup->aux);
	while (n > 0)
		free(addresses[--n]);
}

static void
on_look(evutil_socket_t fd, short what, void *aux)
{
	static const struct timeval later = {.tv_usec = LOOK_MS * 1000};
	struct lookup *lookup = aux;
	int code = gai_error(&lookup->request);

	(void)fd, (void)what;
	if (code == EAI_INPROGRESS) {
		event_add(lookup->look, &later);
		return;
	}
	if (lookup->fn)
		lookup_report(lookup, code);
	lookup_free(lookup);
}

struct lookup *
lookup_start(struct event_base *loop, const char *host, lookup_fn *fn, void *aux)
{
	static const struct timeval soon = {.tv_usec = 1000};
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct gaicb *list[] = {&lookup->request};

	lookup->host = xstrdup(host);
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_request = &lookup->hints;
	lookup->fn = fn;
	lookup->aux = aux;
	lookup->look = evtimer_new(loop, on_look, lookup);
	/* If there is no thread for it, gai_error() says so. */
	(void)getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	event_add(lookup->look, &soon);
	return lookup;
}

void
lookup_cancel(struct lookup *lookup)
{
	if (!lookup)
		return;
	lookup->fn = NULL;
	/* What a thread works on must stay until it is done. */
	if (gai_cancel(&lookup->request) != EAI_NOTCANCELED)
		lookup_free(lookup);
}
