/* top_poll.h - gets snapshots from the daemon: one, or one each interval by a thread of
 * its own, so that keys are answered while a large answer is read. */
#pragma once

#include "top_data.h"

/* One snapshot of all ports, at most 10 s from now; NULL with a reason. */
struct top_snapshot *top_fetch(const char *target, struct error *err);

/* What qos/explain says of a class; the caller frees. NULL with a reason. */
char *top_fetch_explain(const char *target, const char *port, uint32_t number,
                        struct error *err);

struct top_poll;

/* 'target' must stay valid. NULL with a reason. */
struct top_poll *top_poll_start(const char *target, uint64_t interval_ns,
                                struct error *err);
void top_poll_set_interval(struct top_poll *poll, uint64_t interval_ns);

/* True if something is new since the last call: a snapshot, the caller's to destroy, or
 * NULL and the reason why there is none. */
bool top_poll_take(struct top_poll *poll, struct top_snapshot **snapshot,
                   struct error *err);
