/* walk_group.c - groups, and other choices by hash or by what is alive. Part of walk.c.
 * Workers. */
#include "datapath/bridge.h"
#include "datapath/group.h"
#include "datapath/port/port.h"
#include "datapath/ruleset.h"
#include "datapath/walk_private.h"
#include "net/flow_hash.h"

#include "datapath/hot.h"

#define WATCH_DEPTH_MAX      4 /* groups that watch groups */
#define BUNDLE_ACTIVE_BACKUP 0

static const struct group *
walk_find_group(struct walk *walk, uint32_t number)
{
	walk->trail.groups |= 1ULL << number % 64;
	return group_find(walk->bridge, walk->pipeline->version, number);
}

bool
walk_port_is_live(const struct walk *walk, uint32_t number)
{
	struct port *port = bridge_find_port(walk->bridge, number);

	return port && atomic_load_explicit(&port->link_up, memory_order_relaxed) &&
	       !atomic_load_explicit(&port->settings, memory_order_acquire)
	                ->config.admin_down;
}

/* ---- groups ---- */

static bool bucket_is_live(struct walk *walk, const struct group *group,
                           const struct group_bucket *bucket, int depth);

static bool
group_is_live(struct walk *walk, uint32_t number, int depth)
{
	const struct group *group =
		depth < WATCH_DEPTH_MAX ? walk_find_group(walk, number) : NULL;

	for (uint32_t i = 0; group && i < group->n_buckets; i++)
		if (bucket_is_live(walk, group, &group->buckets[i], depth + 1))
			return true;
	return false;
}

static bool
bucket_is_live(struct walk *walk, const struct group *group,
               const struct group_bucket *bucket, int depth)
{
	if (walk->n_watched++ >= WALK_WATCHED_MAX)
		return false;
	if (bucket->watch_port == FLOW_PORT_NONE && bucket->watch_group == FLOW_PORT_NONE)
		return group->type != DP_GROUP_FAILOVER;
	return (bucket->watch_port != FLOW_PORT_NONE &&
	        walk_port_is_live(walk, bucket->watch_port)) ||
	       (bucket->watch_group != FLOW_PORT_NONE &&
	        group_is_live(walk, bucket->watch_group, depth));
}

static const struct group_bucket *
group_first_live(struct walk *walk, const struct group *group)
{
	for (uint32_t i = 0; i < group->n_buckets; i++)
		if (bucket_is_live(walk, group, &group->buckets[i], 0))
			return &group->buckets[i];
	return NULL;
}

/* The bucket that is alive and to which the flow gives the highest weight: when one goes,
 * only its flows move. */
static const struct group_bucket *
group_select(struct walk *walk, const struct group *group)
{
	uint32_t hash = flow_hash_fields(&walk->packet.key, &group->hash_fields,
	                                 group->hash_param);
	const struct group_bucket *best = NULL;
	double best_score = 0;

	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct group_bucket *bucket = &group->buckets[i];
		double score = flow_hash_score(hash, i, bucket->weight);

		if (score > best_score && bucket_is_live(walk, group, bucket, 0)) {
			best = bucket;
			best_score = score;
		}
	}
	return best;
}

static void
walk_bucket(struct walk *walk, const struct group *group,
            const struct group_bucket *bucket)
{
	if (unlikely(walk->trace != NULL))
		trace_bucket(walk, (uint32_t)(bucket - group->buckets));
	walk_tally(walk, bucket->tally);
	walk_on_copy(walk, bucket->actions, bucket->actions_bytes, false);
}

void
walk_group(struct walk *walk, uint32_t number)
{
	const struct group *group = walk_find_group(walk, number);
	const struct group_bucket *bucket = NULL;
	uint8_t reason = walk->reason;

	if (!group) {
		WALK_WARN(walk, "there is no group %u", number);
		return;
	}
	if (group->type == DP_GROUP_SELECT && !walk_can_read(walk))
		return;
	walk_tally(walk, group->tally);
	walk->reason = DP_PUNT_GROUP;
	switch (group->type) {
	case DP_GROUP_ALL:
		for (uint32_t i = 0; i < group->n_buckets && !walk->has_failed; i++)
			walk_bucket(walk, group, &group->buckets[i]);
		break;
	case DP_GROUP_INDIRECT:
		bucket = group->n_buckets ? &group->buckets[0] : NULL;
		break;
	case DP_GROUP_SELECT:
		bucket = group_select(walk, group);
		break;
	case DP_GROUP_FAILOVER:
		bucket = group_first_live(walk, group);
		break;
	}
	if (bucket && group->type != DP_GROUP_INDIRECT)
		WALK_REMARK(walk, "using bucket %u", (unsigned)(bucket - group->buckets));
	if (bucket)
		walk_bucket(walk, group, bucket);
	else if (group->type != DP_GROUP_ALL)
		WALK_WARN(walk, "no live bucket");
	walk->reason = reason;
}

/* ---- bundle and multipath ---- */

/* The port for a bundle: the first that is alive, or of these the one to which the flow
 * gives the highest weight. */
static uint32_t
walk_bundle_port(const struct walk *walk, const struct flow_bundle *bundle)
{
	uint32_t best = FLOW_PORT_NONE, best_weight = 0, hash;

	hash = flow_hash(&walk->packet.key, bundle->fields, bundle->basis);
	for (uint32_t i = 0; i < bundle->n; i++) {
		uint32_t weight = flow_hash_weight(hash, i);

		if (!walk_port_is_live(walk, bundle->ports[i]))
			continue;
		if (bundle->algorithm == BUNDLE_ACTIVE_BACKUP)
			return bundle->ports[i];
		if (best == FLOW_PORT_NONE || weight > best_weight) {
			best = bundle->ports[i];
			best_weight = weight;
		}
	}
	return best;
}

void
walk_bundle(struct walk *walk, const struct flow_bundle *bundle)
{
	uint32_t port;

	if (!walk_can_read(walk))
		return;
	port = walk_bundle_port(walk, bundle);
	if (port == FLOW_PORT_NONE)
		WALK_WARN(walk, "none of its ports is alive");
	else
		WALK_REMARK(walk, "using port %u", port);
	if (bundle->to.field == FIELD_NONE)
		walk_output(walk, port, 0, false);
	else
		walk_set_subfield(walk, &bundle->to, port);
}

void
walk_multipath(struct walk *walk, const struct flow_multipath *multipath)
{
	if (!walk_can_read(walk))
		return;
	walk_set_subfield(walk, &multipath->to,
	                  flow_hash_link(&walk->packet.key, multipath->fields,
	                                 multipath->basis, multipath->algorithm,
	                                 multipath->max_link, multipath->argument));
}
