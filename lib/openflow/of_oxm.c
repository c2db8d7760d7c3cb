/* of_oxm.c - single fields on the wire: headers of OXM and NXM, values and masks. Below
 * of_match.c and of_actions*.c. No state, any thread. */
#include "openflow/of_oxm.h"

#include "openflow/of_wire.h"

#define CLASS_NXM_0        0x0000
#define CLASS_NXM_1        0x0001
#define CLASS_ERICSSON     0x1000
#define CLASS_BASIC        0x8000
#define CLASS_PACKET_REGS  0x8001
#define CLASS_EXPERIMENTER 0xffff
#define NUMBERS            128 /* 7 bits of each class */

/* In NXM_1: fields that stand for options of tunnels. */
#define TUN_METADATA_0      40
#define TUN_METADATA_FIELDS 64

/* A class as an index, also of preference tables. */
enum oxm_class {
	OXM_NONE,
	OXM_NXM_0,
	OXM_NXM_1,
	OXM_BASIC,
	OXM_REGS,
	OXM_ERICSSON,
	OXM_ONF
};

/* Field, number in its class, bytes on the wire; for OXM the version that has it first.
 * Source: OpenFlow 1.5, 7.2.3.7 and ovs-fields(7). */
#define NXM_0_LIST(X)               \
	X(FIELD_IN_PORT, 0, 2)      \
	X(FIELD_ETH_DST, 1, 6)      \
	X(FIELD_ETH_SRC, 2, 6)      \
	X(FIELD_ETH_TYPE, 3, 2)     \
	X(FIELD_VLAN_TCI, 4, 2)     \
	X(FIELD_IP_DSCP, 5, 1)      \
	X(FIELD_IP_PROTO, 6, 1)     \
	X(FIELD_IPV4_SRC, 7, 4)     \
	X(FIELD_IPV4_DST, 8, 4)     \
	X(FIELD_TCP_SRC, 9, 2)      \
	X(FIELD_TCP_DST, 10, 2)     \
	X(FIELD_UDP_SRC, 11, 2)     \
	X(FIELD_UDP_DST, 12, 2)     \
	X(FIELD_ICMPV4_TYPE, 13, 1) \
	X(FIELD_ICMPV4_CODE, 14, 1) \
	X(FIELD_ARP_OP, 15, 2)      \
	X(FIELD_ARP_SPA, 16, 4)     \
	X(FIELD_ARP_TPA, 17, 4)

#define REG_LIST(X)               \
	X(FIELD_REG0, 0, 4)       \
	X(FIELD_REG0 + 1, 1, 4)   \
	X(FIELD_REG0 + 2, 2, 4)   \
	X(FIELD_REG0 + 3, 3, 4)   \
	X(FIELD_REG0 + 4, 4, 4)   \
	X(FIELD_REG0 + 5, 5, 4)   \
	X(FIELD_REG0 + 6, 6, 4)   \
	X(FIELD_REG0 + 7, 7, 4)   \
	X(FIELD_REG0 + 8, 8, 4)   \
	X(FIELD_REG0 + 9, 9, 4)   \
	X(FIELD_REG0 + 10, 10, 4) \
	X(FIELD_REG0 + 11, 11, 4) \
	X(FIELD_REG0 + 12, 12, 4) \
	X(FIELD_REG0 + 13, 13, 4) \
	X(FIELD_REG0 + 14, 14, 4) \
	X(FIELD_REG0 + 15, 15, 4)

#define NXM_1_LIST(X)                  \
	REG_LIST(X)                    \
	X(FIELD_TUN_ID, 16, 8)         \
	X(FIELD_ARP_SHA, 17, 6)        \
	X(FIELD_ARP_THA, 18, 6)        \
	X(FIELD_IPV6_SRC, 19, 16)      \
	X(FIELD_IPV6_DST, 20, 16)      \
	X(FIELD_ICMPV6_TYPE, 21, 1)    \
	X(FIELD_ICMPV6_CODE, 22, 1)    \
	X(FIELD_ND_TARGET, 23, 16)     \
	X(FIELD_ND_SLL, 24, 6)         \
	X(FIELD_ND_TLL, 25, 6)         \
	X(FIELD_IP_FRAG, 26, 1)        \
	X(FIELD_IPV6_LABEL, 27, 4)     \
	X(FIELD_IP_ECN, 28, 1)         \
	X(FIELD_IP_TTL, 29, 1)         \
	X(FIELD_MPLS_TTL, 30, 1)       \
	X(FIELD_TUN_SRC, 31, 4)        \
	X(FIELD_TUN_DST, 32, 4)        \
	X(FIELD_PACKET_MARK, 33, 4)    \
	X(FIELD_TCP_FLAGS, 34, 2)      \
	X(FIELD_RECIRC_ID, 36, 4)      \
	X(FIELD_CONJ_ID, 37, 4)        \
	X(FIELD_TUN_FLAGS, 104, 2)     \
	X(FIELD_CT_STATE, 105, 4)      \
	X(FIELD_CT_ZONE, 106, 2)       \
	X(FIELD_CT_MARK, 107, 4)       \
	X(FIELD_CT_LABEL, 108, 16)     \
	X(FIELD_TUN_IPV6_SRC, 109, 16) \
	X(FIELD_TUN_IPV6_DST, 110, 16) \
	X(FIELD_XXREG0, 111, 16)       \
	X(FIELD_XXREG0 + 1, 112, 16)   \
	X(FIELD_XXREG0 + 2, 113, 16)   \
	X(FIELD_XXREG0 + 3, 114, 16)

#define BASIC_LIST(X)                        \
	X(FIELD_IN_PORT, 0, 4, OF12)         \
	X(FIELD_METADATA, 2, 8, OF12)        \
	X(FIELD_ETH_DST, 3, 6, OF12)         \
	X(FIELD_ETH_SRC, 4, 6, OF12)         \
	X(FIELD_ETH_TYPE, 5, 2, OF12)        \
	X(FIELD_VLAN_VID, 6, 2, OF12)        \
	X(FIELD_VLAN_PCP, 7, 1, OF12)        \
	X(FIELD_IP_DSCP_SHIFTED, 8, 1, OF12) \
	X(FIELD_IP_ECN, 9, 1, OF12)          \
	X(FIELD_IP_PROTO, 10, 1, OF12)       \
	X(FIELD_IPV4_SRC, 11, 4, OF12)       \
	X(FIELD_IPV4_DST, 12, 4, OF12)       \
	X(FIELD_TCP_SRC, 13, 2, OF12)        \
	X(FIELD_TCP_DST, 14, 2, OF12)        \
	X(FIELD_UDP_SRC, 15, 2, OF12)        \
	X(FIELD_UDP_DST, 16, 2, OF12)        \
	X(FIELD_SCTP_SRC, 17, 2, OF12)       \
	X(FIELD_SCTP_DST, 18, 2, OF12)       \
	X(FIELD_ICMPV4_TYPE, 19, 1, OF12)    \
	X(FIELD_ICMPV4_CODE, 20, 1, OF12)    \
	X(FIELD_ARP_OP, 21, 2, OF12)         \
	X(FIELD_ARP_SPA, 22, 4, OF12)        \
	X(FIELD_ARP_TPA, 23, 4, OF12)        \
	X(FIELD_ARP_SHA, 24, 6, OF12)        \
	X(FIELD_ARP_THA, 25, 6, OF12)        \
	X(FIELD_IPV6_SRC, 26, 16, OF12)      \
	X(FIELD_IPV6_DST, 27, 16, OF12)      \
	X(FIELD_IPV6_LABEL, 28, 4, OF12)     \
	X(FIELD_ICMPV6_TYPE, 29, 1, OF12)    \
	X(FIELD_ICMPV6_CODE, 30, 1, OF12)    \
	X(FIELD_ND_TARGET, 31, 16, OF12)     \
	X(FIELD_ND_SLL, 32, 6, OF12)         \
	X(FIELD_ND_TLL, 33, 6, OF12)         \
	X(FIELD_MPLS_LABEL, 34, 4, OF12)     \
	X(FIELD_MPLS_TC, 35, 1, OF12)        \
	X(FIELD_MPLS_BOS, 36, 1, OF13)       \
	X(FIELD_PBB_ISID, 37, 3, OF13)       \
	X(FIELD_TUN_ID, 38, 8, OF13)         \
	X(FIELD_IPV6_EXTHDR, 39, 2, OF13)    \
	X(FIELD_PBB_UCA, 41, 1, OF14)        \
	X(FIELD_TCP_FLAGS, 42, 2, OF15)      \
	X(FIELD_ACTSET_OUTPUT, 43, 4, OF15)  \
	X(FIELD_PACKET_TYPE, 44, 4, OF15)

#define PACKET_REGS_LIST(X)            \
	X(FIELD_XREG0, 0, 8, OF13)     \
	X(FIELD_XREG0 + 1, 1, 8, OF13) \
	X(FIELD_XREG0 + 2, 2, 8, OF13) \
	X(FIELD_XREG0 + 3, 3, 8, OF13) \
	X(FIELD_XREG0 + 4, 4, 8, OF13) \
	X(FIELD_XREG0 + 5, 5, 8, OF13) \
	X(FIELD_XREG0 + 6, 6, 8, OF13) \
	X(FIELD_XREG0 + 7, 7, 8, OF13)

#define ERICSSON_LIST(X) X(FIELD_ND_RESERVED, 1, 4) X(FIELD_ND_OPTIONS_TYPE, 2, 1)
#define ONF_LIST(X)      X(FIELD_TCP_FLAGS, 42, 2) X(FIELD_ACTSET_OUTPUT, 43, 4)

struct oxm_code {
	uint8_t field, n_bytes;
};

#define DECODE(FIELD, NUMBER, BYTES, ...) [NUMBER] = {FIELD, BYTES},

static const struct oxm_code codes[][NUMBERS] = {
	[OXM_NXM_0] = {NXM_0_LIST(DECODE)},       [OXM_NXM_1] = {NXM_1_LIST(DECODE)},
	[OXM_BASIC] = {BASIC_LIST(DECODE)},       [OXM_REGS] = {PACKET_REGS_LIST(DECODE)},
	[OXM_ERICSSON] = {ERICSSON_LIST(DECODE)}, [OXM_ONF] = {ONF_LIST(DECODE)},
};

/* A field's names: Nicira's, OpenFlow's since a version, ONF's between (1.3 and 1.4). */
struct oxm_name {
	uint8_t oxm_class, number, n_bytes, since;
};

struct oxm_names {
	struct oxm_name nxm, oxm, onf;
};

#define NAME_NXM_0(F, N, B)    [F].nxm = {OXM_NXM_0, N, B, 0},
#define NAME_NXM_1(F, N, B)    [F].nxm = {OXM_NXM_1, N, B, 0},
#define NAME_ERIC(F, N, B)     [F].nxm = {OXM_ERICSSON, N, B, 0},
#define NAME_BASIC(F, N, B, V) [F].oxm = {OXM_BASIC, N, B, V},
#define NAME_REGS(F, N, B, V)  [F].oxm = {OXM_REGS, N, B, V},
#define NAME_ONF(F, N, B)      [F].onf = {OXM_ONF, N, B, OF13},

static const struct oxm_names names[FIELD_N] = {
	NXM_0_LIST(NAME_NXM_0) NXM_1_LIST(NAME_NXM_1) ERICSSON_LIST(NAME_ERIC)
		BASIC_LIST(NAME_BASIC) PACKET_REGS_LIST(NAME_REGS) ONF_LIST(NAME_ONF)};

static const uint16_t class_numbers[] = {
	[OXM_NXM_0] = CLASS_NXM_0,       [OXM_NXM_1] = CLASS_NXM_1,
	[OXM_BASIC] = CLASS_BASIC,       [OXM_REGS] = CLASS_PACKET_REGS,
	[OXM_ERICSSON] = CLASS_ERICSSON, [OXM_ONF] = CLASS_EXPERIMENTER,
};

static enum oxm_class
find_class(uint16_t number, uint32_t experimenter)
{
	switch (number) {
	case CLASS_NXM_0:
		return OXM_NXM_0;
	case CLASS_NXM_1:
		return OXM_NXM_1;
	case CLASS_BASIC:
		return OXM_BASIC;
	case CLASS_PACKET_REGS:
		return OXM_REGS;
	case CLASS_ERICSSON:
		return OXM_ERICSSON;
	case CLASS_EXPERIMENTER:
		return experimenter == OF_VENDOR_ONF ? OXM_ONF : OXM_NONE;
	default:
		return OXM_NONE;
	}
}

/* Which name a version uses for a field: the newest that it knows, Nicira's in 1.0 and
 * 1.1; if there is none, any. */
static const struct oxm_name *
find_name(enum of_version version, enum flow_field_id field)
{
	const struct oxm_names *n;

	if (field == FIELD_DL_VLAN)
		field = FIELD_VLAN_VID;
	else if (field == FIELD_DL_VLAN_PCP)
		field = FIELD_VLAN_PCP;
	n = &names[(unsigned)field < FIELD_N ? field : FIELD_NONE];
	if (version >= OF12 && n->oxm.oxm_class && n->oxm.since <= version)
		return &n->oxm;
	if (version >= OF12 && n->onf.oxm_class && n->onf.since <= version)
		return &n->onf;
	return n->nxm.oxm_class ? &n->nxm : n->onf.oxm_class ? &n->onf : &n->oxm;
}

bool
of_oxm_has_name(enum flow_field_id field)
{
	return find_name(OF10, field)->oxm_class != OXM_NONE;
}

static int
fail_unknown(enum oxm_class oxm_class, const uint8_t *data, struct of_error *error)
{
	const unsigned number = data[2] >> 1;

	if (oxm_class == OXM_NXM_1 && number >= TUN_METADATA_0 &&
	    number < TUN_METADATA_0 + TUN_METADATA_FIELDS)
		return of_fail(error, OFERR_NXFM_TLV_FIELD,
		               "tun_metadata%u: there are no tunnels, whose options it "
		               "could stand for",
		               number - TUN_METADATA_0);
	return of_fail(error, OFERR_BAD_MATCH_FIELD, "unknown field 0x%08x",
	               of_get32(data));
}

int
of_oxm_header_read(const uint8_t *data, size_t n, struct of_oxm_header *header,
                   struct of_error *error)
{
	const struct oxm_code *code;
	uint32_t experimenter = 0;
	enum oxm_class oxm_class;
	unsigned in_header;

	memset(header, 0, sizeof(*header));
	if (n < 4)
		return of_fail(error, OFERR_BAD_MATCH_LEN,
		               "a field's header is cut short");
	header->n_bytes = data[3];
	header->has_mask = data[2] & 1;
	header->used = 4;
	if (of_get16(data) == CLASS_EXPERIMENTER) {
		if (n < 8 || data[3] < 4)
			return of_fail(error, OFERR_BAD_MATCH_LEN,
			               "an experimenter's field is cut short");
		experimenter = of_get32(data + 4);
		header->used = 8;
		header->n_bytes = (uint8_t)(data[3] - 4);
	}
	header->is_cookie = of_get16(data) == CLASS_NXM_1 && data[2] >> 1 == 30 &&
	                    header->n_bytes == (header->has_mask ? 16 : 8);
	if (header->is_cookie)
		return 0;
	oxm_class = find_class(of_get16(data), experimenter);
	code = oxm_class ? &codes[oxm_class][data[2] >> 1] : NULL;
	if (!code || !code->field) {
		header->is_unknown = true;
		return fail_unknown(oxm_class, data, error);
	}
	header->field = code->field;
	header->wire_bytes = code->n_bytes;
	in_header = header->has_mask ? 2U * code->n_bytes : code->n_bytes;
	if (header->n_bytes == in_header)
		return 0;
	/* NXM has no error for a length alone: it is another field's name. */
	return of_fail(error,
	               oxm_class == OXM_NXM_0 || oxm_class == OXM_NXM_1
	                       ? OFERR_BAD_MATCH_FIELD
	                       : OFERR_BAD_MATCH_LEN,
	               "%s takes %u bytes, not %u", flow_field_get(header->field)->name,
	               in_header, header->n_bytes);
}

/* Wire bytes to a value of the field's own width; false if they do not fit. */
static bool
value_from_wire(const struct of_oxm_header *header, const uint8_t *data,
                struct flow_value *value)
{
	const struct flow_field *field = flow_field_get(header->field);
	unsigned wire = header->wire_bytes, own = field->n_bytes;

	memset(value, 0, sizeof(*value));
	if (wire <= own) {
		memcpy(value->bytes + (own - wire), data, wire);
		return true;
	}
	memcpy(value->bytes, data + (wire - own), own);
	return of_is_zero(data, wire - own);
}

/* Ports of 1.0's 16 bits: the reserved ones lie at the end of both ranges. */
static void
widen_port(struct flow_value *value)
{
	if (value->bytes[2] == 0xff)
		value->bytes[0] = value->bytes[1] = 0xff;
}

static void
full_mask(const struct flow_field *field, struct flow_value *mask)
{
	memset(mask, 0, sizeof(*mask));
	memset(mask->bytes, 0xff, field->n_bytes);
	if (field->n_bits % 8)
		mask->bytes[0] = (uint8_t)(0xff >> (8 - field->n_bits % 8));
}

void
of_oxm_full_mask(enum flow_field_id field, struct flow_value *mask)
{
	full_mask(flow_field_get(field), mask);
}

/* Whether the field can have the value at all. */
bool
of_oxm_value_is_valid(enum flow_field_id id, const struct flow_value *value)
{
	const struct flow_field *field = flow_field_get(id);
	struct flow_value full;

	full_mask(field, &full);
	if (id == FIELD_IP_DSCP)
		full.bytes[0] = 0xfc;
	else if (id == FIELD_ARP_OP)
		full.bytes[0] = 0;
	else if (id == FIELD_PACKET_TYPE)
		memset(&full, 0, sizeof(full));
	else if (id == FIELD_CT_STATE)
		memset(full.bytes, 0, 3);
	for (unsigned i = 0; i < field->n_bytes; i++)
		if (value->bytes[i] & ~full.bytes[i])
			return false;
	return true;
}

/* Value and mask agree with each other and with the field. A mask of all bits is the same
 * as none. */
static int
check_value(const struct of_oxm_header *header, const struct flow_value *value,
            struct flow_value *mask, bool *has_mask, bool fits, struct of_error *error)
{
	const struct flow_field *field = flow_field_get(header->field);
	struct flow_value full;
	bool is_full;

	full_mask(field, &full);
	if (*has_mask) {
		for (unsigned i = 0; i < field->n_bytes; i++)
			if (value->bytes[i] & ~mask->bytes[i])
				return of_fail(error, OFERR_BAD_MATCH_WILDCARDS,
				               "%s: the value has bits outside its mask",
				               field->name);
		for (unsigned i = 0; i < field->n_bytes; i++)
			mask->bytes[i] &= full.bytes[i];
	} else {
		*mask = full;
	}
	if (!fits || !of_oxm_value_is_valid(header->field, value))
		return of_fail(error, OFERR_BAD_MATCH_VALUE, "%s cannot have this value",
		               field->name);
	if (header->field == FIELD_IP_DSCP)
		full.bytes[0] = 0xfc;
	is_full = true;
	for (unsigned i = 0; i < field->n_bytes; i++)
		is_full = is_full && (mask->bytes[i] & full.bytes[i]) == full.bytes[i];
	if (is_full)
		*has_mask = false;
	return 0;
}

int
of_oxm_value_read(const struct of_oxm_header *header, const uint8_t *data,
                  struct flow_value *value, struct flow_value *mask, bool *has_mask,
                  struct of_error *error)
{
	bool fits = value_from_wire(header, data, value);

	*has_mask = header->has_mask;
	if (header->has_mask)
		(void)value_from_wire(header, data + header->wire_bytes, mask);
	if (header->field == FIELD_IN_PORT && header->wire_bytes == 2) {
		if (!header->has_mask)
			widen_port(value);
		else if (of_is_zero(data + 2, 2))
			memset(mask, 0, sizeof(*mask));
		else if (data[2] == 0xff && data[3] == 0xff) {
			widen_port(value);
			memset(mask->bytes, 0xff, 4);
		}
	}
	return check_value(header, value, mask, has_mask, fits, error);
}

void
of_oxm_put_header(enum of_version version, enum flow_field_id field, bool has_mask,
                  struct str *out)
{
	const struct oxm_name *name = find_name(version, field);
	unsigned n_bytes = has_mask ? 2U * name->n_bytes : name->n_bytes;

	if (!name->oxm_class)
		return;

	if (name->oxm_class == OXM_ONF)
		n_bytes += 4;
	of_put16(out, class_numbers[name->oxm_class]);
	of_put8(out, (uint8_t)(name->number << 1 | has_mask));
	of_put8(out, (uint8_t)n_bytes);
	if (name->oxm_class == OXM_ONF)
		of_put32(out, OF_VENDOR_ONF);
}

void
of_oxm_put_value(enum of_version version, enum flow_field_id id,
                 const struct flow_value *value, struct str *out)
{
	unsigned own = flow_field_get(id)->n_bytes,
		 wire = find_name(version, id)->n_bytes;

	if (wire <= own) {
		str_append_bytes(out, value->bytes + (own - wire), wire);
		return;
	}
	of_put_zeros(out, wire - own);
	str_append_bytes(out, value->bytes, own);
}
