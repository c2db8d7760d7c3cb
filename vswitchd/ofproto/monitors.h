/* monitors.h - those who are told of every change of rules. changes.c reports, sessions
 * own. Main thread. */
#pragma once

#include "vswitchd/ofproto/session_io.h"

/* 'by' made the change by a message with 'xid'. 'before' are the actions that the rule
 * had until then, NULL if the same. The rule is lent until monitors_flush(). */
void monitors_report(struct ofproto *ofproto, enum of_monitor_event event,
                     const struct rule *rule, const struct flow_actions *before,
                     uint8_t reason, const struct session *by, uint32_t xid);
/* Sends what was reported. */
void monitors_flush(struct ofproto *ofproto);
/* A request: NULL, or what to send back. */
int monitors_request(struct session *session, const struct of_msg *request,
                     struct of_error *error);
int monitors_cancel(struct session *session, uint32_t id, struct of_error *error);
void ofproto_monitors_destroy(struct session *session);

/* A rule as statistics show it; its actions are lent. */
void rule_describe(const struct rule *rule, uint64_t now_ns, struct of_flow_stats *flow);
