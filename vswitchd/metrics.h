/* metrics.h - counters for Prometheus over HTTP: Open_vSwitch.other_config:metrics-listen
 * names the address. metrics.c serves, metrics_page.c writes. Main thread. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>

#include "base/str.h"
#include "vswitchd/running.h"

struct metrics;

/* Listens nowhere at first; 'running' must outlive it. */
struct metrics *metrics_create(struct event_base *loop, const struct running *running);
void metrics_destroy(struct metrics *metrics); /* NULL is fine */

/* "PORT" (on 127.0.0.1), "ADDRESS:PORT" or "[ADDRESS]:PORT"; NULL or "" = nowhere. What
 * is wrong with it is logged, once. */
void metrics_listen(struct metrics *metrics, const char *address);

/* ---- metrics_page.c ---- */

/* One answer on its way: what is known now, written a piece at a time. */
struct metrics_page;

struct metrics_page *metrics_page_create(const struct running *running);
void metrics_page_destroy(struct metrics_page *page);

/* Adds lines to 'out' until it holds about 'bytes'; false after the last one. */
bool metrics_page_write(struct metrics_page *page, size_t bytes, struct str *out);
