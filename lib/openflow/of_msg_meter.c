/* of_msg_meter.c - bodies of the messages about meters. Below of_msg.c; no state, any
 * thread. */
#include "openflow/of_msg_private.h"

#define BAND_DROP         1
#define BAND_DSCP_REMARK  2
#define BAND_EXPERIMENTER 0xffffU

static int
band_decode(struct of_in *in, struct of_band *band)
{
	struct of_in item;
	int rc = in_item(in, 2, 16, "band", &item);

	if (rc < 0)
		return rc;
	band->type = in_u16(&item);
	in_skip(&item, 2);
	band->rate = in_u32(&item);
	band->burst = in_u32(&item);
	if (band->type != BAND_DROP && band->type != BAND_DSCP_REMARK)
		return of_fail(in->error, OFERR_METER_BAND, "there is no band %u",
		               band->type);
	if (band->type == BAND_DSCP_REMARK)
		band->prec_level = in_u8(&item);
	else
		in_skip(&item, 1);
	in_skip(&item, 3);
	if (item.n)
		return of_fail(in->error, OFERR_BAD_REQUEST_LEN,
		               "%zu bytes too many in a band", item.n);
	return 0;
}

static int
bands_decode(struct of_in *in, struct of_band **bands, size_t *n)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		*bands = in_grow(in, *bands, n, sizeof(**bands));
		rc = band_decode(in, &(*bands)[*n - 1]);
	}
	return rc;
}

static void
bands_encode(struct of_out *o, const struct of_band *bands, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		o_u16(o, bands[i].type);
		o_u16(o, 16);
		o_u32(o, bands[i].rate);
		o_u32(o, bands[i].burst);
		o_u8(o, bands[i].prec_level);
		o_zeros(o, 3);
	}
}

static int
meter_mod_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_meter_mod *mod = &msg->meter_mod;
	uint16_t command = in_u16(in);

	if (command > OF_METER_DELETE && !in->is_short)
		return of_fail(in->error, OFERR_METER_COMMAND,
		               "there is no command %u on meters", command);
	mod->command = (enum of_meter_command)command;
	mod->flags = in_u16(in);
	mod->meter = in_u32(in);
	/* What a meter was is of no meaning when it goes, and may be wrong. */
	if (mod->command == OF_METER_DELETE) {
		in_skip(in, in->n);
		return 0;
	}
	if (mod->flags &
	    ~(OF_METER_KBPS | OF_METER_PKTPS | OF_METER_BURST | OF_METER_STATS))
		return of_fail(in->error, OFERR_METER_FLAGS,
		               "flags 0x%x of a meter are not known", mod->flags);
	return in->is_short ? 0 : bands_decode(in, &mod->bands, &mod->n_bands);
}

static void
meter_mod_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_meter_mod *mod = &msg->meter_mod;

	o_u16(o, mod->command);
	o_u16(o, mod->flags);
	o_u32(o, mod->meter);
	if (mod->command != OF_METER_DELETE)
		bands_encode(o, mod->bands, mod->n_bands);
}

static int
meter_request_decode(struct of_in *in, struct of_msg *msg)
{
	msg->number = in_u32(in);
	in_skip(in, 4);
	return 0;
}

static void
meter_request_encode(struct of_out *o, const struct of_msg *msg)
{
	o_u32(o, msg->number);
	o_zeros(o, 4);
}

static int
meter_configs_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		struct of_meter_mod *meter;
		struct of_in item;

		rc = in_item(in, 0, 8, "meter", &item);
		if (rc < 0)
			return rc;
		msg->meters = in_grow(in, msg->meters, &msg->n, sizeof(*msg->meters));
		meter = &msg->meters[msg->n - 1];
		in_skip(&item, 2);
		meter->flags = in_u16(&item);
		meter->meter = in_u32(&item);
		rc = bands_decode(&item, &meter->bands, &meter->n_bands);
	}
	return rc;
}

static void
meter_configs_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_meter_mod *meter = &msg->meters[i];
		size_t start = o_at(o);

		o_u16(o, 0);
		o_u16(o, meter->flags);
		o_u32(o, meter->meter);
		bands_encode(o, meter->bands, meter->n_bands);
		o_length(o, start, start);
		o_item_end(o, start);
	}
}

static int
stats_decode(struct of_in *in, struct of_meter_stats *s)
{
	struct of_in item;
	int rc = in_item(in, 4, 40, "meter's counters", &item);

	if (rc < 0)
		return rc;
	s->meter = in_u32(&item);
	in_skip(&item, 8);
	s->flows = in_u32(&item);
	s->packets = in_u64(&item);
	s->bytes = in_u64(&item);
	s->duration_ns = in_duration(&item);
	while (item.n && !item.is_short) {
		struct of_band *band;

		s->bands = in_grow(in, s->bands, &s->n_bands, sizeof(*s->bands));
		band = &s->bands[s->n_bands - 1];
		band->packets = in_u64(&item);
		band->bytes = in_u64(&item);
	}
	return in_check(&item, "meter's counters");
}

static int
meter_stats_decode(struct of_in *in, struct of_msg *msg)
{
	int rc = 0;

	while (rc == 0 && in->n) {
		msg->meter_stats =
			in_grow(in, msg->meter_stats, &msg->n, sizeof(*msg->meter_stats));
		rc = stats_decode(in, &msg->meter_stats[msg->n - 1]);
	}
	return rc;
}

static void
meter_stats_encode(struct of_out *o, const struct of_msg *msg)
{
	for (size_t i = 0; i < msg->n && o->status == 0; i++) {
		const struct of_meter_stats *s = &msg->meter_stats[i];
		size_t start = o_at(o);

		o_u32(o, s->meter);
		o_zeros(o, 8);
		o_u32(o, s->flows);
		o_u64(o, s->packets);
		o_u64(o, s->bytes);
		o_duration(o, s->duration_ns);
		for (size_t j = 0; j < s->n_bands; j++) {
			o_u64(o, s->bands[j].packets);
			o_u64(o, s->bands[j].bytes);
		}
		o_length(o, start + 4, start);
		o_item_end(o, start);
	}
}

static int
meter_features_decode(struct of_in *in, struct of_msg *msg)
{
	struct of_meter_features *f = &msg->meter_features;

	f->max_meter = in_u32(in);
	f->band_types = in_u32(in);
	f->capabilities = in_u32(in);
	f->max_bands = in_u8(in);
	f->max_color = in_u8(in);
	in_skip(in, 2);
	/* Open vSwitch and its tools have 1.3's form in 1.5 too. */
	if (msg->version >= OF15 && in->n) {
		f->features = in_u32(in);
		in_skip(in, 4);
	}
	return 0;
}

static void
meter_features_encode(struct of_out *o, const struct of_msg *msg)
{
	const struct of_meter_features *f = &msg->meter_features;

	o_u32(o, f->max_meter);
	o_u32(o, f->band_types);
	o_u32(o, f->capabilities);
	o_u8(o, f->max_bands);
	o_u8(o, f->max_color);
	o_zeros(o, 2);
	if (msg->version >= OF15 && f->features) {
		o_u32(o, f->features);
		o_zeros(o, 4);
	}
}

const struct of_codec of_codec_meter_mod = {meter_mod_decode, meter_mod_encode};
const struct of_codec of_codec_meter_request = {meter_request_decode,
                                                meter_request_encode};
const struct of_codec of_codec_meter_stats = {meter_stats_decode, meter_stats_encode};
const struct of_codec of_codec_meter_configs = {meter_configs_decode,
                                                meter_configs_encode};
const struct of_codec of_codec_meter_features = {meter_features_decode,
                                                 meter_features_encode};
