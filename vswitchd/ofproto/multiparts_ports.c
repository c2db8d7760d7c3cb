/* multiparts_ports.c - descriptions and statistics of ports and their queues. Part of
 * multiparts.c. Main thread. */
#include <stdlib.h>

#include "base/mem.h"
#include "openflow/of_msg.h"
#include "vswitchd/ofproto/multiparts_private.h"
#include "vswitchd/ofproto/ports.h"

#define RATE_WHOLE        1000 /* 1/10 % */
#define CONFIG_QUEUES_MAX 8192 /* more than a message has room for */

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
	size_t n, allocated;
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
	if (queues->n == queues->allocated) {
		queues->allocated = MAX_OF(2 * queues->allocated, 16);
		queues->list =
			xrealloc(queues->list, queues->allocated * sizeof(*queues->list));
	}
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

static void
add_queues(const struct port *port, struct queues *queues)
{
	uint64_t time_ns;

	queues->port = port;
	queues->root_bps = 0;
	dp_port_qos_stats(port->port.dp_port_id, add_queue, queues, &time_ns);
}

/* About the ports that have what is asked for. */
static int
dump_queues(struct session *session, const struct of_msg *request, dump_part_fn *part,
            struct of_error *error)
{
	const struct of_queue_request *what = &request->queue_request;
	struct dump *dump = dump_create(request, part);
	size_t n;
	struct port **ports = choose_ports(session, what->port, &n);
	const bool is_any_port =
		what->port == FLOW_PORT_NONE || what->port == FLOW_PORT_ALL;

	for (size_t i = 0; i < n; i++) {
		struct queues queues = {.wanted = what->queue};

		if (what->queue != OF_QUEUE_ALL)
			add_queues(ports[i], &queues);
		if (queues.n || what->queue == OF_QUEUE_ALL)
			dump_add_number(dump, ports[i]->port.number);
		free(queues.list);
	}
	free(ports);
	if (dump->n_numbers || (what->queue == OF_QUEUE_ALL && is_any_port)) {
		dump_begin(session, dump);
		return 0;
	}
	dump_free(dump);
	if (!n && !is_any_port)
		return of_fail(error, OFERR_QUEUE_OP_PORT, "there is no port %u",
		               what->port);
	return of_fail(error, OFERR_QUEUE_OP_QUEUE, "there is no queue %u", what->queue);
}

/* Of the next ports that are still there, until there are 'enough'; the list is the
 * caller's. */
static void
add_next_queues(const struct session *session, struct dump *dump, size_t enough,
                struct queues *queues)
{
	uint32_t number;

	queues->wanted = dump->request.queue_request.queue;
	queues->now_ns = dp_time_ns();
	while (queues->n < enough && dump_next_number(dump, &number)) {
		const struct port *port = switch_find_port(session->ofproto, number);

		if (port)
			add_queues(port, queues);
	}
}

static bool
queue_stats_part(struct session *session, struct dump *dump)
{
	struct queues queues = {0};
	struct of_queue_stats *stats;
	struct of_msg reply;
	bool has_more;

	add_next_queues(session, dump, DUMP_PART_ITEMS, &queues);
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
	multipart_init_reply(session, &dump->request, OFM_QUEUE_STATS_REPLY, &reply);
	reply.queue_stats = stats;
	reply.n = queues.n;
	has_more = dump_send_numbers(session, dump, &reply);
	free(stats);
	free(queues.list);
	return has_more;
}

int
multipart_queue_stats(struct session *session, const struct of_msg *request,
                      struct of_error *error)
{
	return dump_queues(session, request, queue_stats_part, error);
}

static uint16_t
share(uint64_t bps, uint64_t of_bps)
{
	if (!bps || !of_bps)
		return UINT16_MAX;
	return (uint16_t)MIN_OF(bps / MAX_OF(of_bps / RATE_WHOLE, 1), RATE_WHOLE);
}

/* Before 1.4 all of it is one message. */
static bool
queue_configs_part(struct session *session, struct dump *dump)
{
	const bool is_desc = dump->request.kind == OFM_QUEUE_DESC_REQUEST;
	struct of_queue_config *configs;
	struct queues queues = {0};
	struct of_msg reply;
	bool has_more;

	add_next_queues(session, dump, is_desc ? DUMP_PART_ITEMS : CONFIG_QUEUES_MAX,
	                &queues);
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
	multipart_init_reply(session, &dump->request,
	                     is_desc ? OFM_QUEUE_DESC_REPLY : OFM_QUEUE_CONFIG_REPLY,
	                     &reply);
	reply.queues.port = dump->request.queue_request.port;
	reply.queues.list = configs;
	reply.n = queues.n;
	has_more = dump_send_numbers(session, dump, &reply);
	free(configs);
	free(queues.list);
	return is_desc && has_more;
}

int
multipart_queue_configs(struct session *session, const struct of_msg *request,
                        struct of_error *error)
{
	struct of_msg wanted = *request;

	if (request->kind == OFM_QUEUE_CONFIG_REQUEST)
		wanted.queue_request = (struct of_queue_request){.port = request->number,
		                                                 .queue = OF_QUEUE_ALL};
	return dump_queues(session, &wanted, queue_configs_part, error);
}
