/* dummy_run.c - runs programs on a worker, for unit tests. */
#include "support/dummy_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/action.h"
#include "datapath/eal.h"
#include "datapath/output.h"
#include "datapath/packet_out.h"
#include "datapath/port/port.h"
#include "support/dummy_net.h"

struct call {
	struct port *in;
	const struct flow_actions *program;
	struct rte_mbuf *pkt;
};

static bool
call_execute(struct worker *worker, void *arg)
{
	struct call *call = arg;

	action_execute(worker, call->in, call->program->data, call->program->bytes,
	               &call->pkt, 1);
	output_flush(worker);
	return false;
}

void
run_program_on(uint32_t port_id, struct flow_actions *program, struct rte_mbuf *pkt)
{
	struct call call = {.program = program, .pkt = pkt};
	struct worker *worker = NULL;

	call.in = port_id == DP_ID_NONE ? packet_out_source(bridge) : ports[port_id];
	packet_meta(pkt)->item.class_ref = PACKET_CLASS_NONE;
	packet_meta(pkt)->item.flow_hash = 0;
	for (unsigned i = 0; i < DP_WORKERS_MAX && !worker; i++)
		if (workers[i] && workers[i]->core >= 0)
			worker = workers[i];
	assert_non_null(worker);
	worker_call(worker, call_execute, &call);
	flow_actions_clear(program);
}

void
run_program(uint32_t port_id, struct flow_actions *program, const uint8_t *frame,
            size_t n)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(eal_packet_pool(0));

	assert_non_null(pkt);
	memcpy(rte_pktmbuf_append(pkt, (uint16_t)n), frame, n);
	run_program_on(port_id, program, pkt);
}

struct wanted {
	const char *name;
	uint64_t value;
};

static void
look_for(const char *name, uint64_t value, void *aux)
{
	struct wanted *wanted = aux;

	if (!strcmp(wanted->name, name))
		wanted->value = value;
}

uint64_t
port_counter(uint32_t port_id, const char *name)
{
	struct wanted wanted = {name, UINT64_MAX};

	dp_port_counters(port_id, look_for, &wanted);
	assert_int_not_equal(wanted.value, UINT64_MAX);
	return wanted.value;
}
