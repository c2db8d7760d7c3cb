/* multiparts.c - which part answers which request, and the small answers. Main thread. */
#include "vswitchd/ofproto/multiparts.h"

#include <stdio.h>

#include "vswitchd/ofproto/controller_status.h"
#include "vswitchd/ofproto/monitors.h"
#include "vswitchd/ofproto/multiparts_private.h"

#define BUNDLE_FEATURES 3 /* atomic and ordered */

void
multipart_init_reply(const struct session *session, const struct of_msg *request,
                     enum of_kind kind, struct of_msg *reply)
{
	session_init_message(session, kind, request->xid, reply);
	reply->is_nicira = request->is_nicira;
}

static int
multipart_desc(struct session *session, const struct of_msg *request,
               struct of_error *error)
{
	const struct ofproto *ofproto = session->ofproto;
	struct of_msg reply;
	struct of_desc *desc = &reply.desc;

	(void)error;
	multipart_init_reply(session, request, OFM_DESC_REPLY, &reply);
	/* What clients look for before they use extensions. */
	snprintf(desc->manufacturer, sizeof(desc->manufacturer), "Nicira, Inc.");
	snprintf(desc->hardware, sizeof(desc->hardware), "Open vSwitch");
	snprintf(desc->software, sizeof(desc->software), "3.1.0");
	snprintf(desc->serial, sizeof(desc->serial), "%s",
	         ofproto->serial ? ofproto->serial : "None");
	snprintf(desc->datapath, sizeof(desc->datapath), "%s",
	         ofproto->description ? ofproto->description : "None");
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

static int
multipart_bundle_features(struct session *session, const struct of_msg *request,
                          struct of_error *error)
{
	struct of_msg reply;

	(void)error;
	multipart_init_reply(session, request, OFM_BUNDLE_FEATURES_REPLY, &reply);
	reply.number = BUNDLE_FEATURES;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	return 0;
}

int
multiparts_request(struct session *session, const struct of_msg *request, bool *is_known,
                   struct of_error *error)
{
	static const struct {
		enum of_kind kind;
		multipart_fn *answer;
	} parts[] = {
		{OFM_DESC_REQUEST, multipart_desc},
		{OFM_FLOW_STATS_REQUEST, multipart_flows},
		{OFM_FLOW_DESC_REQUEST, multipart_flows},
		{OFM_AGGREGATE_REQUEST, multipart_aggregate},
		{OFM_TABLE_STATS_REQUEST, multipart_tables},
		{OFM_TABLE_DESC_REQUEST, multipart_table_descs},
		{OFM_TABLE_FEATURES_REQUEST, multipart_table_features},
		{OFM_PORT_DESC_REQUEST, multipart_ports},
		{OFM_PORT_STATS_REQUEST, multipart_port_stats},
		{OFM_QUEUE_STATS_REQUEST, multipart_queue_stats},
		{OFM_QUEUE_CONFIG_REQUEST, multipart_queue_configs},
		{OFM_QUEUE_DESC_REQUEST, multipart_queue_configs},
		{OFM_GROUP_STATS_REQUEST, multipart_group_stats},
		{OFM_GROUP_DESC_REQUEST, multipart_group_descs},
		{OFM_GROUP_FEATURES_REQUEST, multipart_group_features},
		{OFM_METER_STATS_REQUEST, multipart_meter_stats},
		{OFM_METER_CONFIG_REQUEST, multipart_meter_configs},
		{OFM_METER_FEATURES_REQUEST, multipart_meter_features},
		{OFM_FLOW_MONITOR_REQUEST, monitors_request},
		{OFM_BUNDLE_FEATURES_REQUEST, multipart_bundle_features},
		{OFM_CONTROLLER_STATUS_REQUEST, controller_status_request},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].kind == request->kind) {
			*is_known = true;
			return parts[i].answer(session, request, error);
		}
	*is_known = false;
	return 0;
}
