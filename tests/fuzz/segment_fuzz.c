/* segment_fuzz.c - any bytes as a frame to be segmented: all lengths fit, and the
 * segments carry the whole payload. The first two bytes are the segment size. */
#include "fuzz.h"
#include "net/segment.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment_plan plan;
	size_t payload = 0;

	if (size < 2 || segment_plan(&plan, data + 2, size - 2,
	                             (uint32_t)(data[0] << 8 | data[1])) < 0)
		return 0;
	for (uint32_t i = 0; i < plan.count; i++) {
		size_t n = segment_length(&plan, i);
		uint8_t *out = malloc(n);

		FUZZ_REQUIRE(n > plan.payload_offset);
		if (out)
			segment_write(&plan, i, out);
		free(out);
		payload += n - plan.payload_offset;
	}
	FUZZ_REQUIRE(payload == size - 2 - plan.payload_offset);
	return 0;
}
