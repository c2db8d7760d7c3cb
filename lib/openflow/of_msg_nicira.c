/* of_msg_nicira.c - bodies of Nicira's messages that no version of OpenFlow has: modes of
 * a session, the map of tunnel options, connection tracking. Below of_msg.c; no state,
 * any thread. */
#include "openflow/of_msg_private.h"

#define NXT_CT_FLUSH 32U

static int
number32_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u32(in);
	return 0;
}

static void
number32_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->number);
}

static int
number8_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u8(in);
	in_skip(in, 7);
	return 0;
}

static void
number8_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u8(o, msg->number);
	o_zeros(o, 7);
}

static int
controller_id_decode(struct of_in *in, struct of_msg *msg)
{
	in_skip(in, 6);
	msg->number = in_u16(in);
	return 0;
}

static void
controller_id_encode(struct of_out *o, const struct of_msg *msg)
{
	o_zeros(o, 6);
	o_u16(o, msg->number);
}

static int
maps_decode(struct of_in *in, struct of_tlv_table *table)
{
	while (in->n && !in->is_short) {
		struct of_tlv_map *map;

		table->maps =
			in_grow(in, table->maps, &table->n_maps, sizeof(*table->maps));
		map = &table->maps[table->n_maps - 1];
		map->class_ = in_u16(in);
		map->type = in_u8(in);
		map->length = in_u8(in);
		map->index = in_u16(in);
		in_skip(in, 2);
	}
	return 0;
}

static void
maps_encode(struct of_out *o, const struct of_tlv_table *table)
{
	for (size_t i = 0; i < table->n_maps; i++) {
		o_u16(o, table->maps[i].class_);
		o_u8(o, table->maps[i].type);
		o_u8(o, table->maps[i].length);
		o_u16(o, table->maps[i].index);
		o_zeros(o, 2);
	}
}

static int
tlv_table_decode(struct of_in *in, struct of_msg *msg)
{
	msg->tlv_table.command = in_u16(in);
	in_skip(in, 6);
	return maps_decode(in, &msg->tlv_table);
}

static void
tlv_table_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u16(o, msg->tlv_table.command);
	o_zeros(o, 6);
	maps_encode(o, &msg->tlv_table);
}

static int
tlv_reply_decode(struct of_in *in, struct of_msg *msg)
{
	msg->tlv_table.max_space = in_u32(in);
	msg->tlv_table.max_fields = in_u16(in);
	in_skip(in, 10);
	return maps_decode(in, &msg->tlv_table);
}

static void
tlv_reply_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->tlv_table.max_space);
	o_u16(o, msg->tlv_table.max_fields);
	o_zeros(o, 10);
	maps_encode(o, &msg->tlv_table);
}

static int
ct_flush_decode(struct of_in *in, struct of_msg *msg)
{
	msg->experimenter.id = OF_VENDOR_NICIRA;
	msg->experimenter.type = NXT_CT_FLUSH;
	msg->experimenter.n = in->n;
	msg->experimenter.data = in_copy(in, in->n);
	return 0;
}

static void
ct_flush_encode(struct of_out *o, const struct of_msg *msg)
{
	o_bytes(o, msg->experimenter.data, msg->experimenter.n);
}

const struct of_codec of_codec_number32 = {number32_decode, number32_encode};
const struct of_codec of_codec_number8 = {number8_decode, number8_encode};
const struct of_codec of_codec_controller_id = {controller_id_decode,
                                                controller_id_encode};
const struct of_codec of_codec_ct_zone = {controller_id_decode, controller_id_encode};
const struct of_codec of_codec_tlv_table = {tlv_table_decode, tlv_table_encode};
const struct of_codec of_codec_tlv_reply = {tlv_reply_decode, tlv_reply_encode};
const struct of_codec of_codec_ct_flush = {ct_flush_decode, ct_flush_encode};
