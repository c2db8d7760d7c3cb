/* action_check.c - ports, groups and meters that actions name, and what cannot be had.
 * For flow_mod.c, groups.c and packet_out.c. Main thread. */
#include "vswitchd/ofproto/action_check.h"

#include <errno.h>

#include "openflow/of_actions.h"

#define PORTS_END 0xff00U /* of those that a bridge may have */

static int
check_port(uint32_t port, struct of_error *error)
{
	const bool is_reserved = port >= FLOW_PORT_IN_PORT && port <= FLOW_PORT_LOCAL;

	if (port && (port < PORTS_END || is_reserved))
		return 0;
	return of_fail(error, OFERR_BAD_ACTION_OUT_PORT, "no port has the number %u",
	               port);
}

static int
check_group(const struct ofproto *ofproto, uint64_t group, struct of_error *error)
{
	if (group <= UINT32_MAX && switch_find_group(ofproto, (uint32_t)group))
		return 0;
	return of_fail(error, OFERR_BAD_ACTION_OUT_GROUP, "there is no group %u",
	               (uint32_t)group);
}

static int
check_meter(const struct ofproto *ofproto, uint64_t meter, struct of_error *error)
{
	if (meter <= SWITCH_METERS_MAX && switch_find_meter(ofproto, (uint32_t)meter))
		return 0;
	return of_fail(error, OFERR_METER_INVALID, "there is no meter %u",
	               (uint32_t)meter);
}

static int
check_record(const struct ofproto *ofproto, const struct flow_action *action,
             bool in_bucket, struct of_error *error)
{
	if (action->type == ACTION_OUTPUT)
		return check_port(((const struct flow_output *)action)->port, error);
	if (action->type == ACTION_ENQUEUE) {
		const uint32_t port = ((const struct flow_enqueue *)action)->port;

		if (port < PORTS_END || port == FLOW_PORT_IN_PORT ||
		    port == FLOW_PORT_LOCAL)
			return check_port(port, error);
		return of_fail(error, OFERR_BAD_ACTION_OUT_PORT, "port %u has no queues",
		               port);
	}
	if (action->type == ACTION_GROUP && !in_bucket)
		return check_group(ofproto, ((const struct flow_number *)action)->value,
		                   error);
	/* As on Open vSwitch's datapaths that track no connections. */
	if (action->type == ACTION_CT)
		return of_fail(error, OFERR_BAD_ACTION_TYPE,
		               "ct() needs connection tracking, which is not supported");
	if (action->type == ACTION_METER)
		return check_meter(ofproto, ((const struct flow_number *)action)->value,
		                   error);
	if (action->type == ACTION_CONTROLLER) {
		const uint32_t meter = ((const struct flow_controller *)action)->meter;

		return meter ? check_meter(ofproto, meter, error) : 0;
	}
	return 0;
}

static int
check_records(const struct ofproto *ofproto, const void *records, size_t bytes,
              bool in_bucket, struct of_error *error)
{
	const void *inner;
	size_t n;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		if (check_record(ofproto, action, in_bucket, error))
			return -1;
		if (action_nested(action, &inner, &n) &&
		    check_records(ofproto, inner, n, in_bucket, error))
			return -1;
	}
	return 0;
}

int
action_check(const struct ofproto *ofproto, const struct flow_actions *actions,
             const struct flow_match *match, uint8_t table, bool in_bucket,
             struct of_error *error)
{
	const int result = of_actions_check(actions->data, actions->bytes, match, table,
	                                    SWITCH_TABLES, error);

	if (result)
		return result;
	return check_records(ofproto, actions->data, actions->bytes, in_bucket, error)
	               ? -EPROTO
	               : 0;
}
