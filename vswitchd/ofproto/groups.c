/* groups.c - making, changing and deleting groups; loops between them. Main thread. */
#include "vswitchd/ofproto/groups.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vswitchd/ofproto/action_check.h"

#define GROUP_DEPTH_MAX   32   /* of groups in groups' buckets */
#define GROUP_BUCKETS_MAX 4000 /* their counters fit a message */
#define BUCKET_ID_NONE    UINT32_MAX

/* ---- buckets ---- */

static const struct of_bucket *
find_bucket(const struct group *group, uint32_t id)
{
	for (size_t i = 0; i < group->n_buckets; i++)
		if (group->buckets[i].id == id)
			return &group->buckets[i];
	return NULL;
}

static void
append_bucket(struct group *group, const struct of_bucket *from)
{
	struct of_bucket *bucket = &group->buckets[group->n_buckets++];

	*bucket = *from;
	bucket->actions = (struct flow_actions){0};
	bucket->packets = bucket->bytes = 0;
	flow_actions_append(&bucket->actions, from->actions.data, from->actions.bytes);
}

/* Versions before 1.5 name no buckets: those get the numbers that are free. */
static void
number_buckets(struct group *group)
{
	uint32_t next = 0;

	for (size_t i = 0; i < group->n_buckets; i++) {
		if (group->buckets[i].id != BUCKET_ID_NONE)
			continue;
		next = of_bucket_free_id(group->buckets, group->n_buckets, next);
		group->buckets[i].id = next++;
	}
}

/* ---- checks ---- */

static bool
bucket_has_watch(const struct of_bucket *bucket)
{
	return bucket->watch_port != FLOW_PORT_NONE ||
	       bucket->watch_group != OF_GROUP_ANY;
}

static int
check_bucket(const struct ofproto *ofproto, const struct group *group,
             const struct of_bucket *bucket, struct of_error *error)
{
	const bool has_watch = bucket_has_watch(bucket);

	if (group->type == OF_GROUP_TYPE_FF && !has_watch)
		return of_fail(error, OFERR_GROUP_MOD_INVALID,
		               "a bucket of a failover group watches nothing");
	if ((group->type == OF_GROUP_TYPE_ALL || group->type == OF_GROUP_TYPE_INDIRECT) &&
	    has_watch)
		return of_fail(error, OFERR_GROUP_MOD_WATCH,
		               "buckets of this type of group watch nothing");
	/* What packets come is not known. */
	return action_check(ofproto, &bucket->actions, NULL, OF_TABLE_ALL, true, error);
}

static int
check_group(const struct ofproto *ofproto, const struct group *group,
            struct of_error *error)
{
	if (group->type == OF_GROUP_TYPE_INDIRECT && group->n_buckets != 1)
		return of_fail(error, OFERR_GROUP_MOD_INVALID,
		               "an indirect group has one bucket, not %zu",
		               group->n_buckets);
	if (group->selection_method[0] && group->type != OF_GROUP_TYPE_SELECT)
		return of_fail(error, OFERR_BAD_PROPERTY_VALUE,
		               "only groups of type select have a selection method");
	if (group->selection_method[0] && strcmp(group->selection_method, "hash") &&
	    strcmp(group->selection_method, "dp_hash"))
		return of_fail(error, OFERR_BAD_PROPERTY_VALUE,
		               "there is no selection method \"%s\"",
		               group->selection_method);
	for (size_t i = 0; i < group->n_buckets; i++) {
		const int result =
			check_bucket(ofproto, group, &group->buckets[i], error);

		if (result)
			return result;
		for (size_t j = 0; j < i && group->n_buckets <= GROUP_BUCKETS_MAX; j++)
			if (group->buckets[j].id == group->buckets[i].id)
				return of_fail(error, OFERR_GROUP_MOD_BAD_BUCKET,
				               "two buckets have the number %u",
				               group->buckets[i].id);
	}
	return 0;
}

#define LEADS_TO_TARGET (-1) /* or the way is too long to tell */

static int group_levels(struct ofproto *ofproto, struct group *group, uint32_t target,
                        int depth);

/* The most levels of groups below any of the actions, or LEADS_TO_TARGET. */
static int
records_levels(struct ofproto *ofproto, const void *records, size_t bytes,
               uint32_t target, int depth)
{
	const void *inner;
	int n_levels = 0;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		int below = 0;

		if (action->type == ACTION_GROUP) {
			const uint32_t number =
				(uint32_t)((const struct flow_number *)action)->value;
			struct group *next = switch_find_group(ofproto, number);

			if (number == target)
				return LEADS_TO_TARGET;
			if (next)
				below = group_levels(ofproto, next, target, depth + 1);
		} else if (action_nested(action, &inner, &n)) {
			below = records_levels(ofproto, inner, n, target, depth);
		}
		if (below == LEADS_TO_TARGET)
			return below;
		n_levels = MAX_OF(n_levels, below);
	}
	return n_levels;
}

/* How many levels of groups there are from 'group' down, itself among them; or
 * LEADS_TO_TARGET. Goes through each group once however many ways lead there: those are
 * exponentially many. */
static int
group_levels(struct ofproto *ofproto, struct group *group, uint32_t target, int depth)
{
	int n_levels = 0;

	if (group->loop_check == ofproto->n_loop_checks)
		return depth + group->n_levels > GROUP_DEPTH_MAX + 1 ? LEADS_TO_TARGET
		                                                     : group->n_levels;
	if (depth > GROUP_DEPTH_MAX)
		return LEADS_TO_TARGET;
	for (size_t i = 0; i < group->n_buckets; i++) {
		const struct flow_actions *actions = &group->buckets[i].actions;
		const int below = records_levels(ofproto, actions->data, actions->bytes,
		                                 target, depth);

		if (below == LEADS_TO_TARGET)
			return below;
		n_levels = MAX_OF(n_levels, below);
	}
	group->loop_check = ofproto->n_loop_checks;
	group->n_levels = n_levels + 1;
	return group->n_levels;
}

static bool
group_is_loop(struct ofproto *ofproto, struct group *group)
{
	ofproto->n_loop_checks++;
	return group_levels(ofproto, group, group->number, 0) == LEADS_TO_TARGET;
}

/* ---- commands ---- */

static struct group *
group_create(const struct ofproto *ofproto, const struct of_group_mod *mod,
             size_t n_buckets)
{
	struct group *group = xcalloc(1, sizeof(*group));

	(void)ofproto;
	group->number = mod->group;
	group->type = mod->type;
	memcpy(group->selection_method, mod->selection_method,
	       sizeof(group->selection_method));
	group->selection_param = mod->selection_param;
	if (mod->n_hash_fields)
		group->hash_fields = xmemdup(
			mod->hash_fields, mod->n_hash_fields * sizeof(*mod->hash_fields));
	group->n_hash_fields = mod->n_hash_fields;
	group->buckets = xcalloc(MAX_OF(n_buckets, 1), sizeof(*group->buckets));
	group->created_ns = dp_time_ns();
	return group;
}

/* A new group in the place of 'old', which may be NULL; takes 'group' over. */
static int
put_group(struct changes *changes, struct group *old, struct group *group,
          struct of_error *error)
{
	int result;

	number_buckets(group);
	result = group->n_buckets > GROUP_BUCKETS_MAX
	                 ? of_fail(error, OFERR_GROUP_MOD_OUT_OF_BUCKETS,
	                           "a group has at most %d buckets", GROUP_BUCKETS_MAX)
	                 : 0;
	/* Before the check, which would find that a new group does not exist. */
	if (!result && group_is_loop(changes->ofproto, group))
		result = of_fail(error, OFERR_GROUP_MOD_LOOP,
		                 "group %u would lead to itself", group->number);
	if (!result)
		result = check_group(changes->ofproto, group, error);
	if (result) {
		group_free(group);
		return result;
	}
	if (old)
		group->created_ns = old->created_ns;
	return changes_set_group(changes, old, group, error);
}

static int
put_mod(struct changes *changes, struct group *old, const struct of_group_mod *mod,
        struct of_error *error)
{
	struct group *group;

	for (size_t i = 0; i < mod->n_buckets; i++)
		if (mod->buckets[i].weight && mod->type != OF_GROUP_TYPE_SELECT)
			return of_fail(error, OFERR_GROUP_MOD_INVALID,
			               "only buckets of select groups have weights");
	group = group_create(changes->ofproto, mod, mod->n_buckets);
	for (size_t i = 0; i < mod->n_buckets; i++)
		append_bucket(group, &mod->buckets[i]);
	return put_group(changes, old, group, error);
}

static int
add_group(struct changes *changes, const struct of_group_mod *mod, struct of_error *error)
{
	if (switch_find_group(changes->ofproto, mod->group))
		return of_fail(error, OFERR_GROUP_MOD_EXISTS, "there is a group %u",
		               mod->group);
	if (changes->ofproto->groups.count >= SWITCH_GROUPS_MAX)
		return of_fail(error, OFERR_GROUP_MOD_OUT_OF_GROUPS,
		               "a switch has at most %u groups", SWITCH_GROUPS_MAX);
	return put_mod(changes, NULL, mod, error);
}

static int
fail_unknown(const struct of_group_mod *mod, struct of_error *error)
{
	return of_fail(error, OFERR_GROUP_MOD_UNKNOWN, "there is no group %u",
	               mod->group);
}

static int
delete_group(struct changes *changes, struct group *group, struct of_error *error)
{
	/* Other groups may go on leading to it: there is nothing to go to then. */
	changes_del_users(changes, group->users, REMOVED_GROUP_DELETE);
	return changes_set_group(changes, group, NULL, error);
}

static int
delete_all_groups(struct changes *changes, struct of_error *error)
{
	struct ofproto *ofproto = changes->ofproto;
	struct group *group;

	HMAP_FOR_EACH (group, node, &ofproto->groups)
		if (delete_group(changes, group, error))
			return -1;
	return 0;
}

/* As the old one, without buckets. */
static struct group *
group_copy_head(const struct group *old, size_t n_buckets)
{
	struct group *group = xmemdup(old, sizeof(*old));

	group->hash_fields =
		old->n_hash_fields
			? xmemdup(old->hash_fields,
	                          old->n_hash_fields * sizeof(*old->hash_fields))
			: NULL;
	group->users = NULL;
	group->buckets = xcalloc(MAX_OF(n_buckets, 1), sizeof(*group->buckets));
	group->n_buckets = 0;
	return group;
}

static int
insert_buckets(struct changes *changes, struct group *old, const struct of_group_mod *mod,
               struct of_error *error)
{
	const uint32_t after = mod->bucket_id;
	struct group *group;

	if (after == OF_BUCKET_ALL)
		return of_fail(error, OFERR_GROUP_MOD_BAD_BUCKET, "no place for buckets");
	if (after < OF_BUCKET_FIRST && !find_bucket(old, after))
		return of_fail(error, OFERR_GROUP_MOD_UNKNOWN_BUCKET,
		               "group %u has no bucket %u", old->number, after);
	for (size_t i = 0; i < mod->n_buckets; i++)
		if (mod->buckets[i].id != BUCKET_ID_NONE &&
		    find_bucket(old, mod->buckets[i].id))
			return of_fail(error, OFERR_GROUP_MOD_BUCKET_EXISTS,
			               "group %u has a bucket %u", old->number,
			               mod->buckets[i].id);
	group = group_copy_head(old, old->n_buckets + mod->n_buckets);
	for (size_t i = 0; i <= old->n_buckets; i++) {
		const bool is_here =
			(after == OF_BUCKET_FIRST && i == 0) ||
			(after == OF_BUCKET_LAST && i == old->n_buckets) ||
			(after < OF_BUCKET_FIRST && i && old->buckets[i - 1].id == after);

		for (size_t j = 0; is_here && j < mod->n_buckets; j++)
			append_bucket(group, &mod->buckets[j]);
		if (i < old->n_buckets)
			append_bucket(group, &old->buckets[i]);
	}
	return put_group(changes, old, group, error);
}

static int
remove_bucket(struct changes *changes, struct group *old, const struct of_group_mod *mod,
              struct of_error *error)
{
	const uint32_t id = mod->bucket_id;
	struct group *group;

	if (id < OF_BUCKET_FIRST && !find_bucket(old, id))
		return of_fail(error, OFERR_GROUP_MOD_UNKNOWN_BUCKET,
		               "group %u has no bucket %u", old->number, id);
	group = group_copy_head(old, old->n_buckets);
	for (size_t i = 0; i < old->n_buckets; i++) {
		const bool is_gone = id == OF_BUCKET_ALL ||
		                     (id == OF_BUCKET_FIRST && i == 0) ||
		                     (id == OF_BUCKET_LAST && i == old->n_buckets - 1) ||
		                     (id < OF_BUCKET_FIRST && old->buckets[i].id == id);

		if (!is_gone)
			append_bucket(group, &old->buckets[i]);
	}
	return put_group(changes, old, group, error);
}

int
groups_mod(struct changes *changes, const struct of_group_mod *mod,
           enum of_version version, struct of_error *error)
{
	struct group *old = switch_find_group(changes->ofproto, mod->group);

	(void)version;
	if (mod->command == OF_GROUP_DELETE) {
		if (mod->group == OF_GROUP_ALL)
			return delete_all_groups(changes, error);
		return old ? delete_group(changes, old, error) : 0;
	}
	if (mod->group > OF_GROUP_MAX)
		return of_fail(error, OFERR_GROUP_MOD_INVALID,
		               "0x%x is no number of a group", mod->group);
	switch (mod->command) {
	case OF_GROUP_ADD:
		return add_group(changes, mod, error);
	case OF_GROUP_MODIFY:
		return old ? put_mod(changes, old, mod, error) : fail_unknown(mod, error);
	case OF_GROUP_ADD_OR_MODIFY:
		return old ? put_mod(changes, old, mod, error)
		           : add_group(changes, mod, error);
	case OF_GROUP_INSERT_BUCKET:
		return old ? insert_buckets(changes, old, mod, error)
		           : fail_unknown(mod, error);
	case OF_GROUP_REMOVE_BUCKET:
		return old ? remove_bucket(changes, old, mod, error)
		           : fail_unknown(mod, error);
	case OF_GROUP_DELETE:
		break;
	}
	return of_fail(error, OFERR_GROUP_MOD_COMMAND, "no such command");
}

void
ofproto_groups_destroy(struct ofproto *ofproto)
{
	struct group *group;

	HMAP_FOR_EACH (group, node, &ofproto->groups) {
		hmap_remove(&ofproto->groups, &group->node);
		dp_group_del(ofproto->bridge_id, group->number);
		group_free(group);
	}
	hmap_destroy(&ofproto->groups);
}
