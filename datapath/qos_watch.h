/* qos_watch.h - keeps an eye on the trees of classes: ten times a second main asks their
 * owners what every class does, and remembers ten seconds of that (qos_history.c), for
 * who asks why (qos_explain.c). Main thread. */
#pragma once

#include <stdbool.h>

struct port_qos;

/* Makes 'epoll_fd' readable ten times a second while there is a tree to watch. 0 or
 * -errno. */
int qos_watch_start(int epoll_fd);

/* Looks at all trees if it is time. Called from dp_run(). */
void qos_watch_run(void);

/* The port's tree is a new one or has changed; what is remembered of classes that stay is
 * kept. */
void qos_watch_follow(struct port_qos *qos);

/* No worker sees 'qos' any more. */
void qos_watch_destroy(struct port_qos *qos);

/* Reads the counters of a watched tree and asks its owner; the answers are in its
 * history. 'is_sample': they count as the last tenth of a second. */
void qos_watch_pass(struct port_qos *qos, bool is_sample);
