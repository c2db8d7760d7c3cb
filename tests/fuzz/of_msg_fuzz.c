/* of_msg_fuzz.c - any bytes as an OpenFlow message: read or refused with a reason; what
 * was read can be written, and what was written can be read. */
#include <errno.h>

#include "base/str.h"
#include "fuzz.h"
#include "openflow/of_msg.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str out = STR_INIT;
	struct of_error error = {.id = OFERR_N};
	struct of_msg msg, again;
	int rc = of_msg_decode(data, size, &msg, &error);

	FUZZ_REQUIRE(rc == 0 || (rc == -EPROTO && error.id < OFERR_N));
	/* Long lists may become several messages. */
	if (rc == 0 && of_msg_encode(&msg, &out) == 0 && out.length <= OF_MESSAGE_MAX) {
		rc = of_msg_decode((const uint8_t *)out.data, out.length, &again, &error);
		FUZZ_REQUIRE(rc == 0 && again.kind == msg.kind && again.n == msg.n);
		of_msg_destroy(&again);
	}
	of_msg_destroy(&msg);
	str_free(&out);
	return 0;
}
