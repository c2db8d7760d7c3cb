/* desired_qos_from_db.c - reads QoS and Queue rows into plain data, with
 * desired_qos_keys.c for their maps, for desired_from_db.c. Remembers what it read: a
 * tree of which few queues have changed is copied and only those are read again. Main
 * thread.
 */
#include "vswitchd/desired_qos_from_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vswitchd/desired_keys.h"

struct keys
desired_keys_from_row(struct desired *desired, const struct db_row *row,
                      const char *column, const char *table, const char *where)
{
	const struct ovsdb_datum *datum = db_row_datum(row, column);
	const char **names, **values;

	names = desired_alloc(&desired->arena, datum->n * sizeof(*names));
	values = desired_alloc(&desired->arena, datum->n * sizeof(*values));
	for (size_t i = 0; i < datum->n; i++) {
		names[i] = datum->keys[i].string;
		values[i] = datum->values[i].string;
	}
	return (struct keys){.where = where,
	                     .table = table,
	                     .names = names,
	                     .values = values,
	                     .n = datum->n};
}

/* What a QoS row is read into, class by class. */
struct reading {
	struct desired *desired;
	const struct db *db;
	struct desired_qos *qos;
	struct dp_class_config *classes;
	size_t n_classes;
	struct desired_macs macs;
};

/* The schema says 0 to 63. */
static void
read_dscp(const struct db_row *row, struct dp_class_config *class)
{
	const struct ovsdb_datum *dscp = db_row_datum(row, "dscp");

	class->has_dscp = dscp->n > 0;
	if (class->has_dscp)
		class->dscp = (uint8_t)dscp->keys[0].integer;
}

static int
read_class(struct reading *reading, int64_t number, const struct uuid *queue_uuid,
           struct error *err)
{
	struct dp_class_config *class = &reading->classes[reading->n_classes++];
	const struct db_row *row = db_row_by_uuid(reading->db, "Queue", queue_uuid);
	struct keys keys;
	int ret;

	class->number = (uint32_t)number;
	class->parent = DP_CLASS_ROOT;
	if (number < 0 || number > DP_CLASS_NUMBER_MAX)
		return error_set(err, -1, "%s: queue number %lld is above %d",
		                 reading->qos->name, (long long)number,
		                 DP_CLASS_NUMBER_MAX);
	if (!row)
		return 0;
	read_dscp(row, class);
	keys = desired_keys_from_row(reading->desired, row, "other_config", "Queue",
	                             "other_config");
	ret = keys_to_class(&keys, reading->qos->config.kind, &reading->desired->arena,
	                    class, &reading->macs, err);
	if (ret)
		error_prefix(err, "%s queue %lld", reading->qos->name, (long long)number);
	return ret;
}

static int
compare_macs(const void *a, const void *b)
{
	const struct dp_class_mac *x = a, *y = b;

	return memcmp(x->mac, y->mac, sizeof(x->mac));
}

/* Sorted, so that equal settings are equal arrays. An address belongs to one class. */
static void
finish_macs(struct reading *reading)
{
	const struct desired_macs *macs = &reading->macs;
	struct desired_qos *qos = reading->qos;

	if (!macs->n)
		return;
	qsort(macs->list, macs->n, sizeof(*macs->list), compare_macs);
	for (size_t i = 1; i < macs->n && !qos->problem; i++) {
		const struct dp_class_mac *a = &macs->list[i - 1], *b = &macs->list[i];

		if (compare_macs(a, b) == 0 && a->number != b->number)
			qos->problem = desired_printf(
				&reading->desired->arena,
				"%s: address %02x:%02x:%02x:%02x:%02x:%02x stands in macs "
				"of queue %u and of queue %u",
				qos->name, a->mac[0], a->mac[1], a->mac[2], a->mac[3],
				a->mac[4], a->mac[5], MIN_OF(a->number, b->number),
				MAX_OF(a->number, b->number));
	}
	qos->config.macs = macs->list;
	qos->config.n_macs = macs->n;
}

/* Without a queue 0 the packets that name none are held to the port's rates alone. */
static void
add_trtcm_default(struct reading *reading)
{
	const struct dp_qos_config *config = &reading->qos->config;

	for (size_t i = 0; i < reading->n_classes; i++)
		if (reading->classes[i].number == 0)
			return;
	reading->classes[reading->n_classes++] = (struct dp_class_config){
		.parent = DP_CLASS_ROOT,
		.floor_bps = config->rate_bps,
		.burst_bits = config->burst_bits,
		.excess_bps = config->excess_bps,
		.excess_burst_bits = config->excess_burst_bits,
	};
}

static void
read_classes(struct desired *desired, const struct db *db,
             const struct ovsdb_datum *queues, struct desired_qos *qos)
{
	struct reading reading = {.desired = desired, .db = db, .qos = qos};
	struct error err;

	reading.classes = desired_alloc(&desired->arena,
	                                (queues->n + 1) * sizeof(*reading.classes));
	for (size_t i = 0; i < queues->n; i++)
		if (read_class(&reading, queues->keys[i].integer, &queues->values[i].uuid,
		               &err) &&
		    !qos->problem)
			qos->problem = desired_strdup(&desired->arena, err.text);
	if (qos->config.kind == DP_QOS_TRTCM)
		add_trtcm_default(&reading);
	finish_macs(&reading);
	qos->config.classes = reading.classes;
	qos->config.n_classes = reading.n_classes;
}

/* An egress-policer has one rate and no classes. */
static void
warn_of_dscp(struct desired *desired, const struct db *db,
             const struct ovsdb_datum *queues, struct desired_qos *qos)
{
	for (size_t i = 0; i < queues->n && !qos->warning; i++) {
		const struct db_row *row =
			db_row_by_uuid(db, "Queue", &queues->values[i].uuid);

		if (row && db_row_datum(row, "dscp")->n)
			qos->warning = desired_printf(
				&desired->arena,
				"%s: dscp of queue %lld has no effect: there are no "
				"classes in type %s",
				qos->name, (long long)queues->keys[i].integer, qos->type);
	}
}

static void
name_qos(struct desired *desired, const struct db_row *row, struct desired_qos *qos)
{
	char text[UUID_TEXT_BYTES];

	uuid_to_text(db_row_uuid(row), text);
	qos->row = *db_row_uuid(row);
	qos->name = desired_printf(&desired->arena, "QoS %s", text);
	qos->type = desired_strdup(&desired->arena, db_row_string(row, "type", ""));
}

static void
read_qos(struct desired *desired, const struct db *db, const struct db_row *row,
         struct desired_qos *qos)
{
	struct error err;
	struct keys keys;

	name_qos(desired, row, qos);
	keys = desired_keys_from_row(
		desired, row, "other_config", "QoS",
		desired_printf(&desired->arena, "%s other_config", qos->name));
	if (keys_to_qos(&keys, qos->type, qos, &err))
		qos->problem = desired_strdup(&desired->arena, err.text);
	if (qos->is_shared)
		qos->config.domain = qos->name + strlen("QoS ");
	if (qos->config.kind == DP_QOS_TREE || qos->config.kind == DP_QOS_TRTCM)
		read_classes(desired, db, db_row_datum(row, "queues"), qos);
	else
		warn_of_dscp(desired, db, db_row_datum(row, "queues"), qos);
}

/* ---- what was read before ---- */

struct cached_qos {
	struct uuid row;
	uint64_t generation;         /* of the database when it was read */
	struct dp_qos_config config; /* with arrays of its own */
	struct dp_class_config *classes;
	struct dp_class_mac *macs;
	bool is_valid;
	bool is_shared;
};

struct qos_cache {
	struct cached_qos *entries; /* sorted by row */
	size_t n;
};

struct qos_cache *
qos_cache_create(void)
{
	return xcalloc(1, sizeof(struct qos_cache));
}

static void
cached_qos_clear(struct cached_qos *cached)
{
	free(cached->classes);
	free(cached->macs);
	cached->classes = NULL;
	cached->macs = NULL;
}

void
qos_cache_destroy(struct qos_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n; i++)
		cached_qos_clear(&cache->entries[i]);
	free(cache->entries);
	free(cache);
}

/* Notes what was just read; what has a problem or a warning is read again each time. */
static void
cached_qos_store(struct cached_qos *cached, const struct desired_qos *qos,
                 uint64_t generation)
{
	cached->row = qos->row;
	cached->is_valid = !qos->problem && !qos->warning;
	if (!cached->is_valid)
		return;
	cached->generation = generation;
	cached->is_shared = qos->is_shared;
	cached->config = qos->config;
	if (qos->config.n_classes)
		cached->classes =
			xmemdup(qos->config.classes,
		                qos->config.n_classes * sizeof(*cached->classes));
	if (qos->config.n_macs)
		cached->macs = xmemdup(qos->config.macs,
		                       qos->config.n_macs * sizeof(*cached->macs));
}

/* True if the addresses of a class, as read again, are the ones it had. */
static bool
same_macs(const struct cached_qos *cached, uint32_t number, struct desired_macs *read)
{
	size_t n = 0;

	for (size_t i = 0; i < cached->config.n_macs; i++)
		n += cached->macs[i].number == number;
	if (n != read->n)
		return false;
	for (size_t i = 0; i < read->n; i++)
		if (!bsearch(&read->list[i], cached->macs, cached->config.n_macs,
		             sizeof(*cached->macs), compare_macs))
			return false;
	return true;
}

/* Reads the queues again that have changed, in a tree whose own row has not. False if it
 * must be read as a whole. */
static bool
cached_qos_update(struct desired *desired, const struct db *db,
                  const struct ovsdb_datum *queues, struct desired_qos *qos,
                  struct cached_qos *cached)
{
	struct reading reading = {
		.desired = desired, .db = db, .qos = qos, .classes = cached->classes};
	const struct db_row *row = db_row_changed_first(db, "Queue", cached->generation);
	struct error err;
	bool fits = true;

	for (; row && fits; row = db_row_changed_next(row, cached->generation)) {
		for (size_t i = 0; i < queues->n && fits; i++) {
			if (!uuid_equal(&queues->values[i].uuid, db_row_uuid(row)))
				continue;
			memset(&reading.macs, 0, sizeof(reading.macs));
			memset(&cached->classes[i], 0, sizeof(cached->classes[i]));
			reading.n_classes = i;
			fits = !read_class(&reading, queues->keys[i].integer,
			                   db_row_uuid(row), &err) &&
			       same_macs(cached, cached->classes[i].number,
			                 &reading.macs);
		}
	}
	return fits;
}

/* More changed queues than this, and reading all is as fast. */
static bool
many_have_changed(const struct db *db, uint64_t generation)
{
	const struct db_row *row = db_row_changed_first(db, "Queue", generation);
	unsigned n = 0;

	for (; row && n <= 64; row = db_row_changed_next(row, generation))
		n++;
	return n > 64;
}

static void
read_cached_qos(struct desired *desired, const struct db *db, const struct db_row *row,
                struct cached_qos *cached, struct desired_qos *qos)
{
	const struct dp_qos_config *config = &cached->config;
	bool is_usable = cached->is_valid &&
	                 db_row_changed_at(row) <= cached->generation &&
	                 !many_have_changed(db, cached->generation);

	if (is_usable) {
		qos->config.kind = config->kind;
		name_qos(desired, row, qos);
		is_usable = cached_qos_update(desired, db, db_row_datum(row, "queues"),
		                              qos, cached);
	}
	if (!is_usable) {
		cached_qos_clear(cached);
		read_qos(desired, db, row, qos);
		cached_qos_store(cached, qos, db_generation(db));
		return;
	}
	cached->generation = db_generation(db);
	qos->is_shared = cached->is_shared;
	qos->config = *config;
	if (qos->is_shared)
		qos->config.domain = qos->name + strlen("QoS ");
	qos->config.classes = desired_copy(&desired->arena, cached->classes,
	                                   config->n_classes * sizeof(*cached->classes));
	qos->config.macs = desired_copy(&desired->arena, cached->macs,
	                                config->n_macs * sizeof(*cached->macs));
}

/* Entries of the old cache for rows that are still there, and new ones, by row. */
static void
renew_cache(struct qos_cache *cache, const struct desired *desired)
{
	struct cached_qos *entries = xcalloc(desired->n_qos + 1, sizeof(*entries));
	size_t old = 0;

	for (size_t i = 0; i < desired->n_qos; i++) {
		const struct uuid *row = &desired->qos[i].row;

		for (; old < cache->n && uuid_compare(&cache->entries[old].row, row) < 0;
		     old++)
			cached_qos_clear(&cache->entries[old]);
		if (old < cache->n && uuid_equal(&cache->entries[old].row, row))
			entries[i] = cache->entries[old++];
	}
	for (; old < cache->n; old++)
		cached_qos_clear(&cache->entries[old]);
	free(cache->entries);
	cache->entries = entries;
	cache->n = desired->n_qos;
}

static int
compare_qos(const void *a, const void *b)
{
	const struct desired_qos *x = a, *y = b;

	return uuid_compare(&x->row, &y->row);
}

void
desired_read_qos(struct desired *desired, const struct db *db, struct qos_cache *cache)
{
	const struct db_row *row;
	size_t n = 0;

	for (row = db_row_first(db, "QoS"); row; row = db_row_next(row))
		n++;
	desired->qos = desired_alloc(&desired->arena, n * sizeof(*desired->qos));
	for (row = db_row_first(db, "QoS"); row; row = db_row_next(row))
		desired->qos[desired->n_qos++].row = *db_row_uuid(row);
	qsort(desired->qos, n, sizeof(*desired->qos), compare_qos);
	if (cache)
		renew_cache(cache, desired);
	for (size_t i = 0; i < n; i++) {
		row = db_row_by_uuid(db, "QoS", &desired->qos[i].row);
		if (cache)
			read_cached_qos(desired, db, row, &cache->entries[i],
			                &desired->qos[i]);
		else
			read_qos(desired, db, row, &desired->qos[i]);
	}
}

struct desired_qos *
desired_find_qos(const struct desired *desired, const struct uuid *row)
{
	const struct desired_qos key = {.row = *row};

	if (!desired->n_qos)
		return NULL;
	return bsearch(&key, desired->qos, desired->n_qos, sizeof(*desired->qos),
	               compare_qos);
}
