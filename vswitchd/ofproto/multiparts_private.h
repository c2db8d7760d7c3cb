/* multiparts_private.h - the parts of multiparts.c by what they are about. Main thread.
 */
#pragma once

#include "vswitchd/ofproto/dumps.h"
#include "vswitchd/ofproto/multiparts.h"

typedef int multipart_fn(struct session *session, const struct of_msg *request,
                         struct of_error *error);

/* A reply of the request's form. */
void multipart_init_reply(const struct session *session, const struct of_msg *request,
                          enum of_kind kind, struct of_msg *reply);

/* multiparts_flows.c */
multipart_fn multipart_flows, multipart_aggregate, multipart_tables,
	multipart_table_descs, multipart_table_features;
/* multiparts_ports.c */
multipart_fn multipart_ports, multipart_port_stats, multipart_queue_stats,
	multipart_queue_configs;
/* multiparts_groups.c */
multipart_fn multipart_group_stats, multipart_group_descs, multipart_group_features,
	multipart_meter_stats, multipart_meter_configs, multipart_meter_features;
