/* monitors.c - flow monitors: which rules a controller watches, and its updates. Main
 * thread. */
#include "vswitchd/ofproto/monitors.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vswitchd/ofproto/dumps.h"

#define MONITORS_MAX 1024 /* of a connection */
#define MONITOR_EVENTS                                                    \
	(OF_MONITOR_INITIAL | OF_MONITOR_ON_ADD | OF_MONITOR_ON_REMOVED | \
	 OF_MONITOR_ON_MODIFY)

struct monitor {
	struct list node; /* session.monitors */
	uint32_t id;
	uint16_t flags; /* OF_MONITOR_* */
	bool is_nicira;
	uint8_t table;
	uint32_t out_port, out_group;
	struct flow_match match;
};

void
rule_describe(const struct rule *rule, uint64_t now_ns, struct of_flow_stats *flow)
{
	struct rule_stats stats;
	uint64_t used_ns;

	rule_get_stats(rule, &stats);
	used_ns = MAX_OF(stats.used_ns, rule->created_ns);
	*flow = (struct of_flow_stats){
		.match = rule->match,
		.cookie = rule->cookie,
		.packets = stats.packets,
		.bytes = stats.bytes,
		.duration_ns = now_ns - rule->created_ns,
		.idle_ns = now_ns > used_ns ? now_ns - used_ns : 0,
		.priority = rule->priority,
		.idle_s = rule->idle_s,
		.hard_s = rule->hard_s,
		.importance = rule->importance,
		.flags = rule->flags,
		.table = rule->table,
		.actions = rule->actions,
	};
	flow->idle_age_s = (int32_t)MIN_OF(flow->idle_ns / NSEC_PER_SEC, UINT16_MAX - 1);
	flow->hard_age_s = (int32_t)MIN_OF((now_ns - rule->modified_ns) / NSEC_PER_SEC,
	                                   UINT16_MAX - 1);
}

static struct monitor *
find_monitor(struct session *session, uint32_t id)
{
	struct monitor *monitor;

	LIST_FOR_EACH (monitor, node, &session->monitors)
		if (monitor->id == id)
			return monitor;
	return NULL;
}

static struct rule_filter
monitor_filter(const struct monitor *monitor)
{
	return (struct rule_filter){
		.match = &monitor->match,
		.table = monitor->table,
		.out_port = monitor->out_port,
		.out_group = monitor->out_group,
	};
}

/* 'before' are the actions that a rule had until now, NULL if the same: who watches the
 * rules that output to a port is told that one does so no longer. */
static bool
monitor_watches(const struct monitor *monitor, const struct rule *rule,
                const struct flow_actions *before)
{
	const struct rule_filter filter = monitor_filter(monitor);
	struct rule old;

	if (rule_fits(rule, &filter))
		return true;
	if (!before)
		return false;
	old = *rule;
	old.actions = *before;
	return rule_fits(&old, &filter);
}

/* ---- updates ---- */

static void
send_updates(struct session *session, uint32_t xid, bool is_nicira, bool more,
             struct of_monitor_update *updates, size_t n)
{
	struct of_msg msg;

	session_init_message(session, OFM_FLOW_MONITOR_REPLY, xid, &msg);
	msg.is_nicira = is_nicira;
	msg.more = more;
	msg.monitor_updates = updates;
	msg.n = n;
	session_send(session, &msg);
	of_msg_destroy(&msg);
}

static uint16_t
event_flag(enum of_monitor_event event)
{
	switch (event) {
	case OF_EVENT_ADDED:
		return OF_MONITOR_ON_ADD;
	case OF_EVENT_REMOVED:
		return OF_MONITOR_ON_REMOVED;
	case OF_EVENT_MODIFIED:
		return OF_MONITOR_ON_MODIFY;
	case OF_EVENT_INITIAL:
	case OF_EVENT_ABBREV:
	case OF_EVENT_PAUSED:
	case OF_EVENT_RESUMED:
		break;
	}
	return 0;
}

/* Updates are sent together, those of one change in one message. */
static void
flush_updates(struct session *session)
{
	if (session->n_updates)
		send_updates(session, 0, session->updates_are_nicira, false,
		             session->updates, session->n_updates);
	session->n_updates = 0;
}

static void
add_update(struct session *session, bool is_nicira,
           const struct of_monitor_update *update)
{
	if (session->n_updates == DUMP_PART_ITEMS ||
	    session->updates_are_nicira != is_nicira)
		flush_updates(session);
	if (!session->updates)
		session->updates = xcalloc(DUMP_PART_ITEMS, sizeof(*update));
	session->updates_are_nicira = is_nicira;
	session->updates[session->n_updates++] = *update;
}

static void
report_to(struct session *session, enum of_monitor_event event, const struct rule *rule,
          const struct flow_actions *before, uint8_t reason, bool is_own, uint32_t xid)
{
	struct of_monitor_update update = {.event = (uint16_t)event, .xid = xid};
	const struct monitor *found = NULL, *monitor;
	uint16_t flags = 0;

	LIST_FOR_EACH (monitor, node, &session->monitors) {
		if (!(monitor->flags & event_flag(event)) ||
		    !monitor_watches(monitor, rule, before))
			continue;
		flags |= monitor->flags;
		found = monitor;
	}
	if (!found)
		return;
	/* "Only own" means "own ones in full" to the reference and its clients, which
	 * set it and want all. */
	if (is_own && !(flags & (OF_MONITOR_NO_ABBREV | OF_MONITOR_ONLY_OWN))) {
		update.event = OF_EVENT_ABBREV;
	} else {
		rule_describe(rule, dp_time_ns(), &update.flow);
		update.flow.reason = reason;
		if (!(flags & OF_MONITOR_INSTRUCTIONS))
			update.flow.actions = (struct flow_actions){0};
	}
	add_update(session, found->is_nicira, &update);
}

void
monitors_report(struct ofproto *ofproto, enum of_monitor_event event,
                const struct rule *rule, const struct flow_actions *before,
                uint8_t reason, const struct session *by, uint32_t xid)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	if (!list_is_empty(&session->monitors))
		report_to(session, event, rule, before, reason, session == by, xid);
}

void
monitors_flush(struct ofproto *ofproto)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	flush_updates(session);
}

/* ---- requests ---- */

/* Rules that are there already, for one monitor after the other: the dump's numbers. */
static bool
initial_part(struct session *session, struct dump *dump)
{
	const struct monitor *monitor =
		dump->next < dump->n_numbers
			? find_monitor(session, dump->numbers[dump->next])
			: NULL;
	struct of_monitor_update *updates;
	const uint64_t now_ns = dp_time_ns();
	struct rule_list list = {0};
	bool has_more = false;

	if (monitor) {
		const struct rule_filter filter = monitor_filter(monitor);

		has_more = dump_next_rules(session->ofproto, dump, &filter, &list);
	}
	updates = xcalloc(MAX_OF(list.n, 1), sizeof(*updates));
	for (size_t i = 0; i < list.n; i++) {
		updates[i].event = OF_EVENT_INITIAL;
		rule_describe(list.rules[i], now_ns, &updates[i].flow);
		if (!(monitor->flags & OF_MONITOR_INSTRUCTIONS))
			updates[i].flow.actions = (struct flow_actions){0};
	}
	if (!has_more && dump->next + 1 < dump->n_numbers) {
		dump->next++;
		dump->table = 0;
		has_more = true;
	}
	if (list.n || !has_more)
		send_updates(session, dump->request.xid, dump->request.is_nicira,
		             has_more, updates, list.n);
	free(updates);
	rule_list_destroy(&list);
	return has_more;
}

static unsigned
known_flags(enum of_version version)
{
	const unsigned nicira =
		MONITOR_EVENTS | OF_MONITOR_INSTRUCTIONS | OF_MONITOR_NO_ABBREV;

	return version >= OF14 ? nicira | OF_MONITOR_ONLY_OWN : nicira;
}

static int
check_request(struct session *session, const struct of_monitor *request,
              struct of_error *error)
{
	const struct monitor *monitor = find_monitor(session, request->id);

	if (request->command == OF_MONITOR_ADD && monitor)
		return of_fail(error, OFERR_MONITOR_EXISTS, "there is a monitor %u",
		               request->id);
	if (request->command != OF_MONITOR_ADD && !monitor)
		return of_fail(error, OFERR_MONITOR_UNKNOWN, "there is no monitor %u",
		               request->id);
	if (request->command != OF_MONITOR_DELETE &&
	    (request->flags & ~known_flags(session->version) ||
	     !(request->flags & MONITOR_EVENTS)))
		return of_fail(error, OFERR_MONITOR_FLAGS,
		               "a monitor cannot have the flags 0x%x", request->flags);
	if (request->command != OF_MONITOR_DELETE &&
	    request->what.table != OF_TABLE_ALL && request->what.table > SWITCH_TABLES)
		return of_fail(error, OFERR_BAD_REQUEST_TABLE_ID, "there is no table %u",
		               request->what.table);
	return 0;
}

static struct monitor *
put_monitor(struct session *session, const struct of_monitor *request, bool is_nicira)
{
	struct monitor *monitor = find_monitor(session, request->id);

	if (!monitor) {
		monitor = xcalloc(1, sizeof(*monitor));
		monitor->id = request->id;
		list_push_back(&session->monitors, &monitor->node);
	}
	monitor->flags = request->flags;
	monitor->is_nicira = is_nicira;
	monitor->table = request->what.table;
	monitor->out_port = request->what.out_port;
	monitor->out_group = request->what.out_group;
	monitor->match = request->what.match;
	return monitor;
}

static void
monitor_free(struct monitor *monitor)
{
	list_remove(&monitor->node);
	free(monitor);
}

int
monitors_request(struct session *session, const struct of_msg *request,
                 struct of_error *error)
{
	struct monitor *monitor;
	size_t n_monitors = 0;
	struct dump *dump;

	LIST_FOR_EACH (monitor, node, &session->monitors)
		n_monitors++;
	if (n_monitors + request->n > MONITORS_MAX)
		return of_fail(error, OFERR_BAD_REQUEST_EPERM,
		               "a connection has at most %d monitors", MONITORS_MAX);
	for (size_t i = 0; i < request->n; i++)
		if (check_request(session, &request->monitors[i], error))
			return -1;
	dump = dump_create(request, initial_part);
	for (size_t i = 0; i < request->n; i++) {
		const struct of_monitor *wanted = &request->monitors[i];

		if (wanted->command == OF_MONITOR_DELETE) {
			monitor = find_monitor(session, wanted->id);
			if (monitor)
				monitor_free(monitor);
			continue;
		}
		monitor = put_monitor(session, wanted, request->is_nicira);
		if (wanted->command == OF_MONITOR_ADD &&
		    wanted->flags & OF_MONITOR_INITIAL)
			dump_add_number(dump, monitor->id);
	}
	dump_begin(session, dump);
	return 0;
}

int
monitors_cancel(struct session *session, uint32_t id, struct of_error *error)
{
	struct monitor *monitor = find_monitor(session, id);

	if (!monitor)
		return of_fail(error, OFERR_MONITOR_UNKNOWN, "there is no monitor %u",
		               id);
	monitor_free(monitor);
	return 0;
}

void
ofproto_monitors_destroy(struct session *session)
{
	while (!list_is_empty(&session->monitors))
		monitor_free(CONTAINER_OF(session->monitors.next, struct monitor, node));
	free(session->updates);
}
