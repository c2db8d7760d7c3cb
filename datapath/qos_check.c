/* qos_check.c - whether the QoS of a port is possible: its tree, which
 * lib/qos/admission.c judges, and what else names classes. Pure. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "datapath/datapath.h"
#include "qos/admission.h"

/* What a map or list of the QoS itself names must be there. */
static int
check_named(const uint8_t *exists, uint32_t number, const char *where, struct error *err)
{
	if (number == DP_CLASS_NONE || number == 0 ||
	    (number <= DP_CLASS_NUMBER_MAX && (exists[number / 8] >> number % 8 & 1)))
		return 0;
	return error_set(err, -EINVAL, "%s names queue %u, which is not in the QoS",
	                 where, number);
}

static int
check_maps(const struct dp_qos_config *config, struct error *err)
{
	uint8_t exists[DP_CLASS_NUMBER_MAX / 8 + 1] = {0};
	int ret = 0;

	for (size_t i = 0; i < config->n_classes; i++)
		exists[config->classes[i].number / 8] |=
			(uint8_t)(1U << config->classes[i].number % 8);
	for (size_t i = 0; config->has_dscp_classes && i < 64 && !ret; i++)
		ret = check_named(exists, config->dscp_class[i], "dscp-map", err);
	for (size_t i = 0; config->has_pcp_classes && i < 8 && !ret; i++)
		ret = check_named(exists, config->pcp_class[i], "pcp-map", err);
	for (size_t i = 0; i < config->n_macs && !ret; i++)
		ret = check_named(exists, config->macs[i].number, "macs", err);
	return ret;
}

/* The caller frees its classes. */
static struct admission_tree
admission_of(const struct dp_qos_config *config)
{
	struct admission_class *classes =
		xcalloc(config->n_classes + 1, sizeof(*classes));

	for (size_t i = 0; i < config->n_classes; i++) {
		const struct dp_class_config *class = &config->classes[i];

		classes[i] = (struct admission_class){
			.number = class->number,
			.parent = class->parent,
			.floor_bps = class->floor_bps,
			.ceil_bps = class->ceil_bps,
			.peak_bps = class->peak_bps,
			.floor_pps = class->floor_pps,
			.ceil_pps = class->ceil_pps,
		};
	}
	return (struct admission_tree){
		.noun = "queue",
		.number_max = DP_CLASS_NUMBER_MAX,
		.rate_bps = config->rate_bps,
		.peak_bps = config->peak_bps,
		.max_pps = config->max_pps,
		.classes = classes,
		.n = config->n_classes,
	};
}

int
dp_qos_check(const struct dp_qos_config *config, struct error *err)
{
	struct admission_tree tree;
	int ret;

	if (config->kind == DP_QOS_NONE)
		return 0;
	if (!config->rate_bps && config->kind != DP_QOS_TRTCM)
		return error_set(err, -EINVAL, "the rate must not be 0");
	if (config->kind == DP_QOS_POLICER)
		return 0;
	tree = admission_of(config);
	if (config->kind == DP_QOS_TREE)
		ret = admission_check(&tree, err);
	else
		ret = admission_check_numbers(&tree, err);
	if (ret == 0 && config->kind == DP_QOS_TREE)
		ret = check_maps(config, err);
	free((void *)(uintptr_t)tree.classes);
	return ret;
}
