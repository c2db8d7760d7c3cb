/* assign.c - assigns queues and schedulers to workers and publishes the result. Main
 * thread.
 *
 * Queues and schedulers change hands while no worker takes packets in and none is on its
 * way between workers: the owner is taken away, every worker passes a quiescent point,
 * then the new owner is named. So packets wait in the rings they came by, keep their
 * order, and none meets a scheduler without an owner. */
#include "datapath/assign.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "datapath/gate.h"
#include "datapath/pipeline.h"
#include "datapath/port/port.h"
#include "datapath/qos.h"
#include "datapath/rcu.h"
#include "datapath/worker.h"

/* The state of one computation. */
struct assignment {
	unsigned load[DP_WORKERS_MAX]; /* enabled queues and schedulers of each worker */
	uint16_t kernel;               /* the kernel worker's id */
	uint16_t polling[DP_WORKERS_MAX];
	unsigned n_polling;
	uint16_t leaving[DP_WORKERS_MAX]; /* they pass on what they have */
	unsigned n_leaving;
	bool must_wait; /* something is taken from an owner that may still use it */
	bool is_paused; /* nothing is taken in */
};

static void
assign_pause(struct assignment *a)
{
	if (!a->is_paused)
		worker_pause_intake();
	a->is_paused = true;
}

static int
assign_numa_node(const struct port *port)
{
	return port->ops->numa_node ? port->ops->numa_node(port) : -1;
}

static bool
assign_is_local(uint16_t worker, int numa_node)
{
	return numa_node < 0 || workers[worker]->numa_node == numa_node;
}

/* The polling worker with the least to do, on the node if any is there. */
static uint16_t
assign_least_loaded(const struct assignment *a, int numa_node)
{
	uint16_t best = WORKER_NONE;

	for (int pass = 0; pass < 2 && best == WORKER_NONE; pass++)
		for (unsigned i = 0; i < a->n_polling; i++)
			if ((pass || assign_is_local(a->polling[i], numa_node)) &&
			    (best == WORKER_NONE ||
			     a->load[a->polling[i]] < a->load[best]))
				best = a->polling[i];
	return best;
}

static bool
assign_has_local(const struct assignment *a, int numa_node)
{
	for (unsigned i = 0; i < a->n_polling; i++)
		if (assign_is_local(a->polling[i], numa_node))
			return true;
	return false;
}

/* The present owner if it may stay, else the best one. */
static uint16_t
assign_choose(const struct assignment *a, uint16_t present, int numa_node, bool by_kernel)
{
	if (by_kernel)
		return a->kernel;
	if (present != WORKER_NONE && workers[present] && !workers[present]->is_leaving &&
	    present != a->kernel &&
	    (assign_is_local(present, numa_node) || !assign_has_local(a, numa_node))) {
		uint16_t best = assign_least_loaded(a, numa_node);

		if (a->load[present] <= a->load[best] + 1)
			return present;
	}
	return assign_least_loaded(a, numa_node);
}

static void
assign_note_choice(struct assignment *a, uint16_t owner, uint16_t wanted)
{
	a->must_wait |= owner != wanted && owner != WORKER_NONE;
	a->load[wanted]++;
}

static void
assign_take_owner(_Atomic uint16_t *owner, uint16_t wanted)
{
	if (*owner != wanted)
		*owner = WORKER_NONE;
}

static void
assign_find_workers(struct assignment *a)
{
	memset(a, 0, sizeof(*a));
	a->kernel = WORKER_NONE;
	for (uint16_t i = 0; i < DP_WORKERS_MAX; i++) {
		if (!workers[i])
			continue;
		if (workers[i]->is_leaving)
			a->leaving[a->n_leaving++] = i;
		else if (workers[i]->core < 0)
			a->kernel = i;
		else
			a->polling[a->n_polling++] = i;
	}
}

/* Ports that share a scheduler share its owner: the kernel worker if any is the kernel's.
 * One that no port uses keeps its owner until it is freed. */
static void
assign_choose_qos_owner(struct assignment *a, struct port_qos *qos, uint16_t *wanted)
{
	bool by_kernel = false;
	int node = -1;

	for (uint32_t i = 0; i < qos->n_ports; i++) {
		by_kernel |= qos->ports[i]->ops->served_by_kernel_worker;
		if (node < 0)
			node = assign_numa_node(qos->ports[i]);
	}
	*wanted = assign_choose(a, qos->owner, node, by_kernel);
	assign_note_choice(a, qos->owner, *wanted);
}

/* The worker of a gate and of all queues behind it, of whichever port. */
static uint16_t
assign_choose_for_gate(struct assignment *a, struct gate *gate, int numa_node,
                       bool by_kernel)
{
	if (gate->wanted_owner == WORKER_NONE) {
		gate->wanted_owner = assign_choose(a, gate->owner, numa_node, by_kernel);
		assign_note_choice(a, gate->owner, gate->wanted_owner);
	}
	return gate->wanted_owner;
}

/* Chooses the owners: 'wanted', queue by queue in the order of assign_name_owners(). */
static void
assign_choose_owners(struct assignment *a, uint16_t *wanted)
{
	size_t k = 0;

	for (struct gate *gate = gates; gate; gate = gate->next)
		gate->wanted_owner = WORKER_NONE;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *port = ports[i];
		bool by_kernel, has_one_owner;
		uint16_t first = WORKER_NONE;
		int node;

		if (!port)
			continue;
		by_kernel = port->ops->served_by_kernel_worker;
		has_one_owner = port->settings->is_policed || port->gate;
		node = assign_numa_node(port);
		/* Also without a queue: it may hold packets of one that stopped. */
		if (port->gate)
			first = assign_choose_for_gate(a, port->gate->gate, node,
			                               by_kernel);
		for (uint16_t q = 0; q < port->n_rxqs; q++, k++) {
			struct rxq *rxq = &port->rxqs[q];

			wanted[k] = WORKER_NONE;
			if (!rxq->enabled) {
				if (rxq->owner != WORKER_NONE)
					rxq->owner = WORKER_NONE;
				continue;
			}
			/* One policer or gate, one worker. */
			wanted[k] =
				has_one_owner && first != WORKER_NONE
					? first
					: assign_choose(a, rxq->owner, node, by_kernel);
			first = wanted[k];
			assign_note_choice(a, rxq->owner, wanted[k]);
		}
	}
	for (struct port_qos *qos = qos_all; qos; qos = qos->next, k++)
		assign_choose_qos_owner(a, qos, &wanted[k]);
}

/* First step: takes from their owners what shall move. */
static void
assign_take_from_owners(const uint16_t *wanted)
{
	size_t k = 0;

	for (struct gate *gate = gates; gate; gate = gate->next)
		assign_take_owner(&gate->owner, gate->wanted_owner);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *port = ports[i];

		for (uint16_t q = 0; port && q < port->n_rxqs; q++)
			assign_take_owner(&port->rxqs[q].owner, wanted[k++]);
	}
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		assign_take_owner(&qos->owner, wanted[k++]);
}

/* Second step: nobody uses what was taken; names the new owners. */
static void
assign_name_owners(const uint16_t *wanted)
{
	size_t k = 0;

	for (struct gate *gate = gates; gate; gate = gate->next)
		gate->owner = gate->wanted_owner;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *port = ports[i];

		if (!port)
			continue;
		for (uint16_t q = 0; q < port->n_rxqs; q++)
			port->rxqs[q].owner = wanted[k++];
	}
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		qos->owner = wanted[k++];
}

static void
assign_publish_view(struct worker *worker, size_t n_places)
{
	struct worker_view *view = xcalloc(1, sizeof(*view));

	view->rxqs = xcalloc(n_places, sizeof(struct rxq *));
	view->gates = xcalloc(n_places, sizeof(struct gate *));
	view->qos = xcalloc(n_places, sizeof(struct port_qos *));
	for (struct gate *gate = gates; gate; gate = gate->next)
		if (gate->owner == worker->id && gate->n_ports)
			view->gates[view->n_gates++] = gate;
	for (unsigned i = 0; i < DP_PORTS_MAX; i++) {
		struct port *port = ports[i];

		if (!port)
			continue;
		for (uint16_t q = 0; q < port->n_rxqs; q++)
			if (port->rxqs[q].owner == worker->id)
				view->rxqs[view->n_rxqs++] = &port->rxqs[q];
	}
	for (struct port_qos *qos = qos_all; qos; qos = qos->next)
		if (qos->n_ports > 0 && qos->owner == worker->id)
			view->qos[view->n_qos++] = qos;
	worker_publish_view(worker, view);
	worker_wake(worker);
}

static unsigned
assign_index_of(const struct assignment *a, uint16_t worker)
{
	for (unsigned i = 0; i < a->n_polling; i++)
		if (a->polling[i] == worker)
			return i;
	return 0;
}

static void
route_set(struct tx_route *route, enum tx_mode mode, uint16_t target)
{
	route->mode = (uint8_t)mode;
	route->target = target;
}

/* A port with one owner for all its queues: a kernel interface, or one with a scheduler.
 */
static void
assign_route_owned(const struct assignment *a, struct tx_map *map, uint16_t owner,
                   enum tx_mode owner_mode, const uint8_t *queues, unsigned n_queues)
{
	for (unsigned i = 0; i < a->n_polling; i++)
		route_set(&map->routes[a->polling[i]], TX_HANDOVER, owner);
	for (unsigned i = 0; i < a->n_leaving; i++)
		route_set(&map->routes[a->leaving[i]], TX_HANDOVER, owner);
	route_set(&map->routes[a->kernel], TX_HANDOVER, owner);
	route_set(&map->routes[owner], owner_mode, owner);
	map->routes[owner].n_queues = (uint8_t)n_queues;
	memcpy(map->routes[owner].queues, queues, n_queues);
}

/* Each queue has one sender: no locks. Workers beyond the number of queues hand over. */
static void
assign_route_shared(const struct assignment *a, const struct port *port,
                    struct tx_map *map, const uint8_t *queues, unsigned n_queues)
{
	unsigned base = port->n_rxqs && port->rxqs[0].owner != WORKER_NONE
	                        ? assign_index_of(a, port->rxqs[0].owner)
	                        : 0;

	for (unsigned q = 0; q < n_queues; q++) {
		struct tx_route *route =
			&map->routes[a->polling[(base + q) % a->n_polling]];

		route_set(route, TX_DIRECT, 0);
		route->queues[route->n_queues++] = queues[q];
	}
	for (unsigned i = 0; i < a->n_polling; i++)
		if (map->routes[a->polling[i]].mode == TX_NONE)
			route_set(&map->routes[a->polling[i]], TX_HANDOVER,
			          a->polling[(base + i % n_queues) % a->n_polling]);
	for (unsigned i = 0; i < a->n_leaving; i++)
		route_set(&map->routes[a->leaving[i]], TX_HANDOVER, a->polling[base]);
	route_set(&map->routes[a->kernel], TX_HANDOVER, a->polling[base]);
}

/* Nothing about the port is one worker's: each sends itself. */
static void
assign_route_any(struct tx_map *map, const uint8_t *queues, unsigned n_queues)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		route_set(&map->routes[i], TX_DIRECT, 0);
		map->routes[i].n_queues = (uint8_t)n_queues;
		memcpy(map->routes[i].queues, queues, n_queues);
	}
}

/* Whether packets that some worker has handed over might be overtaken by its next ones.
 */
static bool
routes_leave_a_hand_over(const struct tx_map *old, const struct tx_map *map)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (old->routes[i].mode == TX_HANDOVER &&
		    memcmp(&old->routes[i], &map->routes[i], sizeof(map->routes[i])) != 0)
			return true;
	return false;
}

static bool
routes_have_a_sender(const struct tx_map *map)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (map->routes[i].n_queues > 0)
			return true;
	return false;
}

static bool
assign_publish_routes(struct assignment *a, struct port *port)
{
	struct tx_map *map = xcalloc_cacheline(sizeof(*map)), *old = port->tx_map;
	uint8_t queues[DP_QUEUES_MAX];
	unsigned n = port->settings->config.no_forward
	                     ? 0
	                     : port->ops->tx_queues(port, queues);

	if (n > 0 && port->ops->tx_by_any_worker && !port->qos)
		assign_route_any(map, queues, n);
	else if (n > 0 && port->qos)
		assign_route_owned(a, map, port->qos->owner, TX_QOS, queues, n);
	else if (n > 0 && port->ops->served_by_kernel_worker)
		assign_route_owned(a, map, a->kernel, TX_DIRECT, queues, n);
	else if (n > 0)
		assign_route_shared(a, port, map, queues, n);
	if (old && !memcmp(map, old, sizeof(*map))) {
		free(map);
		return n > 1;
	}
	if (old && routes_leave_a_hand_over(old, map))
		assign_pause(a);
	/* Nobody sends while a queue changes its sender. */
	if (old && port->ops->tx_needs_one_sender && routes_have_a_sender(old)) {
		struct tx_map *nobody = xcalloc_cacheline(sizeof(*nobody));

		assign_pause(a);
		atomic_store_explicit(&port->tx_map, nobody, memory_order_release);
		rcu_free_after(old);
		rcu_synchronize();
		old = nobody;
	}
	atomic_store_explicit(&port->tx_map, map, memory_order_release);
	if (old)
		rcu_free_after(old);
	return n > 1;
}

static size_t
assign_count_places(void)
{
	size_t n = 1;

	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		if (ports[i])
			n += ports[i]->n_rxqs;
	for (const struct port_qos *qos = qos_all; qos; qos = qos->next)
		n++;
	for (const struct gate *gate = gates; gate; gate = gate->next)
		n++;
	return n;
}

void
assign_update(void)
{
	size_t n_places = assign_count_places();
	uint16_t *wanted = xcalloc(n_places, sizeof(*wanted));
	bool needs_hash = false;
	struct assignment a;

	assign_find_workers(&a);
	if (a.n_polling == 0 || a.kernel == WORKER_NONE) {
		free(wanted);
		return;
	}
	assign_choose_owners(&a, wanted);
	if (a.must_wait) {
		assign_pause(&a);
		assign_take_from_owners(wanted);
		rcu_synchronize();
	}
	assign_name_owners(wanted);
	for (unsigned i = 0; i < DP_PORTS_MAX; i++)
		if (ports[i])
			needs_hash |= assign_publish_routes(&a, ports[i]);
	for (const struct port_qos *qos = qos_all; qos; qos = qos->next)
		needs_hash |= qos->is_fair;
	pipeline_needs_hash = needs_hash;
	if (a.is_paused)
		worker_resume_intake(); /* before the views, which wake sleepers */
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++)
		if (workers[i])
			assign_publish_view(workers[i], n_places);
	gates_collect();
	free(wanted);
}
