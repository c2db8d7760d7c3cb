/* continuation_fuzz.c - what comes back for a packet that paused. The first byte says
 * how: any bytes, which open only if this process sealed them; bytes that were sealed and
 * changed in one place, which do not open; or contents, as if they had been sealed, which
 * the datapath refuses or can go through record by record. */
#include <string.h>

#include "base/mem.h"
#include "datapath/records.h"
#include "datapath/walk_state.h"
#include "fuzz.h"
#include "vswitchd/ofproto/continuation.h"

static const struct ofproto ofproto = {.instance = 5};

static void
require_stale(const uint8_t *data, size_t size)
{
	struct of_error error;
	const void *record;
	size_t n;

	FUZZ_REQUIRE(continuation_open(&ofproto, data, size, &record, &n, &error) < 0);
	FUZZ_REQUIRE(error.id == OFERR_NXR_STALE);
}

/* What opens is what this process would seal: libFuzzer sees what is compared, and so has
 * such bytes from try_changed(). */
static void
try_any(const uint8_t *data, size_t size)
{
	struct str sealed = STR_INIT;
	struct of_error error;
	const void *record;
	size_t n;

	if (continuation_open(&ofproto, data, size, &record, &n, &error)) {
		FUZZ_REQUIRE(error.id == OFERR_NXR_STALE);
		return;
	}
	continuation_seal(&ofproto, record, n, &sealed);
	FUZZ_REQUIRE(
		!memcmp(data, sealed.data, (size_t)((const uint8_t *)record - data) + n));
	str_free(&sealed);
}

/* Two bytes say where, one says how. */
static void
try_changed(const uint8_t *data, size_t size)
{
	struct str sealed = STR_INIT;
	struct of_error error;
	const void *record;
	size_t n, at, padding;

	if (size < 3)
		return;
	continuation_seal(&ofproto, data + 3, size - 3, &sealed);
	FUZZ_REQUIRE(size - 3 > 4096 ||
	             (!continuation_open(&ofproto, (uint8_t *)sealed.data, sealed.length,
	                                 &record, &n, &error) &&
	              n == size - 3 && !memcmp(record, data + 3, n)));
	at = (size_t)(data[0] << 8 | data[1]);
	padding = -(size - 3) & 7;
	if (at < sealed.length - padding && data[2]) {
		sealed.data[at] ^= (char)data[2];
		require_stale((uint8_t *)sealed.data, sealed.length);
	}
	str_free(&sealed);
}

/* Reads every byte of the records; depth and lengths were checked. */
static unsigned
read_records(const void *records, size_t bytes)
{
	unsigned sum = 0;

	FLOW_ACTION_FOR_EACH(action, records, bytes)
	{
		const struct flow_nested *nested = (const void *)action;

		for (size_t i = 0; i < action->bytes; i++)
			sum += ((const uint8_t *)action)[i];
		if (action->type == ACTION_CLONE || action->type == ACTION_WRITE_ACTIONS)
			sum += read_records(nested->nested, nested->nested_bytes);
	}
	return sum;
}

static void
try_contents(const uint8_t *data, size_t size)
{
	struct program_walk *record = xcalloc(1, size + sizeof(*record));
	const uint8_t *parts = (const uint8_t *)record->data;
	struct error err;

	if (size)
		memcpy(record, data, size);
	if (!continuation_check(record, size, &err)) {
		FUZZ_REQUIRE(record->stack_bytes / sizeof(struct flow_value) <=
		             WALK_STACK_MAX);
		read_records(parts, record->action_set_bytes);
		parts += record->action_set_bytes + record->stack_bytes;
		read_records(parts, record->rest_bytes);
	}
	free(record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] % 3 == 0)
		try_any(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		try_changed(data + 1, size - 1);
	else
		try_contents(data + 1, size - 1);
	return 0;
}
