/* egress.c - see egress.h: a port's packets are taken up as if a walk had been suspended
 * before the first egress table, with nothing but that port in its action set. Between
 * output.c and pipeline.c. Worker threads. */
#include "datapath/egress.h"

#include <string.h>

#include "datapath/bridge.h"
#include "datapath/port/port.h"
#include "datapath/walk.h"
#include "datapath/worker.h"

#include "datapath/hot.h"

void
egress_begin(const struct program_egress *record, const struct port *in,
             const struct port *out, struct program_walk *walk)
{
	uint8_t *data = (uint8_t *)walk->data;
	struct flow_output output = {
		.head = {.type = ACTION_OUTPUT, .bytes = sizeof(output)},
		.port = out == in ? FLOW_PORT_IN_PORT : bridge_port_number(out),
	};
	struct flow_number next = {
		.head = {.type = ACTION_GOTO_TABLE, .bytes = sizeof(next)},
		.value = record->table,
	};

	walk->head.type = PROGRAM_WALK;
	walk->head.bytes = EGRESS_WALK_BYTES;
	walk->is_egress = true;
	walk->table = record->table;
	walk->in_port = bridge_port_number(in);
	walk->action_set_bytes = sizeof(output);
	walk->rest_bytes = sizeof(next);
	memcpy(walk->state, record->state, sizeof(walk->state));
	memcpy(data, &output, sizeof(output));
	memcpy(data + sizeof(output), &next, sizeof(next));
}

void
egress_packets(struct worker *worker, struct port *out, struct rte_mbuf **pkts,
               unsigned n)
{
	const struct egress *egress = worker->egress;
	uint64_t record[EGRESS_WALK_BYTES / sizeof(uint64_t)] = {0};

	egress_begin(egress->record, egress->in, out, (void *)record);
	worker->egress = NULL;
	pipeline_resume(worker, egress->in, (void *)record, pkts, n);
	worker->egress = egress;
}
