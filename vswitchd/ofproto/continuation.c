/* continuation.c - seals what a paused packet needs to go on, because it comes back from
 * outside: with a key that only this process has, so that what opens was made here, for
 * the same switch, and was not changed. Between packet_in.c, packet_out.c and the
 * datapath, to whom the contents belong. Main thread.
 *
 * To others it is one property of OpenFlow's, an experimenter's, that tools skip:
 *
 *     type 0xffff, length | experimenter "weir" | form | bytes of the contents |
 *     8 bytes that name the process | 8 that name the switch | a code over all else |
 *     the contents | zeros up to a multiple of 8 */
#include "vswitchd/ofproto/continuation.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define PROPERTY_EXPERIMENTER 0xffffU
#define EXPERIMENTER          0x77656972U /* "weir" */
#define FORM                  1U
#define SECRET_BYTES          32
#define CODE_BYTES            16 /* of SHA-256's 32 */

struct seal {
	uint8_t type[2], length[2];
	uint8_t experimenter[4], form[4], n[4];
	uint8_t process[8], instance[8];
	uint8_t code[CODE_BYTES];
};
static_assert(sizeof(struct seal) % 8 == 0, "the contents are aligned");

static struct {
	bool is_made;
	uint8_t process[8], secret[SECRET_BYTES];
} key;

static void
make_key(void)
{
	if (key.is_made)
		return;
	if (RAND_bytes(key.process, sizeof(key.process)) != 1 ||
	    RAND_bytes(key.secret, sizeof(key.secret)) != 1)
		abort(); /* the kernel has no random numbers: nothing is safe then */
	key.is_made = true;
}

static void
put(uint8_t *to, size_t bytes, uint64_t value)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
}

/* Over the head, its code being zero, and the contents. */
static void
make_code(const struct seal *seal, const void *record, size_t n, uint8_t code[CODE_BYTES])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	struct seal head = *seal;
	struct str text = STR_INIT;
	unsigned whole_bytes;

	memset(head.code, 0, sizeof(head.code));
	str_append_bytes(&text, &head, sizeof(head));
	str_append_bytes(&text, record, n);
	if (!HMAC(EVP_sha256(), key.secret, SECRET_BYTES, (const uint8_t *)text.data,
	          text.length, whole, &whole_bytes))
		abort(); /* out of memory */
	memcpy(code, whole, CODE_BYTES);
	str_free(&text);
}

static void
make_head(const struct ofproto *ofproto, size_t n, struct seal *seal)
{
	make_key();
	memset(seal, 0, sizeof(*seal));
	put(seal->type, sizeof(seal->type), PROPERTY_EXPERIMENTER);
	put(seal->length, sizeof(seal->length), sizeof(*seal) + n);
	put(seal->experimenter, sizeof(seal->experimenter), EXPERIMENTER);
	put(seal->form, sizeof(seal->form), FORM);
	put(seal->n, sizeof(seal->n), n);
	memcpy(seal->process, key.process, sizeof(seal->process));
	put(seal->instance, sizeof(seal->instance), ofproto->instance);
}

void
continuation_seal(const struct ofproto *ofproto, const void *record, size_t n,
                  struct str *out)
{
	static const uint8_t zeros[8];
	struct seal seal;

	make_head(ofproto, n, &seal);
	make_code(&seal, record, n, seal.code);
	str_append_bytes(out, &seal, sizeof(seal));
	str_append_bytes(out, record, n);
	str_append_bytes(out, zeros, -n & 7);
}

int
continuation_open(const struct ofproto *ofproto, const uint8_t *data, size_t n,
                  const void **record, size_t *n_record, struct of_error *error)
{
	uint8_t code[CODE_BYTES];
	struct seal seal, expected;
	size_t inside;

	if (n < sizeof(seal))
		return of_fail(error, OFERR_NXR_STALE,
		               "%zu bytes are no continuation of this switch", n);
	memcpy(&seal, data, sizeof(seal));
	inside = (size_t)seal.n[2] << 8 | seal.n[3];
	make_head(ofproto, inside, &expected);
	/* The code apart, the head can only be one. */
	memcpy(expected.code, seal.code, sizeof(seal.code));
	if (memcmp(&seal, &expected, sizeof(seal)) || inside > n - sizeof(seal))
		return of_fail(error, OFERR_NXR_STALE,
		               "a continuation of before a restart, or of another "
		               "switch");
	make_code(&seal, data + sizeof(seal), inside, code);
	if (CRYPTO_memcmp(code, seal.code, sizeof(code)))
		return of_fail(error, OFERR_NXR_STALE, "a continuation was changed");
	*record = data + sizeof(seal);
	*n_record = inside;
	return 0;
}
