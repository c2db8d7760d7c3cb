/* of_match.c - matches made of fields: OXM and NXM, and each version's struct ofp_match.
 * Above of_oxm.c, beside of_match_fixed.c (1.0 and 1.1). No state, any thread. */
#include "openflow/of_match.h"

#include "openflow/of_match_private.h"
#include "openflow/of_oxm.h"
#include "openflow/of_wire.h"

#define MATCH_STANDARD 0
#define MATCH_OXM      1
#define COOKIE_HEADER  0x00013c08U /* nxm's, exact; masked: +0x108 */
#define VLAN_PCP       0xe000
#define VLAN_VID       0x1fff /* with FLOW_VLAN_PRESENT */

int
of_field_header_decode(const uint8_t *data, size_t n, enum flow_field_id *field,
                       bool *has_mask, size_t *used, struct of_error *error)
{
	struct of_oxm_header header;
	int err = of_oxm_header_read(data, n, &header, error);

	*field = header.field;
	if (has_mask)
		*has_mask = header.has_mask;
	*used = header.used;
	if (!err && header.is_cookie)
		return of_fail(error, OFERR_BAD_MATCH_FIELD, "a cookie is no field");
	return err;
}

int
of_field_decode(enum of_version version, const uint8_t *data, size_t n,
                enum flow_field_id *field, struct flow_value *value,
                struct flow_value *mask, bool *has_mask, size_t *used,
                struct of_error *error)
{
	struct of_oxm_header header;
	int err = of_oxm_header_read(data, n, &header, error);

	(void)version;
	*field = header.field;
	if (err)
		return err;
	if (header.is_cookie)
		return of_fail(error, OFERR_BAD_MATCH_FIELD, "a cookie is no field");
	if (n - header.used < header.n_bytes)
		return of_fail(error, OFERR_BAD_MATCH_LEN, "%s is cut short",
		               flow_field_get(header.field)->name);
	*used = header.used + header.n_bytes;
	return of_oxm_value_read(&header, data + header.used, value, mask, has_mask,
	                         error);
}

void
of_field_header_encode(enum of_version version, enum flow_field_id field, bool has_mask,
                       struct str *out)
{
	of_oxm_put_header(version, field, has_mask, out);
}

void
of_field_encode(enum of_version version, enum flow_field_id field,
                const struct flow_value *value, const struct flow_value *mask,
                struct str *out)
{
	if (!of_oxm_has_name(field))
		return;
	of_oxm_put_header(version, field, mask != NULL, out);
	of_oxm_put_value(version, field, value, out);
	if (mask)
		of_oxm_put_value(version, field, mask, out);
}

/* Whether the match says anything about the field already. */
static bool
has_any(const struct flow_match *match, enum flow_field_id id)
{
	struct flow_value mask;

	flow_field_read(id, &match->mask, &mask);
	return !of_is_zero(mask.bytes, flow_field_get(id)->n_bytes);
}

static int
read_cookie(const uint8_t *data, bool has_mask, uint64_t *cookie, uint64_t *cookie_mask,
            struct of_error *error)
{
	if (!cookie || !cookie_mask)
		return of_fail(error, OFERR_BAD_MATCH_FIELD,
		               "a match on the cookie is not for this message");
	if (*cookie_mask)
		return of_fail(error, OFERR_BAD_MATCH_DUP, "the cookie is given twice");
	*cookie = of_get64(data);
	*cookie_mask = has_mask ? of_get64(data + 8) : UINT64_MAX;
	if (*cookie & ~*cookie_mask)
		return of_fail(error, OFERR_BAD_MATCH_WILDCARDS,
		               "the cookie has bits outside its mask");
	return 0;
}

/* Whether the match has the field, whatever it says of fragments. */
static bool
is_present(const struct flow_match *match, enum flow_field_id id)
{
	struct flow_match whole;

	if (flow_field_is_present(id, match))
		return true;
	if (!match->mask.f.ip_fragment)
		return false;
	whole = *match;
	whole.mask.f.ip_fragment = 0;
	return flow_field_is_present(id, &whole);
}

bool
of_match_allows(const struct flow_match *match, enum flow_field_id id)
{
	switch ((int)flow_field_get(id)->need) {
	case NEED_ICMPV4:
	case NEED_ICMPV6:
	case NEED_ND:
	case NEED_ND_SOLICIT:
	case NEED_ND_ADVERTISE:
		return is_present(match, id);
	default:
		return flow_field_is_present(id, match);
	}
}

static int
read_field(const struct of_oxm_header *header, const uint8_t *data,
           struct flow_match *match, struct of_error *error)
{
	const struct flow_field *field = flow_field_get(header->field);
	struct flow_value value, mask;
	bool has_mask;
	int err = of_oxm_value_read(header, data, &value, &mask, &has_mask, error);

	if (err)
		return err;
	if (has_mask && field->maskable == MASK_NONE &&
	    !of_is_zero(mask.bytes, field->n_bytes))
		return of_fail(error, OFERR_BAD_MATCH_MASK, "%s takes no mask",
		               field->name);
	if (!of_match_allows(match, header->field))
		return of_fail(error, OFERR_BAD_MATCH_PREREQ,
		               "%s without what it needs before it", field->name);
	if (has_any(match, header->field))
		return of_fail(error, OFERR_BAD_MATCH_DUP, "%s is given twice",
		               field->name);
	if (header->field == FIELD_ND_OPTIONS_TYPE &&
	    !of_is_zero(mask.bytes, field->n_bytes))
		return of_fail(error, OFERR_BAD_MATCH_FIELD, "%s is not supported",
		               field->name);
	flow_match_set(match, header->field, &value, has_mask ? &mask : NULL);
	return 0;
}

int
of_oxm_decode(const uint8_t *data, size_t n, bool lax, struct flow_match *match,
              uint64_t *cookie, uint64_t *cookie_mask, struct of_error *error)
{
	memset(match, 0, sizeof(*match));
	if (cookie && cookie_mask)
		*cookie = *cookie_mask = 0;
	for (size_t offset = 0; offset < n;) {
		struct of_oxm_header header;
		int err = of_oxm_header_read(data + offset, n - offset, &header, error);
		bool skip = err && header.is_unknown && lax;

		if (err && !skip)
			return err;
		offset += header.used;
		if (n - offset < header.n_bytes)
			return of_fail(error, OFERR_BAD_MATCH_LEN,
			               "the last field is cut short");
		if (!skip) {
			err = header.is_cookie
			              ? read_cookie(data + offset, header.has_mask,
			                            cookie, cookie_mask, error)
			              : read_field(&header, data + offset, match, error);
			if (err)
				return err;
		}
		offset += header.n_bytes;
	}
	return 0;
}

/* A match that is written. */
struct writer {
	enum of_version version;
	const struct flow_match *match;
	uint64_t words; /* of the mask that are not 0, a bit for each */
	struct str *out;
};

static void
put_field(const struct writer *w, enum flow_field_id id)
{
	struct flow_value value, mask, full;
	unsigned n_bytes;

	/* Most fields are in no match: what follows costs ten times as much. */
	if (!(flow_field_words(id) & w->words))
		return;
	n_bytes = flow_field_get(id)->n_bytes;
	flow_field_read(id, &w->match->mask, &mask);
	if (of_is_zero(mask.bytes, n_bytes) || !is_present(w->match, id))
		return;
	flow_field_read(id, &w->match->key, &value);
	of_oxm_full_mask(id, &full);
	/* A field that takes no mask is matched as a whole. */
	if (!memcmp(mask.bytes, full.bytes, n_bytes) ||
	    flow_field_get(id)->maskable == MASK_NONE)
		of_field_encode(w->version, id, &value, NULL, w->out);
	else
		of_field_encode(w->version, id, &value, &mask, w->out);
}

/* The tag: OXM has two fields without a word for "no tag, but this priority" and the
 * like. NXM's one field says all. */
static void
put_vlan(const struct writer *w)
{
	const struct flow_match *match = w->match;
	uint16_t value = match->key.f.vlan_tci, mask = match->mask.f.vlan_tci;
	bool is_tagged = value & mask & FLOW_VLAN_PRESENT;
	bool is_untagged = (mask & VLAN_VID) == VLAN_VID && !value;
	bool is_oxm = is_untagged || (mask & VLAN_PCP) == 0 ||
	              ((mask & VLAN_PCP) == VLAN_PCP && is_tagged);

	if (!mask)
		return;
	if (w->version == OF10 || !is_oxm) {
		put_field(w, FIELD_VLAN_TCI);
		return;
	}
	put_field(w, FIELD_VLAN_VID);
	if (is_tagged)
		put_field(w, FIELD_VLAN_PCP);
}

static void
put_tunnel_addresses(const struct writer *w)
{
	const struct flow_fields *mask = &w->match->mask.f;

	put_field(w,
	          of_is_zero(mask->tun_src + 4, 12) ? FIELD_TUN_SRC : FIELD_TUN_IPV6_SRC);
	put_field(w,
	          of_is_zero(mask->tun_dst + 4, 12) ? FIELD_TUN_DST : FIELD_TUN_IPV6_DST);
}

static void
put_list(const struct writer *w, const uint8_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_field(w, ids[i]);
}

void
of_oxm_encode(enum of_version version, const struct flow_match *match, uint64_t cookie,
              uint64_t cookie_mask, struct str *out)
{
	static const uint8_t first[] = {
		FIELD_RECIRC_ID,     FIELD_CONJ_ID, FIELD_PACKET_TYPE, FIELD_IN_PORT,
		FIELD_ACTSET_OUTPUT, FIELD_ETH_SRC, FIELD_ETH_DST,     FIELD_ETH_TYPE};
	static const uint8_t packet[] = {
		FIELD_MPLS_TC,     FIELD_MPLS_BOS,    FIELD_MPLS_TTL,
		FIELD_MPLS_LABEL,  FIELD_PBB_ISID,    FIELD_PBB_UCA,
		FIELD_IPV4_SRC,    FIELD_IPV4_DST,    FIELD_IPV6_SRC,
		FIELD_IPV6_DST,    FIELD_IP_FRAG,     FIELD_IPV6_LABEL,
		FIELD_IPV6_EXTHDR, FIELD_NONE,        FIELD_IP_ECN,
		FIELD_IP_TTL,      FIELD_IP_PROTO,    FIELD_TCP_SRC,
		FIELD_TCP_DST,     FIELD_TCP_FLAGS,   FIELD_UDP_SRC,
		FIELD_UDP_DST,     FIELD_SCTP_SRC,    FIELD_SCTP_DST,
		FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE, FIELD_ICMPV6_TYPE,
		FIELD_ICMPV6_CODE, FIELD_ND_TARGET,   FIELD_ND_SLL,
		FIELD_ND_TLL,      FIELD_ND_RESERVED, FIELD_ARP_OP,
		FIELD_ARP_SPA,     FIELD_ARP_TPA,     FIELD_ARP_SHA,
		FIELD_ARP_THA,     FIELD_TUN_ID};
	static const uint8_t last[] = {FIELD_PACKET_MARK, FIELD_CT_STATE, FIELD_CT_ZONE,
	                               FIELD_CT_MARK,     FIELD_CT_LABEL, FIELD_METADATA};
	struct writer w = {.version = version, .match = match, .out = out};

	for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
		w.words |= (uint64_t)(match->mask.words[i] != 0) << i;
	put_list(&w, first, sizeof(first));
	put_vlan(&w);
	for (size_t i = 0; i < sizeof(packet); i++)
		put_field(&w, packet[i]         ? packet[i]
		              : version >= OF12 ? FIELD_IP_DSCP_SHIFTED
		                                : FIELD_IP_DSCP);
	put_tunnel_addresses(&w);
	put_field(&w, FIELD_TUN_FLAGS);
	if (version >= OF15)
		for (unsigned i = 0; i < FLOW_REGS / 2; i++)
			put_field(&w, FIELD_XREG0 + i);
	else
		for (unsigned i = 0; i < FLOW_REGS; i++)
			put_field(&w, FIELD_REG0 + i);
	put_list(&w, last, sizeof(last));
	if (!cookie_mask)
		return;
	of_put32(out, COOKIE_HEADER + (cookie_mask == UINT64_MAX ? 0 : 0x108));
	of_put64(out, cookie & cookie_mask);
	if (cookie_mask != UINT64_MAX)
		of_put64(out, cookie_mask);
}

int
of_match_decode(enum of_version version, const uint8_t *data, size_t n,
                struct flow_match *match, size_t *used, struct of_error *error)
{
	size_t bytes;

	if (version == OF10)
		return of_match10_decode(data, n, match, used, error);
	if (n < 8)
		return of_fail(error, OFERR_BAD_MATCH_LEN, "the match is cut short");
	if (of_get16(data) == MATCH_STANDARD)
		return of_match11_decode(data, n, match, used, error);
	if (of_get16(data) != MATCH_OXM)
		return of_fail(error, OFERR_BAD_MATCH_TYPE, "unknown type of match %u",
		               of_get16(data));
	bytes = of_get16(data + 2);
	if (bytes < 4 || of_round8(bytes) > n)
		return of_fail(error, OFERR_BAD_MATCH_LEN, "the match's length is %zu",
		               bytes);
	*used = of_round8(bytes);
	return of_oxm_decode(data + 4, bytes - 4, false, match, NULL, NULL, error);
}

void
of_match_encode(enum of_version version, const struct flow_match *match, struct str *out)
{
	size_t start = out->length;

	if (version == OF10) {
		of_match10_encode(match, out);
		return;
	}
	if (version == OF11) {
		of_match11_encode(match, out);
		return;
	}
	of_put16(out, MATCH_OXM);
	of_put16(out, 0);
	of_oxm_encode(version, match, 0, 0, out);
	of_patch16(out, start + 2, (uint16_t)(out->length - start));
	of_put_padding(out, start);
}

bool
of_match_fits(enum of_version version, const struct flow_match *match)
{
	struct str wire = STR_INIT;
	struct flow_match again;
	size_t used;
	bool fits;

	if (version >= OF12)
		return true;
	/* 1.0 has these of IPv4 and ARP only; Open vSwitch drops them of others. */
	if (version == OF10 && match->key.f.eth_type == 0x86dd &&
	    (match->mask.f.ip_proto || match->mask.f.ip_tos))
		return false;
	of_match_encode(version, match, &wire);
	fits = !of_match_decode(version, (const uint8_t *)wire.data, wire.length, &again,
	                        &used, NULL) &&
	       !memcmp(&again, match, sizeof(again));
	str_free(&wire);
	return fits;
}
