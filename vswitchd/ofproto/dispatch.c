/* dispatch.c - carries out decoded messages. Main thread. */
#include "vswitchd/ofproto/dispatch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vswitchd/ofproto/bundles.h"
#include "vswitchd/ofproto/flow_mod.h"
#include "vswitchd/ofproto/groups.h"
#include "vswitchd/ofproto/learn.h"
#include "vswitchd/ofproto/meters.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/multiparts.h"
#include "vswitchd/ofproto/packet_out.h"
#include "vswitchd/ofproto/ports.h"
#include "vswitchd/ofproto/roles.h"
#include "vswitchd/ofproto/table_mod.h"

#define CAPABILITIES       0x4fU /* statistics of flows, tables, ports, groups, queues */
#define CAPABILITIES_1_0   0xc7U /* no groups; ARP's addresses are matched */
#define CAPABILITY_ARP     0x80U
#define CAPABILITY_BUNDLES 0x200U
#define ACTIONS_1_0        0xfffU
#define CONFIG_FRAGMENTS   3U /* 0 = as they come, 1 = drop */
#define CONFIG_FRAG_DROP   1U
#define CONFIG_FRAG_REASM  2U
#define CONFIG_TTL         4U /* 1.1 and 1.2: expired packets go to the controller */
#define REASON_TTL         (1U << 2)
#define FORWARD_GROUP_MOD  0
#define FORWARD_METER_MOD  1
/* Nicira's table of options of tunnels: 1 deletes fields. */
#define TLV_ADD         0
#define TLV_CLEAR       2
#define FLOW_FORMAT_10  0
#define FLOW_FORMAT_NXM 2

typedef int handler_fn(struct session *session, struct of_msg *msg,
                       struct of_error *error);

/* ---- state ---- */

static int
on_features(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const struct ofproto *ofproto = session->ofproto;
	struct port **list =
		xcalloc(MAX_OF(ofproto->ports.count, 1), sizeof(struct port *));
	struct of_port *ports = NULL;
	struct of_msg reply;

	(void)error;
	session_init_message(session, OFM_FEATURES_REPLY, msg->xid, &reply);
	reply.features.datapath_id = ofproto->datapath_id;
	reply.features.n_tables = SWITCH_TABLES;
	reply.features.capabilities =
		session->version == OF10   ? CAPABILITIES_1_0
		: session->version == OF11 ? CAPABILITIES | CAPABILITY_ARP
		: session->version >= OF14 ? CAPABILITIES | CAPABILITY_BUNDLES
					   : CAPABILITIES;
	reply.features.actions = session->version == OF10 ? ACTIONS_1_0 : 0;
	if (session->version < OF13) {
		reply.features.n_ports = ports_list(ofproto, list);
		ports = xcalloc(MAX_OF(reply.features.n_ports, 1), sizeof(*ports));
		for (size_t i = 0; i < reply.features.n_ports; i++)
			port_describe(list[i], &ports[i]);
		reply.features.ports = ports;
	}
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(ports);
	free(list);
	return 0;
}

static int
on_get_config(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	session_init_message(session, OFM_GET_CONFIG_REPLY, msg->xid, &reply);
	reply.config.flags = session->ofproto->config_flags;
	if (session->version < OF13 && session->async.packet_in[1] & REASON_TTL)
		reply.config.flags |= CONFIG_TTL;
	reply.config.miss_send_len = session->miss_send_len;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

static int
on_set_config(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const bool has_ttl = session->version == OF11 || session->version == OF12;
	const uint16_t flags = msg->config.flags, fragments = flags & CONFIG_FRAGMENTS;
	struct ofproto *ofproto = session->ofproto;

	if (flags & ~(CONFIG_FRAGMENTS | (has_ttl ? CONFIG_TTL : 0)))
		return of_fail(error, OFERR_SWITCH_CONFIG_FLAGS, "no such flags 0x%x",
		               flags);
	/* Nobody reassembles; the ports of first fragments are always looked at. */
	if (session->role != OF_ROLE_SECONDARY && fragments != CONFIG_FRAG_REASM) {
		ofproto->config_flags = fragments;
		dp_bridge_set_fragments(ofproto->bridge_id,
		                        fragments == CONFIG_FRAG_DROP);
	}
	if (has_ttl && flags & CONFIG_TTL)
		session->async.packet_in[1] |= REASON_TTL;
	else if (has_ttl)
		session->async.packet_in[1] &= ~REASON_TTL;
	session->miss_send_len = msg->config.miss_send_len;
	table_update_misses(ofproto);
	return 0;
}

static int
on_get_async(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	session_init_message(session, OFM_GET_ASYNC_REPLY, msg->xid, &reply);
	reply.is_nicira = msg->is_nicira;
	reply.async = session->async;
	reply.async.given = 0;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

static int
on_set_async(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_async *now = &session->async;
	const struct of_async *set = &msg->async;
	uint32_t *const to[] = {now->packet_in,    now->port_status,
	                        now->flow_removed, now->role_status,
	                        now->table_status, now->request_forward,
	                        now->flow_stats,   now->controller_status};
	const uint32_t *const from[] = {set->packet_in,    set->port_status,
	                                set->flow_removed, set->role_status,
	                                set->table_status, set->request_forward,
	                                set->flow_stats,   set->controller_status};
	/* Without properties, the first three kinds are all there is. */
	const uint32_t given = set->given || session->version >= OF14 ? set->given : 0x3f;

	(void)error;
	for (unsigned i = 0; i < ARRAY_SIZE(to); i++)
		for (unsigned j = 0; j < 2; j++)
			if (given >> (2 * i + j) & 1)
				to[i][j] = from[i][j];
	/* A service that asks for reports wants them. */
	if (session->info->is_service && !session->miss_send_len)
		session->miss_send_len = OF_MISS_SEND_LEN;
	table_update_misses(session->ofproto);
	return 0;
}

static int
on_role(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const int result = roles_request(session, msg, error);

	table_update_misses(session->ofproto);
	return result;
}

static int
on_nicira(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_msg reply;

	switch ((int)msg->kind) {
	case OFM_NX_FLOW_FORMAT:
		if (msg->number != FLOW_FORMAT_10 && msg->number != FLOW_FORMAT_NXM)
			return of_fail(error, OFERR_BAD_REQUEST_EPERM,
			               "no flows of format %u", msg->number);
		session->is_nxm = msg->number == FLOW_FORMAT_NXM;
		return 0;
	case OFM_NX_CT_FLUSH_ZONE: /* no connections are tracked */
	case OFM_NX_CT_FLUSH:
		return 0;
	case OFM_NX_TABLE_ID:
		session->is_flow_mod_table_id = msg->number;
		return 0;
	case OFM_NX_PACKET_IN_FORMAT:
		if (msg->number > OF_PACKET_IN_NXT2)
			return of_fail(error, OFERR_BAD_REQUEST_EPERM,
			               "no packet-ins of format %u", msg->number);
		session->packet_in_format = (enum of_packet_in_format)msg->number;
		return 0;
	case OFM_NX_CONTROLLER_ID:
		session->controller_id = (uint16_t)msg->number;
		return 0;
	case OFM_NX_FLOW_MONITOR_CANCEL:
		return monitors_cancel(session, msg->number, error);
	case OFM_NX_TLV_TABLE_REQUEST:
		session_init_message(session, OFM_NX_TLV_TABLE_REPLY, msg->xid, &reply);
		reply.is_nicira = true;
		session_send(session, &reply);
		of_msg_destroy(&reply);
		return 0;
	default:
		return of_fail(error, OFERR_BAD_REQUEST_EXP_TYPE, "%s is not supported",
		               of_kind_name(msg->kind));
	}
}

/* The fields that stand for options of tunnels: there is room for none, as the reply to
 * a request says, while there are no tunnels. */
static int
on_tlv_table_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const uint16_t command = msg->tlv_table.command;

	(void)session;
	if (command > TLV_CLEAR)
		return of_fail(error, OFERR_NXTTM_COMMAND, "no command on fields is %u",
		               command);
	if (command == TLV_ADD && msg->tlv_table.n_maps)
		return of_fail(
			error, OFERR_NXTTM_FULL,
			"there are no tunnels, whose options fields could stand for");
	return 0;
}

/* ---- changes ---- */

static void
finish_changes(struct changes *changes, int result)
{
	if (result)
		changes_abort(changes);
	else
		changes_commit(changes);
	if (changes->ofproto->n_forgotten)
		learn_sweep(changes->ofproto);
}

static int
on_flow_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_flow_mod *mod = &msg->flow_mod;
	struct changes changes;
	int result;

	if (session->version == OF10 && !session->is_flow_mod_table_id) {
		if (mod->table)
			return of_fail(error, OFERR_FLOW_MOD_COMMAND,
			               "no command of 1.0 names a table");
		mod->table = OF_TABLE_ALL;
	}
	changes_begin(&changes, session->ofproto, session, msg->xid);
	result = flow_mod_run(&changes, mod, msg->version, error);
	finish_changes(&changes, result);
	if (!result && mod->buffer_id != OF_BUFFER_NONE &&
	    mod->command != OF_FLOW_DELETE && mod->command != OF_FLOW_DELETE_STRICT)
		return of_fail(error, OFERR_BAD_REQUEST_BUFFER_UNKNOWN,
		               "no packets are buffered");
	return result;
}

static int
on_group_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct changes changes;
	int result;

	changes_begin(&changes, session->ofproto, session, msg->xid);
	result = groups_mod(&changes, &msg->group_mod, msg->version, error);
	finish_changes(&changes, result);
	if (!result)
		session_forward(session, session->request, session->request_bytes,
		                FORWARD_GROUP_MOD);
	return result;
}

static int
on_meter_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const int result = meters_mod(session, msg, error);

	if (!result)
		session_forward(session, session->request, session->request_bytes,
		                FORWARD_METER_MOD);
	return result;
}

static int
on_port_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct changes changes;
	int result;

	changes_begin(&changes, session->ofproto, session, msg->xid);
	result = ports_mod(&changes, &msg->port_mod, error);
	finish_changes(&changes, result);
	ports_changed(session->ofproto, msg->port_mod.port);
	return result;
}

static int
on_table_mod(struct session *session, struct of_msg *msg, struct of_error *error)
{
	return table_mod_run(session->ofproto, msg, error);
}

static int
on_packet_out(struct session *session, struct of_msg *msg, struct of_error *error)
{
	/* What it changed before, its packets are to see. */
	switch_publish(session->ofproto);
	return packet_out_run(session->ofproto, &msg->packet_out, error);
}

static int
on_resume(struct session *session, struct of_msg *msg, struct of_error *error)
{
	switch_publish(session->ofproto);
	return packet_out_resume(session->ofproto, &msg->packet_in, error);
}

static int
on_bundle_control(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const int result = bundles_control(session, msg, error);

	if (session->ofproto->n_forgotten)
		learn_sweep(session->ofproto);
	return result;
}

static int
on_bundle_add(struct session *session, struct of_msg *msg, struct of_error *error)
{
	return bundles_add(session, msg, error);
}

/* ---- others ---- */

static int
on_echo(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	session_init_message(session, OFM_ECHO_REPLY, msg->xid, &reply);
	reply.echo = msg->echo;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

static int
on_barrier(struct session *session, struct of_msg *msg, struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	switch_synchronize(session->ofproto);
	session_init_message(session, OFM_BARRIER_REPLY, msg->xid, &reply);
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

static int
on_nothing(struct session *session, struct of_msg *msg, struct of_error *error)
{
	(void)session, (void)msg, (void)error;
	return 0;
}

struct handler {
	handler_fn *handle;
	bool changes; /* not for secondary controllers */
};

static const struct handler handlers[OFM_N_KINDS] = {
	[OFM_HELLO] = {on_nothing, false},
	[OFM_ERROR] = {on_nothing, false},
	[OFM_ECHO_REPLY] = {on_nothing, false},
	[OFM_ECHO_REQUEST] = {on_echo, false},
	[OFM_BARRIER_REQUEST] = {on_barrier, false},
	[OFM_FEATURES_REQUEST] = {on_features, false},
	[OFM_GET_CONFIG_REQUEST] = {on_get_config, false},
	[OFM_SET_CONFIG] = {on_set_config, false},
	[OFM_GET_ASYNC_REQUEST] = {on_get_async, false},
	[OFM_SET_ASYNC] = {on_set_async, false},
	[OFM_ROLE_REQUEST] = {on_role, false},
	[OFM_FLOW_MOD] = {on_flow_mod, true},
	[OFM_GROUP_MOD] = {on_group_mod, true},
	[OFM_METER_MOD] = {on_meter_mod, true},
	[OFM_PORT_MOD] = {on_port_mod, true},
	[OFM_TABLE_MOD] = {on_table_mod, true},
	[OFM_PACKET_OUT] = {on_packet_out, true},
	[OFM_BUNDLE_CONTROL] = {on_bundle_control, true},
	[OFM_BUNDLE_ADD] = {on_bundle_add, true},
	[OFM_NX_FLOW_FORMAT] = {on_nicira, false},
	[OFM_NX_TABLE_ID] = {on_nicira, false},
	[OFM_NX_PACKET_IN_FORMAT] = {on_nicira, false},
	[OFM_NX_CONTROLLER_ID] = {on_nicira, false},
	[OFM_NX_RESUME] = {on_resume, true},
	[OFM_NX_CT_FLUSH_ZONE] = {on_nicira, true},
	[OFM_NX_CT_FLUSH] = {on_nicira, true},
	[OFM_NX_TLV_TABLE_MOD] = {on_tlv_table_mod, true},
	[OFM_NX_TLV_TABLE_REQUEST] = {on_nicira, false},
	[OFM_NX_FLOW_MONITOR_CANCEL] = {on_nicira, false},
};

int
dispatch_message(struct session *session, struct of_msg *msg, struct of_error *error)
{
	const struct handler *handler = &handlers[msg->kind];
	bool is_known;
	int result;

	if (!handler->handle) {
		result = multiparts_request(session, msg, &is_known, error);
		if (is_known)
			return result;
		return of_fail(error,
		               msg->kind == OFM_EXPERIMENTER
		                       ? OFERR_BAD_REQUEST_EXPERIMENTER
		                       : OFERR_BAD_REQUEST_TYPE,
		               "%s is not for switches", of_kind_name(msg->kind));
	}
	if (handler->changes && session->role == OF_ROLE_SECONDARY)
		return of_fail(error, OFERR_BAD_REQUEST_IS_SLAVE,
		               "a secondary controller changes nothing");
	return handler->handle(session, msg, error);
}
