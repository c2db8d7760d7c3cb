/* multiparts_ports.c - descriptions and statistics of ports and their queues. Part of
 * multiparts.c. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/multiparts_private.h"
#include "vswitchd/ofproto/ports.h"

#define RATE_WHOLE 1000 /* 1/10 % */

/* The ports that a request names, by number; the caller frees it. NULL: there is none. */
static struct port **
choose_ports(const struct session *session, uint32_t number, size_t *n)
{
	struct port **list =
		xcalloc(MAX_OF(session->ofproto->ports.count, 1), sizeof(struct port *));
	struct port *port;

	if (number == FLOW_PORT_NONE || number == FLOW_PORT_ALL) {
		*n = ports_list(session->ofproto, list);
		return list;
	}
	*n = 0;
	port = switch_find_port(session->ofproto, number);
	if (port)
		list[(*n)++] = port;
	return list;
}

int
multipart_ports(struct session *session, const struct of_msg *request,
                struct of_error *error)
{
	size_t n;
	struct port **list = choose_ports(session, request->number, &n);
	struct of_port *ports = xcalloc(MAX_OF(n, 1), sizeof(*ports));
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < n; i++)
		port_describe(list[i], &ports[i]);
	multipart_init_reply(session, request, OFM_PORT_DESC_REPLY, &reply);
	reply.ports = ports;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(ports);
	free(list);
	return 0;
}

int
multipart_port_stats(struct session *session, const struct of_msg *request,
                     struct of_error *error)
{
	size_t n;
	struct port **list = choose_ports(session, request->number, &n);
	struct of_port_stats *stats = xcalloc(MAX_OF(n, 1), sizeof(*stats));
	const uint64_t now_ns = dp_time_ns();
	struct of_msg reply;

	(void)error;
	for (size_t i = 0; i < n; i++) {
		struct dp_port_stats counts = {0};

		dp_port_get_stats(list[i]->port.dp_port_id, &counts);
		stats[i] = (struct of_port_stats){
			.port = list[i]->port.number,
			.rx_packets = counts.rx_packets,
			.tx_packets = counts.tx_packets,
			.rx_bytes = counts.rx_bytes,
			.tx_bytes = counts.tx_bytes,
			.rx_dropped = counts.rx_dropped,
			.tx_dropped = counts.tx_dropped,
			.rx_errors = counts.rx_errors,
			.tx_errors = counts.tx_errors,
			.rx_frame_errors = UINT64_MAX,
			.rx_over_errors = UINT64_MAX,
			.rx_crc_errors = UINT64_MAX,
			.collisions = UINT64_MAX,
			.duration_ns = now_ns - list[i]->created_ns,
		};
	}
	multipart_init_reply(session, request, OFM_PORT_STATS_REPLY, &reply);
	reply.port_stats = stats;
	reply.n = n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(stats);
	free(list);
	return 0;
}

/* ---- queues ---- */

struct queue {
	uint32_t port, number;
	uint64_t tx_bytes, tx_packets, tx_errors, floor_bps, ceil_bps, root_bps,
		duration_ns;
};

struct queues {
	struct queue *list;
	size_t n;
	const struct port *port;
	uint32_t wanted; /* OF_QUEUE_ALL */
	uint64_t now_ns, root_bps;
};

static void
add_queue(const struct dp_class_stats *class, void *aux)
{
	struct queues *queues = aux;

	if (class->number == DP_CLASS_ROOT) {
		queues->root_bps = class->ceil_bps;
		return;
	}
	if (queues->wanted != OF_QUEUE_ALL && queues->wanted != class->number)
		return;
	queues->list = xrealloc(queues->list, (queues->n + 1) * sizeof(*queues->list));
	queues->list[queues->n++] = (struct queue){
		.port = queues->port->port.number,
		.number = class->number,
		.tx_bytes = class->sent_bytes,
		.tx_packets = class->sent_packets,
		.tx_errors = class->dropped_packets,
		.floor_bps = class->floor_bps,
		.ceil_bps = class->ceil_bps,
		.root_bps = queues->root_bps,
		.duration_ns = queues->now_ns - class->created_ns,
	};
}

/* '*list' is the caller's. */
static int
choose_queues(const struct session *session, uint32_t port, uint32_t queue,
              struct queues *queues, struct of_error *error)
{
	size_t n;
	struct port **ports = choose_ports(session, port, &n);
	const bool is_any_port = port == FLOW_PORT_NONE || port == FLOW_PORT_ALL;

	*queues = (struct queues){.wanted = queue, .now_ns = dp_time_ns()};
	for (size_t i = 0; i < n; i++) {
		uint64_t time_ns;

		queues->port = ports[i];
		queues->root_bps = 0;
		dp_port_qos_stats(ports[i]->port.dp_port_id, add_queue, queues, &time_ns);
	}
	free(ports);
	if (!n && !is_any_port)
		return of_fail(error, OFERR_QUEUE_OP_PORT, "there is no port %u", port);
	if (!queues->n && queue != OF_QUEUE_ALL)
		return of_fail(error, OFERR_QUEUE_OP_QUEUE, "there is no queue %u",
		               queue);
	return 0;
}

int
multipart_queue_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	struct of_queue_stats *stats;
	struct queues queues;
	struct of_msg reply;
	const int result = choose_queues(session, request->queue_request.port,
	                                 request->queue_request.queue, &queues, error);

	if (result) {
		free(queues.list);
		return result;
	}
	stats = xcalloc(MAX_OF(queues.n, 1), sizeof(*stats));
	for (size_t i = 0; i < queues.n; i++)
		stats[i] = (struct of_queue_stats){
			.port = queues.list[i].port,
			.queue = queues.list[i].number,
			.tx_bytes = queues.list[i].tx_bytes,
			.tx_packets = queues.list[i].tx_packets,
			.tx_errors = queues.list[i].tx_errors,
			.duration_ns = queues.list[i].duration_ns,
		};
	multipart_init_reply(session, request, OFM_QUEUE_STATS_REPLY, &reply);
	reply.queue_stats = stats;
	reply.n = queues.n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(stats);
	free(queues.list);
	return 0;
}

static uint16_t
share(uint64_t bps, uint64_t of_bps)
{
	if (!bps || !of_bps)
		return UINT16_MAX;
	return (uint16_t)MIN_OF(bps / MAX_OF(of_bps / RATE_WHOLE, 1), RATE_WHOLE);
}

int
multipart_queue_configs(struct session *session, const struct of_msg *request,
                        struct of_error *error)
{
	const bool is_desc = request->kind == OFM_QUEUE_DESC_REQUEST;
	const uint32_t port = is_desc ? request->queue_request.port : request->number;
	struct of_queue_config *configs;
	struct queues queues;
	struct of_msg reply;
	const int result = choose_queues(
		session, port, is_desc ? request->queue_request.queue : OF_QUEUE_ALL,
		&queues, error);

	if (result) {
		free(queues.list);
		return result;
	}
	configs = xcalloc(MAX_OF(queues.n, 1), sizeof(*configs));
	for (size_t i = 0; i < queues.n; i++)
		configs[i] = (struct of_queue_config){
			.port = queues.list[i].port,
			.queue = queues.list[i].number,
			.min_rate =
				share(queues.list[i].floor_bps, queues.list[i].root_bps),
			.max_rate =
				share(queues.list[i].ceil_bps, queues.list[i].root_bps),
		};
	multipart_init_reply(session, request,
	                     is_desc ? OFM_QUEUE_DESC_REPLY : OFM_QUEUE_CONFIG_REPLY,
	                     &reply);
	reply.queues.port = port;
	reply.queues.list = configs;
	reply.n = queues.n;
	session_send(session, &reply);
	of_msg_destroy(&reply);
	free(configs);
	free(queues.list);
	return 0;
}
