/* validate_qos.c - whether the class tree of a port is possible, for validate.c; adds to
 * the datapath's reason what only the change itself tells: how much would have fitted.
 * Main thread. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/validate.h"

#define DEFAULT_LINK_BPS UINT64_C(10000000000)

/* A floor of one class, in bit/s or in packets/s. */
struct floor {
	bool is_pps;
	size_t at; /* index of the class */
};

static uint64_t
floor_get(const struct dp_qos_config *config, const struct floor *floor)
{
	const struct dp_class_config *class = &config->classes[floor->at];

	return floor->is_pps ? class->floor_pps : class->floor_bps;
}

static int
compare_classes(const void *a, const void *b)
{
	const struct dp_class_config *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The class of that number; 'config' comes from the database, sorted. */
static const struct dp_class_config *
find_class(const struct dp_qos_config *config, uint32_t number)
{
	const struct dp_class_config key = {.number = number};

	if (!config->n_classes)
		return NULL;
	return bsearch(&key, config->classes, config->n_classes, sizeof(key),
	               compare_classes);
}

/* The only floor that is new or larger than the one that runs; false if there are none or
 * several. */
static bool
find_raised_floor(const struct dp_qos_config *config, const struct dp_qos_config *old,
                  struct floor *raised)
{
	unsigned n = 0;

	for (size_t i = 0; i < config->n_classes && n < 2; i++) {
		const struct dp_class_config *class = &config->classes[i];
		const struct dp_class_config *was = find_class(old, class->number);

		if (class->floor_bps > (was ? was->floor_bps : 0)) {
			*raised = (struct floor){.at = i};
			n++;
		}
		if (class->floor_pps > (was ? was->floor_pps : 0)) {
			*raised = (struct floor){.is_pps = true, .at = i};
			n++;
		}
	}
	return n == 1;
}

/* The largest value of a floor with which 'config' is possible; false if it is not even
 * without. */
static bool
find_largest_floor(const struct dp_qos_config *config, const struct floor *floor,
                   uint64_t *largest)
{
	struct dp_class_config *classes =
		xmemdup(config->classes, config->n_classes * sizeof(*classes));
	struct dp_qos_config trial = *config;
	uint64_t low = 0, high = floor_get(config, floor);
	struct error err;
	bool fits_without;

	trial.classes = classes;
	/* Without the floor it fits, with 'high' it does not. */
	for (uint64_t middle = 0; low < high; middle = low + (high - low) / 2) {
		if (floor->is_pps)
			classes[floor->at].floor_pps = (uint32_t)middle;
		else
			classes[floor->at].floor_bps = middle;
		if (dp_qos_check(&trial, &err) == 0)
			low = middle + 1;
		else
			high = middle;
	}
	fits_without = low > 0;
	*largest = fits_without ? low - 1 : 0;
	free(classes);
	return fits_without;
}

static const char *
explain_refusal(struct desired *desired, const struct desired_qos *qos,
                const struct dp_qos_config *config, const struct running_port *old,
                const char *reason)
{
	struct floor raised;
	uint64_t largest;

	if (!old || !find_raised_floor(config, &old->qos, &raised) ||
	    !find_largest_floor(config, &raised, &largest))
		return desired_printf(&desired->arena, "%s: %s", qos->name, reason);
	return desired_printf(&desired->arena,
	                      "%s: %s; queue %u, whose floor was raised, can have at "
	                      "most %llu %s",
	                      qos->name, reason, config->classes[raised.at].number,
	                      (unsigned long long)largest,
	                      raised.is_pps ? "packets/s" : "bit/s");
}

void
validate_qos(struct desired *desired, struct desired_port *port,
             const struct running *running)
{
	const struct running_port *old = running_find_port(running, port->name);
	struct desired_qos *qos = port->qos;
	struct dp_qos_config *config = &port->qos_config;
	struct error err;

	memset(config, 0, sizeof(*config));
	if (!qos)
		return;
	if (qos->problem) {
		port->qos_problem = qos->problem;
		return;
	}
	*config = qos->config;
	if (config->kind == DP_QOS_NONE)
		return;
	/* All ports of a domain must give its tree the same rate. */
	if (!config->rate_bps && config->kind == DP_QOS_TREE)
		config->rate_bps = old && old->link_bps && !config->domain
		                           ? old->link_bps
		                           : DEFAULT_LINK_BPS;
	if (!qos->is_checked || qos->checked_rate_bps != config->rate_bps) {
		qos->is_checked = true;
		qos->checked_rate_bps = config->rate_bps;
		qos->check_problem = NULL;
		if (dp_qos_check(config, &err))
			qos->check_problem =
				explain_refusal(desired, qos, config, old, err.text);
	}
	port->qos_problem = qos->check_problem;
}
