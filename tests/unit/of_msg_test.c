/* of_msg_test.c - the message codec against messages that others wrote: of_vectors.txt
 * has them with what they are (see tests/support/of_record.py). Each is read and written
 * again, and cut and changed in all its bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "openflow/of_msg.h"

struct vector {
	uint8_t *data;
	size_t n;
	char kind[40];
	char note[200];
	bool is_exact;
};

static struct vector *vectors;
static size_t n_vectors;

/* "= kind hex # note"; '~' where the bytes that are written differ from those that were
 * read: another order of lists, padding that is not zero, defaults that are left out. */
static bool
vector_read(char *line, struct vector *v)
{
	char how;
	int at = 0, note = 0;
	size_t n;

	if (sscanf(line, "%c %39s %n", &how, v->kind, &at) < 2 ||
	    (how != '=' && how != '~'))
		return false;
	v->is_exact = how == '=';
	n = strspn(line + at, "0123456789abcdef");
	v->n = n / 2;
	/* Exactly as large as the message, for the sanitizer. */
	v->data = xmalloc(v->n);
	for (size_t i = 0; i < v->n; i++) {
		unsigned byte;

		sscanf(line + at + 2 * i, "%2x", &byte);
		v->data[i] = (uint8_t)byte;
	}
	sscanf(line + at + n, " # %n", &note);
	snprintf(v->note, sizeof(v->note), "%.150s", line + at + n + note);
	return true;
}

static int
setup(void **state)
{
	const char *srcdir = getenv("srcdir");
	char *path = xasprintf("%s/of_vectors.txt", srcdir ? srcdir : ".");
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	(void)state;
	if (!file)
		perror(path);
	free(path);
	if (!file)
		return -1;
	while (getline(&line, &size, file) > 0) {
		vectors = xrealloc(vectors, (n_vectors + 1) * sizeof(*vectors));
		if (vector_read(line, &vectors[n_vectors]))
			n_vectors++;
	}
	free(line);
	fclose(file);
	return n_vectors > 300 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_vectors; i++)
		free(vectors[i].data);
	free(vectors);
	return 0;
}

static void
print_bytes(const char *what, const void *data, size_t n)
{
	fprintf(stderr, "%s", what);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%02x", ((const uint8_t *)data)[i]);
	fprintf(stderr, "\n");
}

/* What is written of 'data', itself read and written, stays the same. */
static bool
is_stable(const struct str *first)
{
	struct str second = STR_INIT;
	struct of_error error;
	struct of_msg msg;
	bool ok = of_msg_decode((const uint8_t *)first->data, first->length, &msg,
	                        &error) == 0;

	if (!ok)
		fprintf(stderr, "what was written: %s\n", error.text);
	ok = ok && of_msg_encode(&msg, &second) == 0 && second.length == first->length &&
	     memcmp(second.data, first->data, first->length) == 0;
	of_msg_destroy(&msg);
	str_free(&second);
	return ok;
}

static bool
check_vector(const struct vector *v)
{
	struct str out = STR_INIT;
	struct of_error error;
	struct of_msg msg;
	bool ok, is_same;
	int rc = of_msg_decode(v->data, v->n, &msg, &error);

	if (rc < 0) {
		fprintf(stderr, "%s %s: %s\n", v->kind, v->note, error.text);
		print_bytes("  ", v->data, v->n);
		of_msg_destroy(&msg);
		return false;
	}
	rc = of_msg_encode(&msg, &out);
	is_same = rc == 0 && out.length == v->n && memcmp(out.data, v->data, v->n) == 0;
	ok = rc == 0 && strcmp(of_kind_name(msg.kind), v->kind) == 0 &&
	     (v->is_exact ? is_same : !is_same && is_stable(&out));
	if (!ok) {
		fprintf(stderr, "%c %s (%s) %s: rc %d\n", v->is_exact ? '=' : '~',
		        of_kind_name(msg.kind), v->kind, v->note, rc);
		print_bytes("  was ", v->data, v->n);
		print_bytes("  is  ", out.data, out.length);
	}
	of_msg_destroy(&msg);
	str_free(&out);
	return ok;
}

static void
test_vectors(void **state)
{
	size_t n_failed = 0;

	(void)state;
	for (size_t i = 0; i < n_vectors; i++)
		n_failed += !check_vector(&vectors[i]);
	assert_int_equal(n_failed, 0);
}

/* Every input is read or refused with an error; what was read can be written. */
static void
check_hostile(const uint8_t *data, size_t n)
{
	struct str out = STR_INIT;
	struct of_error error = {.id = OFERR_N};
	struct of_msg msg;
	int rc = of_msg_decode(data, n, &msg, &error);

	assert_true(rc == 0 || rc == -EPROTO);
	if (rc == 0)
		of_msg_encode(&msg, &out);
	else
		assert_true(error.id < OFERR_N && error.text[0]);
	of_msg_destroy(&msg);
	str_free(&out);
}

static void
set16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_vectors; i++) {
		const struct vector *v = &vectors[i];
		/* Long ones are lists of the same. */
		size_t step = v->n > 2048 ? v->n / 512 : 1;

		for (size_t n = 0; n < v->n; n += step) {
			/* A length that is as short, and one that is not. */
			uint8_t *copy = xmemdup(v->data, n ? n : 1);

			check_hostile(copy, n);
			if (n >= 4)
				set16(copy + 2, n);
			check_hostile(copy, n);
			free(copy);
		}
	}
}

static void
test_lengths(void **state)
{
	static const int changes[] = {-8, -4, -1, 1, 4, 8};

	(void)state;
	for (size_t i = 0; i < n_vectors; i++) {
		const struct vector *v = &vectors[i];
		uint8_t *copy = xmemdup(v->data, v->n);
		size_t step = v->n > 2048 ? 2 * (v->n / 1024) : 2;

		for (size_t at = 8; at + 2 <= v->n; at += step) {
			size_t was = (size_t)(copy[at] << 8 | copy[at + 1]);

			for (size_t j = 0; j < ARRAY_SIZE(changes); j++) {
				set16(copy + at, was + (size_t)changes[j]);
				check_hostile(copy, v->n);
			}
			set16(copy + at, 0);
			check_hostile(copy, v->n);
			set16(copy + at, 0xffff);
			check_hostile(copy, v->n);
			set16(copy + at, was);
		}
		free(copy);
	}
}

/* The same bytes as another version's, and as another type of message. */
static void
test_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_vectors; i++) {
		const struct vector *v = &vectors[i];
		uint8_t *copy = xmemdup(v->data, v->n);

		for (unsigned version = 0; version < 8; version++)
			for (unsigned type = 0; type < 37; type++) {
				copy[0] = (uint8_t)version;
				copy[1] = (uint8_t)type;
				check_hostile(copy, v->n);
			}
		free(copy);
	}
}

/* Every kind in every version: what is written is read as the same. */
static void
test_kinds(void **state)
{
	size_t n_written = 0;

	(void)state;
	for (unsigned i = 0; i < OFM_N_KINDS * 6 * 2; i++) {
		enum of_kind kind = (enum of_kind)(i / 12);
		enum of_version version = (enum of_version)(OF10 + i % 6);
		uint8_t barrier[] = {(uint8_t)version, 20, 0, 8, 0, 0, 0, 77};
		struct str out = STR_INIT;
		struct of_error error;
		struct of_msg msg, again;
		int rc;

		of_msg_init(&msg, version, kind, 77);
		msg.is_nicira = i % 12 >= 6;
		if (kind == OFM_BUNDLE_ADD) { /* carries a message */
			msg.bundle.message = barrier;
			msg.bundle.n = sizeof(barrier);
		}
		if (kind == OFM_REQUEST_FORWARD) {
			msg.request_forward.data = barrier;
			msg.request_forward.n = sizeof(barrier);
		}
		rc = of_msg_encode(&msg, &out);
		assert_true(rc == 0 || rc == -ENOTSUP);
		assert_true((rc == 0) == (out.length > 0));
		if (rc == 0 && kind != OFM_EXPERIMENTER) {
			rc = of_msg_decode((const uint8_t *)out.data, out.length, &again,
			                   &error);
			if (rc < 0)
				fprintf(stderr, "%s in %s: %s\n", of_kind_name(kind),
				        of_version_name(version), error.text);
			assert_int_equal(rc, 0);
			assert_int_equal(again.kind, kind);
			assert_int_equal(again.version, version);
			assert_int_equal(again.xid, 77);
			of_msg_destroy(&again);
			n_written++;
		}
		of_msg_destroy(&msg);
		str_free(&out);
	}
	assert_true(n_written > 500);
}

/* How many flows the messages in 'out' have; each is whole, all but the last say that
 * more follow. */
static size_t
count_flows(const struct str *out, size_t *n_messages)
{
	size_t n_flows = 0;

	*n_messages = 0;
	for (size_t at = 0; at < out->length; (*n_messages)++) {
		const uint8_t *data = (const uint8_t *)out->data + at;
		size_t n = (size_t)(data[2] << 8 | data[3]);
		struct of_error error;
		struct of_msg msg;

		assert_true(n >= OF_HEADER_BYTES && n <= out->length - at);
		assert_int_equal(of_msg_decode(data, n, &msg, &error), 0);
		for (size_t i = 0; i < msg.n; i++)
			assert_int_equal(msg.flows[i].priority, n_flows++ % 60000);
		at += n;
		assert_int_equal(msg.more, at < out->length);
		of_msg_destroy(&msg);
	}
	return n_flows;
}

static void
test_split(void **state)
{
	const size_t n = 70000;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		enum of_version version = (enum of_version)(OF10 + i % 6);
		struct str out = STR_INIT;
		struct of_msg msg;
		size_t n_messages;

		of_msg_init(&msg, version,
		            version == OF15 ? OFM_FLOW_DESC_REPLY : OFM_FLOW_STATS_REPLY,
		            1);
		msg.is_nicira = i >= 6;
		msg.n = n;
		msg.flows = of_msg_alloc(&msg, n * sizeof(*msg.flows));
		for (size_t j = 0; j < n; j++)
			msg.flows[j].priority = (uint16_t)(j % 60000);
		assert_int_equal(of_msg_encode(&msg, &out), 0);
		of_msg_destroy(&msg);
		assert_int_equal(count_flows(&out, &n_messages), n);
		assert_true(n_messages > n * 48 / OF_MESSAGE_MAX);
		assert_true(n_messages < n * 140 / OF_MESSAGE_MAX);
		str_free(&out);
	}
}

/* A group that no message has room for does not take the others along. */
static void
test_item_too_long(void **state)
{
	struct of_bucket *many = calloc(5000, sizeof(*many)), one = {.id = 1};
	struct of_group_mod groups[] = {
		{.group = 1, .buckets = &one, .n_buckets = 1},
		{.group = 2, .buckets = many, .n_buckets = 5000},
		{.group = 3, .buckets = &one, .n_buckets = 1},
	};
	struct str out = STR_INIT;
	struct of_error error;
	struct of_msg msg;

	(void)state;
	of_msg_init(&msg, OF13, OFM_GROUP_DESC_REPLY, 1);
	msg.groups = groups;
	msg.n = ARRAY_SIZE(groups);
	assert_int_equal(of_msg_encode(&msg, &out), 0);
	assert_int_equal(of_msg_decode((uint8_t *)out.data, out.length, &msg, &error), 0);
	assert_int_equal(msg.n, 2);
	assert_int_equal(msg.groups[1].group, 3);
	of_msg_destroy(&msg);
	str_free(&out);
	free(many);
}

/* What is too long for any message is refused, and leaves nothing behind. */
static void
test_too_long(void **state)
{
	static uint8_t bytes[OF_MESSAGE_MAX];
	struct str out = STR_INIT;
	struct of_msg msg;

	(void)state;
	str_append(&out, "before");
	of_msg_init(&msg, OF13, OFM_ECHO_REPLY, 1);
	msg.echo.data = bytes;
	msg.echo.n = OF_MESSAGE_MAX - OF_HEADER_BYTES + 1;
	assert_int_equal(of_msg_encode(&msg, &out), -EMSGSIZE);
	assert_string_equal(str_text(&out), "before");
	msg.echo.n--;
	assert_int_equal(of_msg_encode(&msg, &out), 0);
	assert_int_equal(out.length, strlen("before") + OF_MESSAGE_MAX);
	str_free(&out);
}

static size_t
from_hex(const char *hex, uint8_t *data)
{
	size_t n = 0;

	for (const char *p = hex; *p;) {
		unsigned byte;

		if (*p == ' ') {
			p++;
			continue;
		}
		assert_int_equal(sscanf(p, "%2x", &byte), 1);
		data[n++] = (uint8_t)byte;
		p += 2;
	}
	return n;
}

static int
decode_hex(const char *hex, struct of_msg *msg, struct of_error *error)
{
	uint8_t data[512];

	return of_msg_decode(data, from_hex(hex, data), msg, error);
}

static const struct {
	const char *hex;
	enum of_error_id id;
} refused[] = {
	{"0705000800000001", OFERR_BAD_REQUEST_VERSION},
	{"0405000900000001", OFERR_BAD_REQUEST_LEN},
	{"0405000900000001 00", OFERR_BAD_REQUEST_LEN},
	{"0463000800000001", OFERR_BAD_REQUEST_TYPE},
	{"0116000800000001", OFERR_BAD_REQUEST_TYPE},
	{"0412001000000001 00ff 0000 00000000", OFERR_BAD_REQUEST_MULTIPART},
	{"0404001000000001 00002321 00000001", OFERR_BAD_REQUEST_EXPERIMENTER},
	{"0404001000000001 00002320 00000fff", OFERR_BAD_REQUEST_EXP_TYPE},
	{"0404000c00000001 00002320", OFERR_BAD_REQUEST_LEN},
	{"0409000c00000001 0008 0000", OFERR_SWITCH_CONFIG_FLAGS},
	{"0418001800000001 00000004 00000000 0000000000000000", OFERR_ROLE_BAD},
	{"051c000c00000001 0000 0004", OFERR_BAD_PROPERTY_LEN},
	{"051c001000000001 000c 0008 00000001", OFERR_ASYNC_UNSUPPORTED},
	{"051c001000000001 0002 0008 00000008", OFERR_ASYNC_INVALID},
	{"061c001000000001 000e 0008 00000080", OFERR_ASYNC_INVALID},
	{"0623001800000001 0010 0000 00000004 00 00 000000000000", OFERR_ROLE_BAD},
	{"0623001800000001 0008 0000 00000001 00 00 000000000000", OFERR_BAD_REQUEST_LEN},
	{"0623002000000001 0018 0000 00000001 00 00 000000000000 0000 0009 "
         "00000000",
         OFERR_BAD_PROPERTY_LEN},
	{"041d001000000001 0003 0001 00000001", OFERR_METER_COMMAND},
	{"041d001000000001 0000 0010 00000001", OFERR_METER_FLAGS},
	{"041d002000000001 0000 0001 00000001 0003 0010 00000001 00000001 00000000",
         OFERR_METER_BAND},
	{"040f001000000001 0009 00 00 00000001", OFERR_GROUP_MOD_COMMAND},
	{"040f001000000001 0003 00 00 00000001", OFERR_GROUP_MOD_COMMAND},
	{"040f001000000001 0000 04 00 00000001", OFERR_GROUP_MOD_TYPE},
	{"040f001800000001 0000 00 00 00000001 0010 0000 00000000",
         OFERR_GROUP_MOD_BUCKET},
	{"040e003800000001 0000000000000000 0000000000000000 00 05 0000 0000 0000"
         "ffffffff ffffffff ffffffff 0000 0000 0001 0004 00000000",
         OFERR_FLOW_MOD_COMMAND},
	{"040e003800000001 0000000000000000 0000000000000000 00 00 0000 0000 0000"
         "ffffffff ffffffff ffffffff 0020 0000 0001 0004 00000000",
         OFERR_FLOW_MOD_FLAGS},
	{"0522001400000001 00000001 0000 0000 04140008", OFERR_BUNDLE_MSG_BAD_LEN},
	{"0522001800000001 00000001 0000 0000 0414000800000001", OFERR_BUNDLE_MSG_UNSUP},
	{"0522001800000001 00000001 0000 0000 0514000800000002",
         OFERR_BUNDLE_MSG_BAD_XID},
	{"0521001000000001 00000001 0008 0000", OFERR_BUNDLE_TYPE},
	{"060d002000000001 ffffffff 0000 0000 0001 0004 00000000 0000000000000000",
         OFERR_BAD_REQUEST_PORT},
	{"0512002800000001 0010 0000 00000000 00000001 ffffffff ffffffff 0000 00 03"
         "0001 0004 00000000",
         OFERR_MONITOR_COMMAND},
};

static void
test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct of_error error, expected;
		struct of_msg msg;
		int rc = decode_hex(refused[i].hex, &msg, &error);

		if (rc != -EPROTO || error.id != refused[i].id)
			fprintf(stderr, "%s: %d, id %u: %s\n", refused[i].hex, rc,
			        rc < 0 ? error.id : 0, rc < 0 ? error.text : "");
		assert_int_equal(rc, -EPROTO);
		assert_int_equal(error.id, refused[i].id);
		of_error_resolve(refused[i].id, msg.version, &expected);
		assert_int_equal(error.type, expected.type);
		assert_int_equal(error.code, expected.code);
		of_msg_destroy(&msg);
	}
}

/* Greetings say what they say, whatever else is in them. */
static void
test_hello(void **state)
{
	struct of_error error;
	struct of_msg msg;

	(void)state;
	assert_int_equal(decode_hex("0400000800000001", &msg, &error), 0);
	assert_int_equal(msg.hello.versions, 0x1e);
	assert_int_equal(decode_hex("0400001000000001 0001 0008 00000012", &msg, &error),
	                 0);
	assert_int_equal(msg.hello.versions, 0x12);
	assert_int_equal(decode_hex("6300000800000001", &msg, &error), 0);
	assert_int_equal(msg.hello.versions, 0xfffffffeU);
	assert_int_equal(
		decode_hex("0600001800000001 0007 0005 0102 0304 0001 0008 00000040",
	                   &msg, &error),
		0);
	assert_int_equal(msg.hello.versions, 0x40);
	assert_int_equal(decode_hex("0400000a00000001 0001", &msg, &error), 0);
	assert_int_equal(msg.hello.versions, 0x1e);
}

/* What an add and a delete leave out is the same whatever came in its place. */
static void
test_flow_mod(void **state)
{
	struct of_error error;
	struct of_msg msg;

	(void)state;
	/* os-ken's add has port and group 0. */
	assert_int_equal(
		decode_hex(
			"040e003800000001 0000000000000005 0000000000000000 02 00 000a "
			"0014 0063 ffffffff 00000000 00000000 0001 0000"
			"0001 0004 00000000",
			&msg, &error),
		0);
	assert_int_equal(msg.flow_mod.command, OF_FLOW_ADD);
	assert_int_equal(msg.flow_mod.new_cookie, 5);
	assert_int_equal(msg.flow_mod.cookie_mask, 0);
	assert_int_equal(msg.flow_mod.table, 2);
	assert_int_equal(msg.flow_mod.idle_s, 10);
	assert_int_equal(msg.flow_mod.hard_s, 20);
	assert_int_equal(msg.flow_mod.priority, 99);
	assert_int_equal(msg.flow_mod.flags, OF_FLOW_SEND_REMOVED);
	assert_int_equal(msg.flow_mod.out_port, FLOW_PORT_NONE);
	assert_int_equal(msg.flow_mod.out_group, OF_GROUP_ANY);
	assert_int_equal(msg.flow_mod.actions.bytes, 0);
	of_msg_destroy(&msg);
	/* A delete of 1.0, of what goes out to the local port, in table 3. */
	assert_int_equal(
		decode_hex("010e004800000001 003820ff 0000 000000000000 000000000000 0000"
	                   "00 00 0000 00 00 0000 00000000 00000000 0000 0000"
	                   "0000000000000007 0303 0000 0000 8000 ffffffff fffe 0000",
	                   &msg, &error),
		0);
	assert_int_equal(msg.flow_mod.command, OF_FLOW_DELETE);
	assert_int_equal(msg.flow_mod.table, 3);
	assert_int_equal(msg.flow_mod.out_port, FLOW_PORT_LOCAL);
	assert_true(flow_key_is_empty(&msg.flow_mod.match.mask));
	of_msg_destroy(&msg);
}

/* What a switch says of a packet that pauses comes back as it was. */
static void
test_continuation(void **state)
{
	static const uint8_t opaque[] = "any bytes, not a multiple of 8";
	struct str out = STR_INIT;
	struct of_error error;
	struct of_msg msg, in, resumed;

	(void)state;
	of_msg_init(&msg, OF15, OFM_PACKET_IN, 0);
	msg.packet_in.format = OF_PACKET_IN_NXT2;
	msg.packet_in.buffer_id = OF_BUFFER_NONE;
	msg.packet_in.cookie = UINT64_MAX;
	msg.packet_in.has_continuation = true;
	msg.packet_in.continuation = opaque;
	msg.packet_in.n_continuation = sizeof(opaque);
	assert_int_equal(of_msg_encode(&msg, &out), 0);
	assert_int_equal(
		of_msg_decode((const uint8_t *)out.data, out.length, &in, &error), 0);
	assert_true(in.packet_in.has_continuation);
	/* The controller sends it back, in another version. */
	in.kind = OFM_NX_RESUME;
	in.version = OF13;
	str_clear(&out);
	assert_int_equal(of_msg_encode(&in, &out), 0);
	assert_int_equal(
		of_msg_decode((const uint8_t *)out.data, out.length, &resumed, &error),
		0);
	assert_true(resumed.packet_in.has_continuation);
	assert_int_equal(resumed.packet_in.n_continuation, sizeof(opaque));
	assert_memory_equal(resumed.packet_in.continuation, opaque, sizeof(opaque));
	of_msg_destroy(&resumed);
	of_msg_destroy(&in);
	str_free(&out);
}

/* Makes the lines of of_vectors.txt of those of of_record.py. */
static int
mark(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		char *whole = xasprintf("= unknown %s", line);
		struct str out = STR_INIT;
		struct of_error error;
		struct of_msg msg;
		struct vector v;
		bool is_same;

		if (!vector_read(whole, &v))
			continue;
		if (of_msg_decode(v.data, v.n, &msg, &error) == 0) {
			is_same = of_msg_encode(&msg, &out) == 0 && out.length == v.n &&
			          memcmp(out.data, v.data, v.n) == 0;
			printf("%c %s %s", is_same ? '=' : '~', of_kind_name(msg.kind),
			       line);
		} else {
			printf("# %s: %s", error.text, line);
		}
		of_msg_destroy(&msg);
		str_free(&out);
		free(v.data);
		free(whole);
	}
	free(line);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),       cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lengths),       cmocka_unit_test(test_others),
		cmocka_unit_test(test_kinds),         cmocka_unit_test(test_split),
		cmocka_unit_test(test_item_too_long), cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_errors),        cmocka_unit_test(test_hello),
		cmocka_unit_test(test_flow_mod),      cmocka_unit_test(test_continuation),
	};

	if (argc > 1 && !strcmp(argv[1], "mark"))
		return mark();
	return cmocka_run_group_tests(tests, setup, teardown);
}
