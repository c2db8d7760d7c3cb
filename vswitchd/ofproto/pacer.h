/* pacer.h - holds back what is above a rate, and lets it go in turns of the ports it came
 * from. Knows neither sessions nor what it holds. For packet_in.c. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct pacer;

struct pacer_stats {
	uint64_t bypassed; /* went at once */
	uint64_t queued;   /* had to wait */
	uint64_t dropped;  /* of those, lost because too many did */
	uint64_t backlog;  /* wait now */
};

struct pacer *pacer_create(void);
void pacer_destroy(struct pacer *pacer);

/* 'rate' per second (0 = any number), 'burst' of them at once and as many waiting; 0: a
 * quarter of the rate. */
void pacer_set_rate(struct pacer *pacer, uint32_t rate, uint32_t burst);

/* Whether one that comes now may go at once; it is then counted as gone. */
bool pacer_admit(struct pacer *pacer, uint64_t now_ns);

/* Holds a copy. If too many wait, the port with most of them loses its oldest. */
void pacer_hold(struct pacer *pacer, uint32_t port, const void *data, size_t n);

/* Takes the next one that may go, into 'data', the caller's. False: none yet. */
bool pacer_take(struct pacer *pacer, uint64_t now_ns, struct str *data);

const struct pacer_stats *pacer_get_stats(const struct pacer *pacer);
