/* fail_io.c - LD_PRELOAD library: the FAIL_AT-th call that changes a regular file,
 * counted from 1, fails with errno FAIL_ERRNO, as do FAIL_COUNT - 1 calls after it. Built
 * by the tests that use it. A SIGUSR1 restarts the count; until then nothing fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long fail_at, fail_count, fail_errno;
static volatile long n_calls = -1; /* -1: not counting yet */

static void
start_counting(int signal_number)
{
	(void)signal_number;
	n_calls = 0;
}

static long
number_from_environment(const char *name, long fallback)
{
	const char *text = getenv(name);

	return text ? atol(text) : fallback;
}

__attribute__((constructor)) static void
set_up(void)
{
	fail_at = number_from_environment("FAIL_AT", 0);
	fail_count = number_from_environment("FAIL_COUNT", 1);
	fail_errno = number_from_environment("FAIL_ERRNO", EIO);
	signal(SIGUSR1, start_counting);
}

static int
must_fail(int fd)
{
	struct stat st;

	if (n_calls < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n_calls++;
	if (n_calls < fail_at || n_calls >= fail_at + fail_count)
		return 0;
	errno = (int)fail_errno;
	return 1;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t
write(int fd, const void *data, size_t n)
{
	return must_fail(fd) ? -1 : REAL(write)(fd, data, n);
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t at)
{
	return must_fail(fd) ? -1 : REAL(pwrite)(fd, data, n, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	return must_fail(fd) ? -1 : REAL(pwrite64)(fd, data, n, at);
}

int
fsync(int fd)
{
	return must_fail(fd) ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	return must_fail(fd) ? -1 : REAL(fdatasync)(fd);
}

int
ftruncate(int fd, off_t n)
{
	return must_fail(fd) ? -1 : REAL(ftruncate)(fd, n);
}

int
ftruncate64(int fd, off64_t n)
{
	return must_fail(fd) ? -1 : REAL(ftruncate64)(fd, n);
}
