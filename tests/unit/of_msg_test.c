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
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_others),
	};

	if (argc > 1 && !strcmp(argv[1], "mark"))
		return mark();
	return cmocka_run_group_tests(tests, setup, teardown);
}
