/* monitors.h - those who are told of every change of rules. changes.c reports, sessions
 * own. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* 'by' made the change by a message with 'xid'. */
void monitors_report(struct ofproto *ofproto, enum of_monitor_event event,
                     const struct rule *rule, uint8_t reason, const struct session *by,
                     uint32_t xid);
/* A request: NULL, or what to send back. */
int monitors_request(struct session *session, const struct of_msg *request,
                     struct of_error *error);
int monitors_cancel(struct session *session, uint32_t id, struct of_error *error);
void ofproto_monitors_destroy(struct session *session);

/* A rule as statistics show it; its actions are lent. */
void rule_describe(const struct rule *rule, uint64_t now_ns, struct of_flow_stats *flow);
