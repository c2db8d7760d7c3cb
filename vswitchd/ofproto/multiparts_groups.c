/* multiparts_groups.c - descriptions and statistics of groups and meters. Part of
 * multiparts.c. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/multiparts_private.h"

#define GROUP_TYPES 4

/* ---- groups ---- */

static int
compare_groups(const void *a, const void *b)
{
	const struct group *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : 1;
}

static struct group **
choose_groups(const struct session *session, uint32_t number, size_t *n)
{
	const struct hmap *all = &session->ofproto->groups;
	struct group **list = xcalloc(MAX_OF(all->count, 1), sizeof(struct group *));
	struct group *group;

	*n = 0;
	HMAP_FOR_EACH (group, node, all)
		if (number == OF_GROUP_ALL || number == OF_GROUP_ANY ||
		    number == group->number)
			list[(*n)++] = group;
	qsort(list, *n, sizeof(struct group *), compare_groups);
	return list;
}

static void
fill_group_stats(const struct session *session, const struct group *group,
                 struct of_group_stats *stats)
{
	struct dp_counts total = {0};
	struct dp_counts *counts = xcalloc(MAX_OF(group->n_buckets, 1), sizeof(*counts));

	dp_group_get_stats(session->ofproto->bridge_id, group->number, &total, counts,
	                   group->n_buckets);
	*stats = (struct of_group_stats){
		.group = group->number,
		.references = group->n_references,
		.packets = total.packets,
		.bytes = total.bytes,
		.duration_ns = dp_time_ns() - group->created_ns,
		.buckets = xcalloc(MAX_OF(group->n_buckets, 1), sizeof(*stats->buckets)),
		.n_buckets = group->n_buckets,
	};
	for (size_t i = 0; i < group->n_buckets; i++) {
		stats->buckets[i].packets = counts[i].packets;
		stats->buckets[i].bytes = counts[i].bytes;
	}
	free(counts);
}

int
multipart_group_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	size_t n;
	struct group **list = choose_groups(session, request->number, &n);
	struct of_group_stats *stats = xcalloc(MAX_OF(n, 1), sizeof(*stats));
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < n; i++)
		fill_group_stats(session, list[i], &stats[i]);
	multipart_init_reply(session, request, OFM_GROUP_STATS_REPLY, &reply);
	reply.group_stats = stats;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	for (size_t i = 0; i < n; i++)
		free(stats[i].buckets);
	free(stats);
	free(list);
	return 0;
}

int
multipart_group_descs(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	/* 1.5's and Nicira's name a group; others ask for all. */
	size_t n;
	struct group **list = choose_groups(session, request->number, &n);
	struct of_group_mod *groups = xcalloc(MAX_OF(n, 1), sizeof(*groups));
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < n; i++) {
		const struct group *group = list[i];

		groups[i] = (struct of_group_mod){
			.type = group->type,
			.group = group->number,
			.selection_param = group->selection_param,
			.hash_fields = group->hash_fields,
			.n_hash_fields = group->n_hash_fields,
			.buckets = group->buckets,
			.n_buckets = group->n_buckets,
		};
		memcpy(groups[i].selection_method, group->selection_method,
		       sizeof(groups[i].selection_method));
	}
	multipart_init_reply(session, request, OFM_GROUP_DESC_REPLY, &reply);
	reply.groups = groups;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(groups);
	free(list);
	return 0;
}

int
multipart_group_features(struct session *session, const struct of_msg *request,
                         struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	multipart_init_reply(session, request, OFM_GROUP_FEATURES_REPLY, &reply);
	reply.group_features.types = 0xf;
	reply.group_features.capabilities = 0x7; /* weights, liveness, chaining */
	for (unsigned i = 0; i < GROUP_TYPES; i++) {
		reply.group_features.max_groups[i] = SWITCH_GROUPS_MAX;
		for (unsigned type = 0; type < ACTION_METER; type++)
			reply.group_features.actions[i][type / 64] |= UINT64_C(1)
			                                              << type % 64;
	}
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

/* ---- meters ---- */

static int
compare_meters(const void *a, const void *b)
{
	const struct meter *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : 1;
}

/* The caller frees '*list'. */
static int
choose_meters(const struct session *session, uint32_t number, struct meter ***list,
              size_t *n, struct of_error *error)
{
	const struct hmap *all = &session->ofproto->meters;
	struct meter *meter;

	*n = 0;
	if (number != OF_METER_ALL && !switch_find_meter(session->ofproto, number))
		return of_fail(error, OFERR_METER_UNKNOWN_METER, "there is no meter %u",
		               number);
	*list = xcalloc(MAX_OF(all->count, 1), sizeof(struct meter *));
	HMAP_FOR_EACH (meter, node, all)
		if (number == OF_METER_ALL || number == meter->number)
			(*list)[(*n)++] = meter;
	qsort(*list, *n, sizeof(struct meter *), compare_meters);
	return 0;
}

int
multipart_meter_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	const struct ofproto *ofproto = session->ofproto;
	struct of_meter_stats *stats;
	struct meter **list;
	struct of_band *bands;
	struct of_msg reply;
	size_t n;

	if (choose_meters(session, request->number, &list, &n, error))
		return -1;
	stats = xcalloc(MAX_OF(n, 1), sizeof(*stats));
	bands = xcalloc(MAX_OF(n, 1) * DP_METER_BANDS_MAX, sizeof(*bands));
	for (size_t i = 0; i < n; i++) {
		struct dp_counts counts[DP_METER_BANDS_MAX] = {{0}}, total = {0};

		dp_meter_get_stats(ofproto->bridge_id, list[i]->number, &total, counts);
		stats[i] = (struct of_meter_stats){
			.meter = list[i]->number,
			.flows = list[i]->n_references,
			.packets = total.packets,
			.bytes = total.bytes,
			.duration_ns = dp_time_ns() - list[i]->created_ns,
			.bands = &bands[i * DP_METER_BANDS_MAX],
			.n_bands = list[i]->n_bands,
		};
		for (size_t j = 0; j < list[i]->n_bands; j++) {
			stats[i].bands[j].packets = counts[j].packets;
			stats[i].bands[j].bytes = counts[j].bytes;
		}
	}
	multipart_init_reply(session, request, OFM_METER_STATS_REPLY, &reply);
	reply.meter_stats = stats;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(bands);
	free(stats);
	free(list);
	return 0;
}

int
multipart_meter_configs(struct session *session, const struct of_msg *request,
                        struct of_error *error)
{
	struct of_meter_mod *meters;
	struct meter **list;
	struct of_msg reply;
	size_t n;

	if (choose_meters(session, request->number, &list, &n, error))
		return -1;
	meters = xcalloc(MAX_OF(n, 1), sizeof(*meters));
	for (size_t i = 0; i < n; i++)
		meters[i] = (struct of_meter_mod){
			.meter = list[i]->number,
			.flags = list[i]->flags,
			.bands = list[i]->bands,
			.n_bands = list[i]->n_bands,
		};
	multipart_init_reply(session, request, OFM_METER_CONFIG_REPLY, &reply);
	reply.meters = meters;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(meters);
	free(list);
	return 0;
}

int
multipart_meter_features(struct session *session, const struct of_msg *request,
                         struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	multipart_init_reply(session, request, OFM_METER_FEATURES_REPLY, &reply);
	reply.meter_features = (struct of_meter_features){
		.max_meter = SWITCH_METERS_MAX,
		.band_types = 1U << 1 | 1U << 2, /* drop, remark */
		.capabilities =
			OF_METER_KBPS | OF_METER_PKTPS | OF_METER_BURST | OF_METER_STATS,
		.max_bands = DP_METER_BANDS_MAX,
	};
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}
