/* meters.c - making, changing and deleting meters. Main thread. */
#include "vswitchd/ofproto/meters.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vswitchd/ofproto/references.h"

static_assert(OF_METER_CONTROLLER == DP_METER_CONTROLLER, "it is given on as it is");

#define BAND_DROP   1
#define BAND_REMARK 2

static int
check_meter(const struct of_meter_mod *mod, struct of_error *error)
{
	const unsigned units = mod->flags & (OF_METER_KBPS | OF_METER_PKTPS);

	if (units != OF_METER_KBPS && units != OF_METER_PKTPS)
		return of_fail(error, OFERR_METER_FLAGS,
		               "a meter counts either kilobits or packets");
	if (!mod->n_bands || mod->n_bands > DP_METER_BANDS_MAX)
		return of_fail(error, OFERR_METER_OUT_OF_BANDS,
		               "a meter has 1 to %d bands, not %zu", DP_METER_BANDS_MAX,
		               mod->n_bands);
	for (size_t i = 0; i < mod->n_bands; i++) {
		const struct of_band *band = &mod->bands[i];

		if (band->type != BAND_DROP && band->type != BAND_REMARK)
			return of_fail(error, OFERR_METER_BAND, "no band is of type %u",
			               band->type);
		if (!band->rate)
			return of_fail(error, OFERR_METER_RATE, "a band's rate is 0");
		if (band->type == BAND_REMARK &&
		    (!band->prec_level || band->prec_level > 2))
			return of_fail(error, OFERR_METER_BAND_VALUE,
			               "a drop precedence cannot be raised by %u",
			               band->prec_level);
	}
	return 0;
}

static int
meter_install(struct ofproto *ofproto, const struct of_meter_mod *mod,
              struct of_error *error)
{
	struct dp_meter_config config = {
		.number = mod->meter,
		.is_pps = mod->flags & OF_METER_PKTPS,
		.n_bands = mod->n_bands,
	};
	struct error err = {""};

	for (size_t i = 0; i < mod->n_bands; i++) {
		config.bands[i].rate = mod->bands[i].rate;
		config.bands[i].burst =
			mod->flags & OF_METER_BURST ? mod->bands[i].burst : 0;
		config.bands[i].remarks_dscp = mod->bands[i].type == BAND_REMARK;
		config.bands[i].prec_level = mod->bands[i].prec_level;
	}
	switch_touch(ofproto);
	if (dp_meter_set(ofproto->bridge_id, &config, &err))
		return of_fail(error, OFERR_METER_OUT_OF_METERS, "%s", err.text);
	return 0;
}

static int
put_meter(struct ofproto *ofproto, struct meter *meter, const struct of_meter_mod *mod,
          struct of_error *error)
{
	int result = check_meter(mod, error);

	if (!result)
		result = meter_install(ofproto, mod, error);
	if (result)
		return result;
	if (!meter) {
		meter = xcalloc(1, sizeof(*meter));
		meter->number = mod->meter;
		meter->created_ns = dp_time_ns();
		meter->users = users_create();
		hmap_insert(&ofproto->meters, &meter->node, hash_u64(mod->meter, 0));
	}
	meter->flags = mod->flags;
	meter->n_bands = mod->n_bands;
	memcpy(meter->bands, mod->bands, mod->n_bands * sizeof(*mod->bands));
	return 0;
}

static void
meter_free(struct meter *meter)
{
	users_free(meter->users);
	free(meter);
}

static void
delete_meter(struct changes *changes, struct meter *meter)
{
	struct ofproto *ofproto = changes->ofproto;

	changes_del_users(changes, meter->users, REMOVED_METER_DELETE);
	hmap_remove(&ofproto->meters, &meter->node);
	dp_meter_del(ofproto->bridge_id, meter->number);
	switch_touch(ofproto);
	meter_free(meter);
}

static void
delete_meters(struct session *session, uint32_t xid, uint32_t number)
{
	struct ofproto *ofproto = session->ofproto;
	struct meter *meter = switch_find_meter(ofproto, number);
	struct changes changes;

	changes_begin(&changes, ofproto, session, xid);
	if (meter)
		delete_meter(&changes, meter);
	if (number == OF_METER_ALL)
		HMAP_FOR_EACH (meter, node, &ofproto->meters)
			delete_meter(&changes, meter);
	changes_commit(&changes);
}

int
meters_mod(struct session *session, const struct of_msg *msg, struct of_error *error)
{
	const struct of_meter_mod *mod = &msg->meter_mod;
	struct ofproto *ofproto = session->ofproto;
	struct meter *meter = switch_find_meter(ofproto, mod->meter);

	if (mod->command == OF_METER_DELETE) {
		delete_meters(session, msg->xid, mod->meter);
		return 0;
	}
	/* Nothing here is slow that OF_METER_SLOWPATH could be for. */
	if (mod->meter != OF_METER_CONTROLLER &&
	    (!mod->meter || mod->meter > SWITCH_METERS_MAX))
		return of_fail(error, OFERR_METER_INVALID, "%u is no number of a meter",
		               mod->meter);
	if (mod->command == OF_METER_ADD && meter)
		return of_fail(error, OFERR_METER_EXISTS, "there is a meter %u",
		               mod->meter);
	if (mod->command == OF_METER_MODIFY && !meter)
		return of_fail(error, OFERR_METER_UNKNOWN_METER, "there is no meter %u",
		               mod->meter);
	return put_meter(ofproto, meter, mod, error);
}

void
meters_destroy(struct ofproto *ofproto)
{
	struct meter *meter;

	HMAP_FOR_EACH (meter, node, &ofproto->meters) {
		hmap_remove(&ofproto->meters, &meter->node);
		dp_meter_del(ofproto->bridge_id, meter->number);
		meter_free(meter);
	}
	hmap_destroy(&ofproto->meters);
}
