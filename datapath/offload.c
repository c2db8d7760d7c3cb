/* offload.c - believes no sender, completes checksums, and segments chains of buffers
 * into packets of the pool. Below transmit.c, above port/. Worker threads.
 *
 * rte_gso of DPDK 22.11 segments no TCP over IPv6 and leaves checksums to a device, so
 * this is our own. A frame that is sent by segments keeps the number of the next one in
 * hash.usr, which nothing else uses for a packet on its way out: what the port's ring
 * does not take is made again when the frame is offered again, so no segment waits
 * anywhere. */
#include "datapath/offload.h"

#include <errno.h>
#include <string.h>

#include "net/checksum.h"
#include "net/segment.h"

#include "datapath/hot.h"

#define IP_PROTO_TCP       6
#define TCP_CHECKSUM_AT    16
#define UDP_CHECKSUM_AT    6
#define IPV6_HEADER_BYTES  40
#define OFFLOAD_DONE_FLAGS (OFFLOAD_RX_FLAGS | OFFLOAD_TX_FLAGS | OFFLOAD_FAMILY_FLAGS)

#define OFFLOAD_FAMILY_FLAGS (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)

_Atomic bool offload_in_use;

/* ---- checksums ---- */

/* Bytes of the transport header and payload, as the network header gives them; checked at
 * arrival. */
static size_t
offload_l4_bytes(const struct rte_mbuf *pkt, const uint8_t *ip)
{
	if (pkt->ol_flags & RTE_MBUF_F_TX_IPV6)
		return IPV6_HEADER_BYTES + ((size_t)ip[4] << 8 | ip[5]) - pkt->l3_len;
	return ((size_t)ip[2] << 8 | ip[3]) - pkt->l3_len;
}

static bool
offload_is_udp(const struct rte_mbuf *pkt)
{
	return (pkt->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
}

static uint64_t
offload_pseudo(const struct rte_mbuf *pkt, const uint8_t *ip, size_t l4_bytes)
{
	return checksum_pseudo(ip, pkt->ol_flags & RTE_MBUF_F_TX_IPV6,
	                       offload_is_udp(pkt) ? 17 : IP_PROTO_TCP, l4_bytes);
}

uint16_t
offload_write_pseudo(struct rte_mbuf *pkt)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(pkt, uint8_t *, pkt->l2_len);
	uint16_t at = offload_is_udp(pkt) ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;
	uint16_t sum = (uint16_t)~checksum_finish(
		offload_pseudo(pkt, ip, offload_l4_bytes(pkt, ip)));

	memcpy(ip + pkt->l3_len + at, &sum, sizeof(sum));
	return at;
}

/* Adds 'n' bytes of the packet from 'offset' on. */
static uint64_t
offload_sum(const struct rte_mbuf *pkt, size_t offset, size_t n, uint64_t sum)
{
	size_t done = 0;

	for (; pkt && done < n; pkt = pkt->next) {
		size_t piece = MIN_OF(pkt->data_len - offset, n - done);

		sum = checksum_add_at(sum, rte_pktmbuf_mtod(pkt, uint8_t *) + offset,
		                      piece, done);
		done += piece;
		offset = 0;
	}
	return sum;
}

static uint8_t *
offload_checksum_field(struct rte_mbuf *pkt)
{
	return rte_pktmbuf_mtod_offset(pkt, uint8_t *, pkt->l2_len + pkt->l3_len) +
	       (offload_is_udp(pkt) ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT);
}

/* Completes a checksum with what 'sum' and the transport header and payload amount to. */
static void
offload_finish(struct rte_mbuf *pkt, uint64_t sum)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(pkt, uint8_t *, pkt->l2_len);
	uint16_t folded = checksum_finish(offload_sum(
		pkt, (size_t)pkt->l2_len + pkt->l3_len, offload_l4_bytes(pkt, ip), sum));

	if (folded == 0 && offload_is_udp(pkt))
		folded = 0xffff; /* 0 is "no checksum" (RFC 768) */
	memcpy(offload_checksum_field(pkt), &folded, sizeof(folded));
	pkt->ol_flags &= ~OFFLOAD_DONE_FLAGS;
}

void
offload_complete_checksum(struct rte_mbuf *pkt)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(pkt, uint8_t *, pkt->l2_len);

	memset(offload_checksum_field(pkt), 0, sizeof(uint16_t));
	offload_finish(pkt, offload_pseudo(pkt, ip, offload_l4_bytes(pkt, ip)));
}

/* ---- arrival ---- */

static void
offload_set_lengths(struct rte_mbuf *pkt, const struct segment_headers *headers)
{
	/* Written once: the line stays shared by all workers. */
	if (unlikely(!atomic_load_explicit(&offload_in_use, memory_order_relaxed)))
		atomic_store_explicit(&offload_in_use, true, memory_order_relaxed);
	pkt->tx_offload = 0;
	pkt->l2_len = headers->l3_offset & 0x7f;
	pkt->l3_len = (headers->l4_offset - headers->l3_offset) & 0x1ff;
	pkt->l4_len = (headers->payload_offset - headers->l4_offset) & 0xff;
	pkt->ol_flags &= ~OFFLOAD_DONE_FLAGS;
	pkt->ol_flags |= headers->is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	pkt->ol_flags |= headers->protocol == IP_PROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM
	                                                   : RTE_MBUF_F_TX_UDP_CKSUM;
	pkt->hash.usr = 0;
}

static bool
offload_may_segment(const struct rte_mbuf *pkt, const struct segment_headers *headers,
                    uint32_t segment_bytes)
{
	size_t payload = pkt->pkt_len - headers->payload_offset;

	return headers->protocol == IP_PROTO_TCP && !headers->has_extensions &&
	       headers->ip_bytes == pkt->pkt_len - headers->l3_offset &&
	       segment_bytes <= UINT16_MAX &&
	       (segment_bytes >= OFFLOAD_SEGMENT_BYTES_MIN ||
	        payload <= (size_t)segment_bytes * OFFLOAD_SMALL_SEGMENTS_MAX);
}

bool
offload_mark(struct rte_mbuf *pkt, uint32_t segment_bytes)
{
	struct segment_headers headers;
	size_t ip_bytes;

	if (segment_read_headers(&headers, rte_pktmbuf_mtod(pkt, const uint8_t *),
	                         pkt->data_len) < 0)
		return false;
	ip_bytes = pkt->pkt_len - headers.l3_offset;
	if (headers.is_fragment || headers.ip_bytes > ip_bytes ||
	    headers.l3_offset + headers.ip_bytes < headers.payload_offset)
		return false;
	if (segment_bytes && !offload_may_segment(pkt, &headers, segment_bytes))
		return false;
	/* One segment needs no segmentation. */
	if (pkt->pkt_len - headers.payload_offset <= segment_bytes)
		segment_bytes = 0;
	/* With more than 511 bytes of options the lengths have no room in the packet. */
	if (headers.l4_offset - headers.l3_offset > 0x1ff)
		return false;
	offload_set_lengths(pkt, &headers);
	if (segment_bytes) {
		pkt->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		pkt->tso_segsz = (uint16_t)segment_bytes;
	}
	/* Who finishes it later would take the first extension's number for the protocol,
	 * and may not know the last destination of a routing header. The sender did: its
	 * sum of the pseudo-header is in the field. */
	if (headers.has_extensions)
		offload_finish(pkt, 0);
	return true;
}

uint16_t
offload_accept(struct worker *worker, struct port *port, struct rte_mbuf **pkts,
               uint16_t n)
{
	uint16_t left = 0;

	for (uint16_t i = 0; i < n; i++) {
		uint64_t flags = pkts[i]->ol_flags & OFFLOAD_RX_FLAGS;
		uint32_t segment_bytes = 0;
		bool is_good = true;

		if (flags & RTE_MBUF_F_RX_LRO) {
			segment_bytes = pkts[i]->tso_segsz;
			is_good = segment_bytes > 0;
		}
		if (flags == 0 || (is_good && offload_mark(pkts[i], segment_bytes)))
			pkts[left++] = pkts[i];
		else
			port_drop(port, worker, DROP_RX_OFFLOAD, &pkts[i], 1);
	}
	return left;
}

/* ---- segments ---- */

/* Where the next byte of payload is. */
struct offload_source {
	const struct rte_mbuf *seg;
	size_t offset;
};

static void
offload_seek(struct offload_source *source, const struct rte_mbuf *pkt, size_t offset)
{
	source->seg = pkt;
	while (source->seg && offset >= source->seg->data_len) {
		offset -= source->seg->data_len;
		source->seg = source->seg->next;
	}
	source->offset = offset;
}

static void
offload_copy(struct offload_source *source, uint8_t *out, size_t n)
{
	while (n > 0 && source->seg) {
		size_t piece = MIN_OF(n, source->seg->data_len - source->offset);

		memcpy(out,
		       rte_pktmbuf_mtod(source->seg, const uint8_t *) + source->offset,
		       piece);
		out += piece;
		n -= piece;
		source->offset += piece;
		if (source->offset == source->seg->data_len) {
			source->seg = source->seg->next;
			source->offset = 0;
		}
	}
}

/* Fills 'head', an empty packet, with segment 'index'; false if buffers ran out. */
static bool
offload_fill_segment(struct rte_mbuf *head, const struct segment_plan *plan,
                     uint32_t index, struct offload_source *source)
{
	size_t left = segment_length(plan, index) - plan->payload_offset, done = 0;
	size_t header_bytes = plan->payload_offset;
	struct rte_mbuf *tail = head;
	uint64_t sum = 0;

	for (;;) {
		uint8_t *data = rte_pktmbuf_mtod(tail, uint8_t *) + header_bytes;
		size_t n = MIN_OF(left, rte_pktmbuf_tailroom(tail) - header_bytes);

		offload_copy(source, data, n);
		sum = checksum_add_at(sum, data, n, done);
		tail->data_len = (uint16_t)(header_bytes + n);
		head->pkt_len += tail->data_len;
		done += n;
		left -= n;
		if (left == 0)
			break;
		tail->next = rte_pktmbuf_alloc(head->pool);
		tail = tail->next;
		if (!tail)
			return false;
		head->nb_segs++;
		header_bytes = 0;
	}
	segment_write_headers(plan, index, sum, rte_pktmbuf_mtod(head, uint8_t *));
	return true;
}

/* Makes 'n' segments from 'index' on; all or none. */
static bool
offload_make_segments(const struct rte_mbuf *pkt, const struct segment_plan *plan,
                      uint32_t index, struct rte_mbuf **segments, unsigned n)
{
	struct offload_source source;

	if (rte_pktmbuf_alloc_bulk(pkt->pool, segments, n) != 0)
		return false;
	offload_seek(&source, pkt,
	             plan->payload_offset + (size_t)index * plan->segment_bytes);
	for (unsigned i = 0; i < n; i++) {
		if (!offload_fill_segment(segments[i], plan, index + i, &source)) {
			rte_pktmbuf_free_bulk(segments, n);
			return false;
		}
	}
	return true;
}

int
offload_segment(struct rte_mbuf *pkt, uint32_t *next, struct rte_mbuf **segments,
                unsigned max)
{
	struct segment_plan plan;
	unsigned n;

	if (segment_plan_pieces(&plan, rte_pktmbuf_mtod(pkt, const uint8_t *),
	                        pkt->data_len, pkt->pkt_len, pkt->tso_segsz) < 0)
		return -EINVAL;
	if (*next >= plan.count)
		return 0;
	n = MIN_OF(plan.count - *next, max);
	if (!offload_make_segments(pkt, &plan, *next, segments, n))
		return -ENOBUFS;
	for (unsigned i = 0; i < n; i++)
		packet_copy_meta(segments[i], pkt);
	*next += n;
	return (int)n;
}

/* Sends a frame by segments; false if the queue did not take all of them. Without buffers
 * the rest of the frame is dropped. */
static bool
offload_send_segments(struct worker *worker, struct port *port, uint16_t queue,
                      struct rte_mbuf *pkt)
{
	struct rte_mbuf *segments[BATCH_MAX];
	struct segment_plan plan;

	if (unlikely(segment_plan_pieces(&plan, rte_pktmbuf_mtod(pkt, const uint8_t *),
	                                 pkt->data_len, pkt->pkt_len,
	                                 pkt->tso_segsz) < 0)) {
		/* Checked at arrival: only a change of headers on the way does this. */
		port_drop(port, worker, DROP_TX_OFFLOAD, &pkt, 1);
		return true;
	}
	while (pkt->hash.usr < plan.count) {
		unsigned n = MIN_OF(plan.count - pkt->hash.usr, BATCH_MAX), sent;

		if (!offload_make_segments(pkt, &plan, pkt->hash.usr, segments, n)) {
			port_drop(port, worker, DROP_TX_NO_BUFFER, &pkt, 1);
			return true;
		}
		sent = port->ops->tx(worker, port, queue, segments, (uint16_t)n);
		pkt->hash.usr += sent;
		if (sent < n) {
			rte_pktmbuf_free_bulk(segments + sent, n - sent);
			return false;
		}
	}
	rte_pktmbuf_free(pkt);
	return true;
}

/* ---- departure ---- */

/* Whether the packet has to be segmented here. One that was sent in part goes on so. */
static bool
offload_must_segment(const struct rte_mbuf *pkt, uint32_t offloads)
{
	uint32_t needed = pkt->ol_flags & RTE_MBUF_F_TX_IPV6 ? PORT_OFFLOAD_TSO6
	                                                     : PORT_OFFLOAD_TSO4;

	if (!(pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
		return false;
	return !(offloads & needed) || pkt->hash.usr > 0;
}

unsigned
offload_transmit(struct worker *worker, struct port *port, uint16_t queue,
                 struct rte_mbuf **pkts, unsigned n)
{
	uint32_t offloads = atomic_load_explicit(&port->offloads, memory_order_relaxed);
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		if (!(offloads & PORT_OFFLOAD_CHECKSUM) &&
		    (pkts[i]->ol_flags & OFFLOAD_TX_FLAGS) &&
		    !(pkts[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG))
			offload_complete_checksum(pkts[i]);
	while (done < n) {
		unsigned run = 0, sent;

		while (done + run < n &&
		       !offload_must_segment(pkts[done + run], offloads))
			run++;
		if (run > 0) {
			sent = port->ops->tx(worker, port, queue, pkts + done,
			                     (uint16_t)run);
			done += sent;
			if (sent < run)
				break;
			continue;
		}
		if (!offload_send_segments(worker, port, queue, pkts[done]))
			break;
		done++;
	}
	return done;
}
