/* control_qos.h - what the commands about QoS share: the classes of a port as text and as
 * JSON. Private to control_qos*.c. Main thread. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "datapath/datapath.h"
#include "vswitchd/running.h"

/* The configured classes of a port, found by number. */
struct qos_classes {
	const struct running_port *port;
	size_t n;
	const struct dp_class_config **sorted;
};

void qos_classes_init(struct qos_classes *classes, const struct running_port *port);
void qos_classes_destroy(struct qos_classes *classes);

/* NULL for the root, and for class 0 where it is not configured. */
const struct dp_class_config *qos_classes_find(const struct qos_classes *classes,
                                               uint32_t number);

/* ---- control_qos_json.c, which says what is in them ---- */

void qos_json_port(const struct running_port *port, struct str *out);
void qos_json_class(const struct qos_classes *classes, const struct dp_class_why *why,
                    struct str *out);

/* A list of numbers, each with its name; 16 at most. */
struct qos_field {
	const char *name;
	uint64_t value;
};

/* "NAME":VALUE,... */
void qos_json_fields(const struct qos_field *fields, size_t n, struct str *out);
void qos_json_delay(const struct dp_class_delay *delay, struct str *out);

/* The name as a JSON string, with its quotes. */
void qos_json_string(const char *text, struct str *out);

/* ---- control_explain.c ---- */

/* "qos/explain": a control_fn; 'aux' is the struct running. */
int qos_explain(size_t n_args, const char *const *args, struct str *out,
                struct error *err, void *aux);

/* "class 4, floor 8 Mbit/s, ceiling 20 Mbit/s, weight 3, below class 1". */
void qos_print_class_head(const struct qos_classes *classes,
                          const struct dp_class_stats *stats, struct str *out);

/* "borrowing from class 1". */
void qos_print_state(enum dp_class_state state, uint32_t who, struct str *out);

/* "12.3 Mbit/s", "1.2 ms" */
void qos_print_rate(uint64_t bps, struct str *out);
void qos_print_span(uint64_t ns, struct str *out);

/* A line, or nothing without samples. */
void qos_print_delay(const char *where, const struct dp_class_delay *delay,
                     struct str *out);

/* ---- control_ingress.c ---- */

/* "qos/explain PORT ingress" */
int qos_explain_ingress(const struct running_port *port, bool as_json, struct str *out,
                        struct error *err);

/* False, and nothing is written, if the port is not gated. */
bool qos_json_ingress(const struct running_port *port, struct str *out);

/* A line about a gated port, or nothing: a guest whose packets wait in its own ring sees
 * that ring as delay. */
void qos_print_gate(const struct running_port *port, struct str *out);
