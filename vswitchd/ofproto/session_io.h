/* session_io.h - what is known of a connection, and sending to it. Below session.c, which
 * reads; used by all parts that answer or report. Main thread. */
#pragma once

#include "vswitchd/ofproto/switch.h"

#define OF_MISS_SEND_LEN  128 /* what a controller has before it says otherwise */
#define SESSION_QUEUE_MAX 512 /* the most that a queue_size may be */

enum session_state { SESSION_HELLO, SESSION_READY, SESSION_ENDED };

/* What a report is; indexes as in struct of_async.given. */
enum session_report {
	REPORT_PACKET_IN,
	REPORT_PORT_STATUS,
	REPORT_FLOW_REMOVED,
	REPORT_ROLE_STATUS,
	REPORT_TABLE_STATUS,
	REPORT_REQUEST_FORWARD,
	REPORT_CONTROLLER_STATUS = 7,
};

struct session {
	struct list node; /* ofproto.sessions */
	struct ofproto *ofproto;
	struct channel *channel;
	const struct connection_info *info;
	enum session_state state;
	enum of_version version;
	enum of_role role;
	struct of_async async;
	uint16_t miss_send_len;
	enum of_packet_in_format packet_in_format;
	uint16_t controller_id, short_id; /* Nicira's; 1.5's */
	bool is_nxm;               /* 1.0: flow-removed messages in Nicira's form */
	bool is_flow_mod_table_id; /* Nicira's: 1.0's command carries a table */
	/* packet_in.c: NULL while there is no rate; where in the stream the last ones
	 * ended; how many were lost because these were not read. */
	struct pacer *pacers[OFPROTO_PACKET_IN_KINDS];
	uint64_t packet_in_ends[SESSION_QUEUE_MAX];
	uint64_t n_packet_ins, n_unread;
	struct dump *dump;                 /* dumps.c: an answer that is being made */
	struct list bundles;               /* bundles.c */
	struct list monitors;              /* monitors.c */
	struct of_monitor_update *updates; /* of it: to be sent; rules are lent */
	size_t n_updates;
	bool updates_are_nicira;
	/* Of the message being handled, for errors. */
	const uint8_t *request;
	size_t request_bytes;
	struct str out;
};

/* The first of the sessions that speak, and so on. */
#define SESSION_FOR_EACH(session, ofproto)                  \
	LIST_FOR_EACH (session, node, &(ofproto)->sessions) \
		if ((session)->state == SESSION_READY)

/* A message that is sent has the session's version. */
void session_init_message(const struct session *session, enum of_kind kind, uint32_t xid,
                          struct of_msg *msg);
/* What the version cannot say is not sent. False then, or if so much is unread that the
 * connection ends. */
bool session_send(struct session *session, const struct of_msg *msg);
/* The same with whole messages of its version. */
bool session_send_bytes(struct session *session, const void *data, size_t n);
/* To where in the stream to the controller, of channel_queued_bytes(), it was written. */
uint64_t session_written(const struct session *session);

/* Nothing is read while an answer is not complete, nor while many are unread. */
void session_review_pause(struct session *session);

/* With the beginning of the message that is being handled. */
void session_send_error(struct session *session, uint32_t xid,
                        const struct of_error *error);
void session_send_error_about(struct session *session, uint32_t xid, const uint8_t *data,
                              size_t n, const struct of_error *error);

/* A request that 'by' made, to others that asked to be told. */
#define FORWARD_GROUP_MOD 0
#define FORWARD_METER_MOD 1
void session_forward(const struct session *by, const uint8_t *data, size_t n,
                     unsigned reason);

/* Whether it wants reports of a kind for a reason, by its role and masks. */
bool session_wants(const struct session *session, enum session_report report,
                   unsigned reason);
void session_default_async(struct session *session);
