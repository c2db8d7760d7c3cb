/* multiparts_groups.c - descriptions and statistics of groups and meters. Part of
 * multiparts.c. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/multiparts_private.h"
#include "vswitchd/ofproto/references.h"

#define GROUP_TYPES 4

/* ---- groups ---- */

static void
dump_groups(struct session *session, const struct of_msg *request, dump_part_fn *part)
{
	const uint32_t number = request->number;
	struct dump *dump = dump_create(request, part);
	const struct group *group;

	HMAP_FOR_EACH (group, node, &session->ofproto->groups)
		if (number == OF_GROUP_ALL || number == OF_GROUP_ANY ||
		    number == group->number)
			dump_add_number(dump, group->number);
	dump_sort_numbers(dump);
	dump_begin(session, dump);
}

/* The next that is still there; NULL. */
static const struct group *
next_group(const struct session *session, struct dump *dump)
{
	const struct group *group = NULL;
	uint32_t number;

	while (!group && dump_next_number(dump, &number))
		group = switch_find_group(session->ofproto, number);
	return group;
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
		.references = group->users->n,
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

static bool
group_stats_part(struct session *session, struct dump *dump)
{
	struct of_group_stats *stats = xcalloc(DUMP_PART_ITEMS, sizeof(*stats));
	const struct group *group;
	struct of_msg reply;
	size_t bytes = 0;
	bool has_more;

	multipart_init_reply(session, &dump->request, OFM_GROUP_STATS_REPLY, &reply);
	reply.group_stats = stats;
	while (reply.n < DUMP_PART_ITEMS && bytes < DUMP_PART_BYTES &&
	       (group = next_group(session, dump))) {
		bytes += group->n_buckets * sizeof(*group->buckets);
		fill_group_stats(session, group, &stats[reply.n++]);
	}
	has_more = dump_send_numbers(session, dump, &reply);
	for (size_t i = 0; i < DUMP_PART_ITEMS; i++)
		free(stats[i].buckets);
	free(stats);
	return has_more;
}

int
multipart_group_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	(void)error;
	dump_groups(session, request, group_stats_part);
	return 0;
}

static size_t
group_bytes(const struct group *group)
{
	size_t n = group->n_buckets * sizeof(*group->buckets);

	for (size_t i = 0; i < group->n_buckets; i++)
		n += group->buckets[i].actions.bytes;
	return n;
}

static bool
group_descs_part(struct session *session, struct dump *dump)
{
	struct of_group_mod *groups = xcalloc(DUMP_PART_ITEMS, sizeof(*groups));
	const struct group *group;
	struct of_msg reply;
	size_t bytes = 0;
	bool has_more;

	multipart_init_reply(session, &dump->request, OFM_GROUP_DESC_REPLY, &reply);
	reply.groups = groups;
	while (reply.n < DUMP_PART_ITEMS && bytes < DUMP_PART_BYTES &&
	       (group = next_group(session, dump))) {
		struct of_group_mod *shown = &groups[reply.n++];

		*shown = (struct of_group_mod){
			.type = group->type,
			.group = group->number,
			.selection_param = group->selection_param,
			.hash_fields = group->hash_fields,
			.n_hash_fields = group->n_hash_fields,
			.buckets = group->buckets,
			.n_buckets = group->n_buckets,
		};
		memcpy(shown->selection_method, group->selection_method,
		       sizeof(shown->selection_method));
		bytes += group_bytes(group);
	}
	has_more = dump_send_numbers(session, dump, &reply);
	free(groups);
	return has_more;
}

int
multipart_group_descs(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	(void)error;
	/* 1.5's and Nicira's name a group; others ask for all. */
	dump_groups(session, request, group_descs_part);
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
dump_meters(struct session *session, const struct of_msg *request, dump_part_fn *part,
            struct of_error *error)
{
	const uint32_t number = request->number;
	const struct meter *meter;
	struct dump *dump;

	if (number != OF_METER_ALL && !switch_find_meter(session->ofproto, number))
		return of_fail(error, OFERR_METER_UNKNOWN_METER, "there is no meter %u",
		               number);
	dump = dump_create(request, part);
	HMAP_FOR_EACH (meter, node, &session->ofproto->meters)
		if (number == OF_METER_ALL || number == meter->number)
			dump_add_number(dump, meter->number);
	dump_sort_numbers(dump);
	dump_begin(session, dump);
	return 0;
}

/* The next that is still there; NULL. */
static struct meter *
next_meter(const struct session *session, struct dump *dump)
{
	struct meter *meter = NULL;
	uint32_t number;

	while (!meter && dump_next_number(dump, &number))
		meter = switch_find_meter(session->ofproto, number);
	return meter;
}

static void
fill_meter_stats(const struct session *session, const struct meter *meter,
                 struct of_meter_stats *stats, struct of_band *bands)
{
	struct dp_counts counts[DP_METER_BANDS_MAX] = {{0}}, total = {0};

	dp_meter_get_stats(session->ofproto->bridge_id, meter->number, &total, counts);
	*stats = (struct of_meter_stats){
		.meter = meter->number,
		.flows = meter->users->n,
		.packets = total.packets,
		.bytes = total.bytes,
		.duration_ns = dp_time_ns() - meter->created_ns,
		.bands = bands,
		.n_bands = meter->n_bands,
	};
	for (size_t i = 0; i < meter->n_bands; i++) {
		bands[i].packets = counts[i].packets;
		bands[i].bytes = counts[i].bytes;
	}
}

static bool
meter_stats_part(struct session *session, struct dump *dump)
{
	struct of_meter_stats *stats = xcalloc(DUMP_PART_ITEMS, sizeof(*stats));
	struct of_band(*bands)[DP_METER_BANDS_MAX] =
		xcalloc(DUMP_PART_ITEMS, sizeof(*bands));
	const struct meter *meter;
	struct of_msg reply;
	bool has_more;

	multipart_init_reply(session, &dump->request, OFM_METER_STATS_REPLY, &reply);
	reply.meter_stats = stats;
	for (; reply.n < DUMP_PART_ITEMS && (meter = next_meter(session, dump));
	     reply.n++)
		fill_meter_stats(session, meter, &stats[reply.n], bands[reply.n]);
	has_more = dump_send_numbers(session, dump, &reply);
	free(bands);
	free(stats);
	return has_more;
}

int
multipart_meter_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	return dump_meters(session, request, meter_stats_part, error);
}

static bool
meter_configs_part(struct session *session, struct dump *dump)
{
	struct of_meter_mod *meters = xcalloc(DUMP_PART_ITEMS, sizeof(*meters));
	struct meter *meter;
	struct of_msg reply;
	bool has_more;

	multipart_init_reply(session, &dump->request, OFM_METER_CONFIG_REPLY, &reply);
	reply.meters = meters;
	while (reply.n < DUMP_PART_ITEMS && (meter = next_meter(session, dump)))
		meters[reply.n++] = (struct of_meter_mod){
			.meter = meter->number,
			.flags = meter->flags,
			.bands = meter->bands,
			.n_bands = meter->n_bands,
		};
	has_more = dump_send_numbers(session, dump, &reply);
	free(meters);
	return has_more;
}

int
multipart_meter_configs(struct session *session, const struct of_msg *request,
                        struct of_error *error)
{
	return dump_meters(session, request, meter_configs_part, error);
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
