/* monitors.c - flow monitors: which rules a controller watches, and its updates. Main
 * thread. */
#include "vswitchd/ofproto/monitors.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define MONITORS_MAX     1024 /* of a connection */
#define UPDATES_PER_PART 256

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

static bool
monitor_watches(const struct monitor *monitor, const struct rule *rule)
{
	const struct rule_filter filter = {
		.match = &monitor->match,
		.table = monitor->table,
		.out_port = monitor->out_port,
		.out_group = monitor->out_group,
	};

	return rule_fits(rule, &filter);
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

static void
report_to(struct session *session, enum of_monitor_event event, const struct rule *rule,
          uint8_t reason, bool is_own, uint32_t xid)
{
	struct of_monitor_update update = {.event = (uint16_t)event, .xid = xid};
	const struct monitor *found = NULL, *monitor;
	uint16_t flags = 0;

	LIST_FOR_EACH (monitor, node, &session->monitors) {
		if (!(monitor->flags & event_flag(event)) ||
		    (monitor->flags & OF_MONITOR_ONLY_OWN && !is_own) ||
		    !monitor_watches(monitor, rule))
			continue;
		flags |= monitor->flags;
		found = monitor;
	}
	if (!found)
		return;
	if (is_own && !(flags & (OF_MONITOR_NO_ABBREV | OF_MONITOR_ONLY_OWN))) {
		update.event = OF_EVENT_ABBREV;
	} else {
		rule_describe(rule, dp_time_ns(), &update.flow);
		update.flow.reason = reason;
		if (!(flags & OF_MONITOR_INSTRUCTIONS))
			update.flow.actions = (struct flow_actions){0};
	}
	send_updates(session, 0, found->is_nicira, false, &update, 1);
}

void
monitors_report(struct ofproto *ofproto, enum of_monitor_event event,
                const struct rule *rule, uint8_t reason, const struct session *by,
                uint32_t xid)
{
	struct session *session;

	SESSION_FOR_EACH(session, ofproto)
	if (!list_is_empty(&session->monitors))
		report_to(session, event, rule, reason, session == by, xid);
}

/* ---- requests ---- */

static void
send_initial(struct session *session, const struct monitor *monitor, uint32_t xid,
             struct of_monitor_update *updates, size_t *n)
{
	const uint64_t now_ns = dp_time_ns();
	struct rule *rule;

	for (size_t i = 0; i < SWITCH_TABLES; i++)
		HMAP_FOR_EACH (rule, node, &session->ofproto->tables[i].rules) {
			if (!monitor_watches(monitor, rule))
				continue;
			if (*n == UPDATES_PER_PART) {
				send_updates(session, xid, monitor->is_nicira, true,
				             updates, *n);
				*n = 0;
			}
			updates[*n] =
				(struct of_monitor_update){.event = OF_EVENT_INITIAL};
			rule_describe(rule, now_ns, &updates[*n].flow);
			if (!(monitor->flags & OF_MONITOR_INSTRUCTIONS))
				updates[*n].flow.actions = (struct flow_actions){0};
			++*n;
		}
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
	struct of_monitor_update *updates;
	size_t n = 0, n_monitors = 0;
	struct monitor *monitor;

	LIST_FOR_EACH (monitor, node, &session->monitors)
		n_monitors++;
	if (n_monitors + request->n > MONITORS_MAX)
		return of_fail(error, OFERR_BAD_REQUEST_EPERM,
		               "a connection has at most %d monitors", MONITORS_MAX);
	for (size_t i = 0; i < request->n; i++)
		if (check_request(session, &request->monitors[i], error))
			return -1;
	updates = xcalloc(UPDATES_PER_PART, sizeof(*updates));
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
			send_initial(session, monitor, request->xid, updates, &n);
	}
	send_updates(session, request->xid, request->is_nicira, false, updates, n);
	free(updates);
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
}
