/* log.c - log modules, their levels and destinations. A mutex orders lines; workers never
 * log. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define LOG_BURST          20
#define LOG_LINE_MAX_BYTES 2048

static const char *const level_names[] = {"off", "emer", "err", "warn", "info", "dbg"};
static const char *const destination_names[] = {"syslog", "console", "file"};
static_assert(ARRAY_SIZE(level_names) == LOG_N_LEVELS, "name every level");
static_assert(ARRAY_SIZE(destination_names) == LOG_N_DESTINATIONS,
              "name every destination");

static const int default_levels[LOG_N_DESTINATIONS] = {LOG_LEVEL_OFF, LOG_LEVEL_INFO,
                                                       LOG_LEVEL_INFO};

static struct log_module *modules; /* written by constructors only */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static uint32_t sequence;
static int file_fd = -1;
static char *file_path;
static bool console_on = true;
static const char *program = "weir";

void
log_module_register(struct log_module *module)
{
	struct log_module **link = &modules;

	for (int i = 0; i < LOG_N_DESTINATIONS; i++)
		module->levels[i] = default_levels[i];
	/* Sorted, so that vlog/list is. */
	while (*link && strcmp((*link)->name, module->name) < 0)
		link = &(*link)->next;
	module->next = *link;
	*link = module;
}

/* True if the line may pass; moves the count of suppressed lines to '*suppressed'. */
static bool
log_limit_pass(struct log_limit *limit, uint32_t *suppressed)
{
	uint64_t now_ns = clock_mono_ns();
	uint64_t tokens = (now_ns - limit->refilled_ns) / NSEC_PER_SEC;

	if (tokens > 0) {
		limit->spent -= (uint32_t)MIN_OF(tokens, limit->spent);
		limit->refilled_ns = now_ns;
	}
	if (limit->spent >= LOG_BURST) {
		limit->suppressed++;
		return false;
	}
	limit->spent++;
	*suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
}

static int
log_format_time(char *buf, size_t size)
{
	uint64_t ms = clock_wall_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return (int)n + snprintf(buf + n, size - n, ".%03uZ", (unsigned)(ms % 1000));
}

static void
log_emit(struct log_module *module, enum log_level level, const char *text)
{
	static const int priorities[] = {LOG_DEBUG,   LOG_ALERT, LOG_ERR,
	                                 LOG_WARNING, LOG_INFO,  LOG_DEBUG};
	char line[LOG_LINE_MAX_BYTES], upper[8];
	int n = log_format_time(line, sizeof(line));

	for (size_t i = 0; i <= strlen(level_names[level]); i++)
		upper[i] = (char)(level_names[level][i] &
		                  ~(level_names[level][i] ? 0x20 : 0));
	n += snprintf(line + n, sizeof(line) - (size_t)n, "|%05u|%s|%s|%s\n", ++sequence,
	              module->name, upper, text);
	if (n >= (int)sizeof(line)) {
		n = (int)sizeof(line);
		line[n - 1] = '\n';
	}
	if (console_on && (int)level <= module->levels[LOG_TO_CONSOLE])
		if (write(STDERR_FILENO, line, (size_t)n) < 0)
			console_on = false;
	/* A full disk must not stop the switch: the line is lost. */
	if (file_fd >= 0 && (int)level <= module->levels[LOG_TO_FILE])
		if (write(file_fd, line, (size_t)n) < 0)
			errno = 0;
	if ((int)level <= module->levels[LOG_TO_SYSLOG])
		syslog(priorities[level], "%s|%s|%s", module->name, upper, text);
}

void
log_write(struct log_module *module, enum log_level level, struct log_limit *limit,
          const char *fmt, ...)
{
	char text[LOG_LINE_MAX_BYTES - 100];
	uint32_t suppressed = 0;
	int saved_errno = errno;
	bool wanted = false;
	va_list args;

	for (int i = 0; i < LOG_N_DESTINATIONS; i++)
		wanted |= (int)level <= module->levels[i];
	if (!wanted)
		return;
	pthread_mutex_lock(&lock);
	if (log_limit_pass(limit, &suppressed)) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		if (suppressed > 0) {
			char note[64];

			snprintf(note, sizeof(note),
			         "suppressed %u lines like the next one", suppressed);
			log_emit(module, level, note);
		}
		log_emit(module, level, text);
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

int
log_open_file(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	char *copy;

	if (fd < 0)
		return error_set(err, -errno, "%s: cannot open log file: %s", path,
		                 strerror(errno));
	copy = xstrdup(path);
	pthread_mutex_lock(&lock);
	if (file_fd >= 0)
		close(file_fd);
	free(file_path);
	file_fd = fd;
	file_path = copy;
	pthread_mutex_unlock(&lock);
	return 0;
}

int
log_reopen_file(struct error *err)
{
	char *path;
	int ret;

	if (!file_path)
		return error_set(err, -ENOENT, "no log file is in use");
	path = xstrdup(file_path);
	ret = log_open_file(path, err);
	free(path);
	return ret;
}

void
log_set_program(const char *name)
{
	program = name;
	openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_disable_console(void)
{
	console_on = false;
}

static int
log_find_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcasecmp(names[i], name))
			return i;
	return -1;
}

int
log_set_levels(const char *word, struct error *err)
{
	char *copy = xstrdup(word), *save = NULL;
	struct log_module *only = NULL;
	int destination = -1, level = LOG_LEVEL_DBG;
	int ret = 0;

	for (char *t = strtok_r(copy, ": ,", &save); t;
	     t = strtok_r(NULL, ": ,", &save)) {
		struct log_module *m = modules;
		int i;

		if (!strcasecmp(t, "any"))
			continue;
		if ((i = log_find_name(level_names, LOG_N_LEVELS, t)) >= 0) {
			level = i;
			continue;
		}
		if ((i = log_find_name(destination_names, LOG_N_DESTINATIONS, t)) >= 0) {
			destination = i;
			continue;
		}
		while (m && strcasecmp(m->name, t))
			m = m->next;
		if (!m) {
			ret = error_set(err, -EINVAL,
			                "no destination, level, or module \"%s\"", t);
			break;
		}
		only = m;
	}
	for (struct log_module *m = modules; m && !ret; m = m->next)
		for (int d = 0; d < LOG_N_DESTINATIONS; d++)
			if ((!only || only == m) && (destination < 0 || destination == d))
				m->levels[d] = level;
	free(copy);
	return ret;
}

void
log_list_levels(struct str *out)
{
	str_append(out, "                 console    syslog    file\n");
	str_append(out, "                 -------    ------    ------\n");
	for (struct log_module *m = modules; m; m = m->next)
		str_printf(out, "%-16s  %6s    %6s    %6s\n", m->name,
		           level_names[m->levels[LOG_TO_CONSOLE]],
		           level_names[m->levels[LOG_TO_SYSLOG]],
		           level_names[m->levels[LOG_TO_FILE]]);
}
