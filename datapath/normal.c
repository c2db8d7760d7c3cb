/* normal.c - forwards by learned addresses: VLAN in, learn, look up, VLAN out, flood.
 * Called by action.c with whole batches. Worker threads. */
#include "datapath/normal.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ring_elem.h>

#include "datapath/bridge.h"
#include "datapath/offload.h"
#include "datapath/output.h"
#include "datapath/port/port.h"

#include "datapath/hot.h"

/* An address seen again within this time is not reported to main again. */
#define LEARN_REPEAT_NS 10000000

#define VLAN_VID_MASK 0xfff

/* What one packet asks of the switch; also the memory of the previous packet. */
struct normal_key {
	uint64_t dst48, src48; /* MACs as numbers */
	uint16_t vlan;
	bool is_tagged;
};

static inline uint64_t
normal_mac48(const uint8_t *mac)
{
	uint64_t word;

	memcpy(&word, mac, sizeof(word));
	return __builtin_bswap64(word) >> 16;
}

static bool
normal_is_carried(const struct port_settings *settings, uint16_t vlan)
{
	const uint8_t *trunks = settings->config.trunks;

	return trunks[vlan / 8] >> vlan % 8 & 1;
}

/* The VLAN a packet belongs to, or why it is not let in. */
static enum drop_reason
normal_vlan_in(const struct port_settings *settings, struct normal_key *key)
{
	const struct dp_port_settings *config = &settings->config;

	switch (config->vlan_mode) {
	case DP_VLAN_ACCESS:
		if (key->vlan != 0)
			return DROP_RX_VLAN_ACCESS_TAGGED;
		key->vlan = (uint16_t)config->vlan_tag;
		return DROP_N_REASONS;
	case DP_VLAN_NATIVE_TAGGED:
	case DP_VLAN_NATIVE_UNTAGGED:
		if (key->vlan == 0)
			key->vlan = (uint16_t)config->vlan_tag;
		if (key->vlan == config->vlan_tag)
			return DROP_N_REASONS;
		break;
	case DP_VLAN_TRUNK:
		break;
	}
	return normal_is_carried(settings, key->vlan) ? DROP_N_REASONS
	                                              : DROP_RX_VLAN_NOT_CARRIED;
}

/* Whether 'port' takes packets of 'vlan', and with which tag (0 = untagged). */
static bool
normal_vlan_out(const struct port_settings *settings, uint16_t vlan, uint16_t *tag)
{
	const struct dp_port_settings *config = &settings->config;

	*tag = vlan;
	switch (config->vlan_mode) {
	case DP_VLAN_ACCESS:
		*tag = 0;
		return vlan == config->vlan_tag;
	case DP_VLAN_NATIVE_UNTAGGED:
		if (vlan == config->vlan_tag) {
			*tag = 0;
			return true;
		}
		break;
	case DP_VLAN_NATIVE_TAGGED:
		if (vlan == config->vlan_tag)
			return true;
		break;
	case DP_VLAN_TRUNK:
		break;
	}
	return normal_is_carried(settings, vlan);
}

static bool
normal_set_tag(struct rte_mbuf *pkt, uint16_t tag, bool is_tagged)
{
	uint8_t *data = rte_pktmbuf_mtod(pkt, uint8_t *);

	if (tag && is_tagged) {
		data[14] = (uint8_t)((data[14] & 0xf0) | tag >> 8);
		data[15] = (uint8_t)tag;
	} else if (is_tagged) {
		memmove(data + 4, data, 12);
		rte_pktmbuf_adj(pkt, 4);
		offload_move_l3(pkt, -4);
	} else if (tag) {
		data = (uint8_t *)(void *)rte_pktmbuf_prepend(pkt, 4);
		if (!data)
			return false;
		offload_move_l3(pkt, 4);
		memmove(data, data + 4, 12);
		data[12] = 0x81;
		data[13] = 0x00;
		data[14] = (uint8_t)(tag >> 8);
		data[15] = (uint8_t)tag;
	}
	return true;
}

/* Tells main where an address is, at most once per LEARN_REPEAT_NS and address. */
static void
normal_report(struct worker *worker, const struct port *in, uint64_t fdb_key_value)
{
	uint64_t token = fdb_key_value ^ (uint64_t)in->id << 52;
	unsigned slot = rte_hash_crc_8byte(token, 0) & (LEARN_FILTER_SIZE - 1);
	struct learn_event event = {fdb_key_value, in->bridge->id, in->id};

	if (in->id >= DP_PORTS_MAX)
		return; /* of main, not of a port */
	if (worker->learn_filter[slot] == token &&
	    worker->now_ns - worker->learn_filter_ns[slot] < LEARN_REPEAT_NS)
		return;
	worker->learn_filter[slot] = token;
	worker->learn_filter_ns[slot] = worker->now_ns;
	/* A full ring loses the report; the address's next packet makes another. */
	if (rte_ring_sp_enqueue_elem(worker->learn, &event, sizeof(event)) == 0)
		worker_notify_main();
}

static void
normal_learn(struct worker *worker, const struct port *in, struct fdb *fdb, uint64_t key)
{
	struct fdb_slot *slot = fdb_find(fdb, key);

	if (likely(slot && slot->port_id == in->id)) {
		if (unlikely(slot->seen_s != worker->now_s))
			atomic_store_explicit(&slot->seen_s, worker->now_s,
			                      memory_order_relaxed);
		return;
	}
	normal_report(worker, in, key);
}

/* Sends a packet that is ours alone to one port, with the tag the port wants. */
static void
normal_output(struct worker *worker, struct port *out, struct rte_mbuf *pkt, uint16_t tag,
              const struct normal_key *key, bool retag)
{
	if (unlikely(retag) && !normal_set_tag(pkt, tag, key->is_tagged)) {
		port_drop(out, worker, DROP_TX_NO_BUFFER, &pkt, 1);
		return;
	}
	output_packet(worker, out, pkt);
}

static void
normal_flood(struct worker *worker, struct port *in, struct rte_mbuf *pkt,
             const struct normal_key *key)
{
	const struct bridge_members *members = in->bridge->members;
	uint16_t in_tag = key->is_tagged ? 0xffff : 0, last_tag = 0, tag;
	struct port *last = NULL;

	/* Every port but the last gets a copy; the last gets the packet itself. */
	for (uint32_t i = 0; i < members->n; i++) {
		struct port *out = members->ports[i];

		if (out == in || !out->settings->is_flooded ||
		    !normal_vlan_out(out->settings, key->vlan, &tag))
			continue;
		if (last) {
			struct rte_mbuf *copy =
				rte_pktmbuf_copy(pkt, pkt->pool, 0, UINT32_MAX);

			if (copy) {
				packet_copy_meta(copy, pkt);
				normal_output(worker, last, copy, last_tag, key,
				              last_tag != in_tag);
			} else {
				port_worker_count_drop(last, worker, DROP_TX_NO_BUFFER);
			}
		}
		last = out;
		last_tag = tag;
	}
	if (last)
		normal_output(worker, last, pkt, last_tag, key, last_tag != in_tag);
	else
		port_drop(in, worker, DROP_RX_NO_OUTPUT, &pkt, 1);
}

/* The reason to drop 'pkt': malformed, or an address that no bridge forwards
 * (01:80:c2:00:00:00 to 0f); else DROP_N_REASONS. */
static inline enum drop_reason
normal_parse(const struct rte_mbuf *pkt, struct normal_key *key)
{
	const uint8_t *data = rte_pktmbuf_mtod(pkt, const uint8_t *);

	if (unlikely(pkt->data_len < RTE_ETHER_HDR_LEN))
		return DROP_RX_MALFORMED;
	key->dst48 = normal_mac48(data);
	key->src48 = normal_mac48(data + 6);
	key->vlan = 0;
	key->is_tagged = data[12] == 0x81 && data[13] == 0x00 && pkt->data_len >= 18;
	if (unlikely(key->is_tagged))
		key->vlan = (uint16_t)((data[14] << 8 | data[15]) & VLAN_VID_MASK);
	return unlikely((key->dst48 & ~0xfULL) == 0x0180c2000000ULL)
	               ? DROP_RX_RESERVED_MAC
	               : DROP_N_REASONS;
}

/* Where one packet goes: the only port it leaves by without change, or NULL if it was
 * dealt with here (dropped, flooded, or sent with another tag). */
static struct port *
normal_forward_one(struct worker *worker, struct port *in, struct fdb *fdb,
                   const struct port_settings *settings, struct rte_mbuf *pkt,
                   struct normal_key *key)
{
	bool is_plain = settings->vlan_is_plain;
	struct port *out;
	uint32_t out_id;
	uint16_t tag;

	if (unlikely(!is_plain)) {
		enum drop_reason reason = normal_vlan_in(settings, key);

		if (reason != DROP_N_REASONS) {
			port_drop(in, worker, reason, &pkt, 1);
			return NULL;
		}
	}
	if (likely(!(key->src48 >> 40 & 1)))
		normal_learn(worker, in, fdb, fdb_key(key->src48, key->vlan));
	out_id = key->dst48 >> 40 & 1 ? FDB_PORT_NONE
	                              : fdb_lookup(fdb, fdb_key(key->dst48, key->vlan));
	out = out_id == FDB_PORT_NONE ? NULL : ports[out_id];
	if (likely(out && out != in && is_plain && out->settings->vlan_is_plain))
		return out;
	if (!out)
		normal_flood(worker, in, pkt, key);
	else if (out == in)
		port_drop(in, worker, DROP_RX_HAIRPIN, &pkt, 1);
	else if (normal_vlan_out(out->settings, key->vlan, &tag))
		normal_output(worker, out, pkt, tag, key, tag || key->is_tagged);
	else
		port_drop(in, worker, DROP_RX_VLAN_NOT_CARRIED, &pkt, 1);
	return NULL;
}

static bool
normal_key_equal(const struct normal_key *a, const struct normal_key *b)
{
	return a->dst48 == b->dst48 && a->src48 == b->src48 && a->vlan == b->vlan;
}

/* Packets come in trains of the same addresses: the next packet of a train goes where the
 * one before went, and a train leaves in one piece. */
void
normal_forward(struct worker *worker, struct port *in, struct rte_mbuf **pkts, unsigned n)
{
	const struct port_settings *settings = in->settings;
	struct normal_key train = {0}, key;
	struct fdb *fdb = in->bridge->fdb;
	struct port *out = NULL;
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		enum drop_reason reason = normal_parse(pkts[i], &key);
		bool is_gone = reason != DROP_N_REASONS;

		if (likely(out && !is_gone && normal_key_equal(&key, &train)))
			continue;
		if (out)
			output_packets(worker, out, pkts + first, i - first);
		train = key;
		out = NULL;
		first = i;
		if (unlikely(is_gone))
			port_drop(in, worker, reason, &pkts[i], 1);
		else
			out = normal_forward_one(worker, in, fdb, settings, pkts[i],
			                         &key);
	}
	if (out)
		output_packets(worker, out, pkts + first, n - first);
}

/* ---- main, for traces ---- */

static uint32_t
normal_find(const struct port *in, const struct normal_key *key)
{
	return key->dst48 >> 40 & 1
	               ? FDB_PORT_NONE
	               : fdb_lookup(in->bridge->fdb, fdb_key(key->dst48, key->vlan));
}

const char *
normal_remark(const struct port *in, const struct flow_key *key)
{
	struct normal_key normal = {.vlan = key->f.vlan_tci & VLAN_VID_MASK};
	uint32_t out_id;

	for (unsigned i = 0; i < sizeof(key->f.eth_dst); i++)
		normal.dst48 = normal.dst48 << 8 | key->f.eth_dst[i];
	if (normal_vlan_in(in->settings, &normal) != DROP_N_REASONS)
		return "the port does not carry its VLAN";
	if (normal.dst48 >> 40 & 1)
		return "multicast, flooding";
	out_id = normal_find(in, &normal);
	if (out_id == FDB_PORT_NONE || !ports[out_id])
		return "no learned MAC for destination, flooding";
	return ports[out_id] == in ? "learned port is input port, dropping"
	                           : "forwarding to learned port";
}

/* Shows a copy with the tag that 'out' wants. */
static void
normal_show(struct port *out, const struct rte_mbuf *pkt, uint16_t tag,
            const struct normal_key *key,
            void (*sent)(struct port *out, struct rte_mbuf *pkt, void *aux), void *aux)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(pkt, pkt->pool, 0, UINT32_MAX);

	if (!copy)
		return;
	*packet_meta(copy) = *packet_meta((struct rte_mbuf *)(uintptr_t)pkt);
	if ((tag || key->is_tagged) && !normal_set_tag(copy, tag, key->is_tagged)) {
		rte_pktmbuf_free(copy);
		return;
	}
	sent(out, copy, aux);
	rte_pktmbuf_free(copy);
}

static enum drop_reason
normal_show_flood(const struct port *in, const struct rte_mbuf *pkt,
                  const struct normal_key *key,
                  void (*sent)(struct port *out, struct rte_mbuf *pkt, void *aux),
                  void *aux)
{
	const struct bridge_members *members = in->bridge->members;
	enum drop_reason reason = DROP_RX_NO_OUTPUT;
	uint16_t tag;

	for (uint32_t i = 0; i < members->n; i++) {
		struct port *out = members->ports[i];

		if (out == in || !out->settings->is_flooded ||
		    !normal_vlan_out(out->settings, key->vlan, &tag))
			continue;
		normal_show(out, pkt, tag, key, sent, aux);
		reason = DROP_N_REASONS;
	}
	return reason;
}

enum drop_reason
normal_look(const struct port *in, struct rte_mbuf *pkt,
            void (*sent)(struct port *out, struct rte_mbuf *pkt, void *aux), void *aux,
            uint64_t *learned)
{
	struct normal_key key;
	enum drop_reason reason = normal_parse(pkt, &key);
	struct port *out = NULL;
	uint32_t out_id;
	uint16_t tag;

	*learned = 0;
	if (reason == DROP_N_REASONS)
		reason = normal_vlan_in(in->settings, &key);
	if (reason != DROP_N_REASONS)
		return reason;
	if (!(key.src48 >> 40 & 1) && in->id < DP_PORTS_MAX)
		*learned = fdb_key(key.src48, key.vlan);
	out_id = normal_find(in, &key);
	if (out_id != FDB_PORT_NONE)
		out = ports[out_id];
	if (!out)
		return normal_show_flood(in, pkt, &key, sent, aux);
	if (out == in)
		return DROP_RX_HAIRPIN;
	if (!normal_vlan_out(out->settings, key.vlan, &tag))
		return DROP_RX_VLAN_NOT_CARRIED;
	normal_show(out, pkt, tag, &key, sent, aux);
	return DROP_N_REASONS;
}
