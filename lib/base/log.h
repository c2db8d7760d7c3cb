/* log.h - leveled log lines to a file, standard error and syslog; for any thread but
 * workers.
 *
 * A .c file that logs starts with LOG_MODULE(name); the module is then listed and set
 * by the vlog/list and vlog/set commands. Line format:
 *   2026-01-31T12:00:00.123Z|00017|bridge|INFO|text
 * Identical call sites that fire fast are held to a burst of 20 and 1 line a second;
 * the next line that passes says how many were suppressed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

enum log_level {
	LOG_LEVEL_OFF,
	LOG_LEVEL_EMER,
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DBG,
	LOG_N_LEVELS
};
enum log_destination { LOG_TO_SYSLOG, LOG_TO_CONSOLE, LOG_TO_FILE, LOG_N_DESTINATIONS };

struct log_module {
	const char *name;
	struct log_module *next;
	_Atomic int
		levels[LOG_N_DESTINATIONS]; /* enum log_level; main writes, all read */
};

/* Per call site; zero is a fresh limit. */
struct log_limit {
	uint64_t refilled_ns;
	uint32_t spent;
	uint32_t suppressed;
};

void log_module_register(struct log_module *module);

#define LOG_MODULE(id)                                                   \
	static struct log_module this_log_module = {.name = #id};        \
	__attribute__((constructor)) static void log_register_##id(void) \
	{                                                                \
		log_module_register(&this_log_module);                   \
	}                                                                \
	struct log_module /* swallows the semicolon */

void log_write(struct log_module *module, enum log_level level, struct log_limit *limit,
               const char *fmt, ...) PRINTF_FORMAT(4, 5);

#define LOG_AT(level, ...)                                                    \
	do {                                                                  \
		static struct log_limit limit_here;                           \
		log_write(&this_log_module, level, &limit_here, __VA_ARGS__); \
	} while (0)
#define log_err(...)  LOG_AT(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_dbg(...)  LOG_AT(LOG_LEVEL_DBG, __VA_ARGS__)

/* Opens (appends, mode 0640) the log file; 0 or -errno with the reason in 'err'. */
int log_open_file(const char *path, struct error *err);

/* Closes and opens the same path again, for log rotation. */
int log_reopen_file(struct error *err);

/* The program's name in syslog. */
void log_set_program(const char *name);

/* After daemon_detach() nothing reads standard error. */
void log_disable_console(void);

/* One word of vlog/set: "[module][:destination][:level]", in any order, each may be
 * "any". -EINVAL with the reason. */
int log_set_levels(const char *word, struct error *err);

/* The table that vlog/list prints. */
void log_list_levels(struct str *out);
