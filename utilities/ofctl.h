/* ofctl.h - the parts of weir-ofctl: its options, its connection to a switch, names, and
 * the commands, one family per ofctl_*.c. Whatever fails ends the process by cli_die().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "openflow/of_text.h"

#define OFCTL_SORT_MAX 16

struct ofctl_sort {
	const struct flow_field *field; /* NULL = the priority */
	bool is_descending;
};

struct ofctl_options {
	uint32_t versions;     /* bit per version number */
	uint32_t flow_formats; /* of ofctl_protocols.h */
	bool versions_are_set;
	int verbosity; /* as of_text_format_message() */
	bool is_strict, uses_bundle, hides_stats, has_timestamps, is_readd, may_create;
	int shows_names; /* -1 = if standard output is a terminal */
	enum of_packet_in_format packet_in_format;
	bool packet_in_format_is_set;
	struct ofctl_sort sorts[OFCTL_SORT_MAX];
	size_t n_sorts;
};
extern struct ofctl_options ofctl_options;

/* ---- connection ---- */

struct ofctl_conn;

/* To a bridge's name, a socket or a target; agrees on one of 'versions'. */
struct ofctl_conn *ofctl_open(const char *target, uint32_t versions);
/* To "<bridge>.snoop": whatever version comes. */
struct ofctl_conn *ofctl_open_snoop(const char *target);
void ofctl_close(struct ofctl_conn *conn);
enum of_version ofctl_version(const struct ofctl_conn *conn);

/* A message of the connection's version with a number of its own. */
void ofctl_begin(struct ofctl_conn *conn, struct of_msg *msg, enum of_kind kind);
/* Encodes and sends it, and releases it. What the version cannot say ends the process. */
void ofctl_send(struct ofctl_conn *conn, struct of_msg *msg);
void ofctl_send_bytes(struct ofctl_conn *conn, const void *data, size_t n);

/* The next message but echo requests, which are answered; valid until the next call.
 * NULL: the switch has closed the connection. 'timeout_ms' < 0: none; in time nothing
 * came:
 * '*n' 0. */
const uint8_t *ofctl_receive(struct ofctl_conn *conn, size_t *n, int timeout_ms);

/* Sends a request and hands on each part of its answer; an error ends the process. */
void ofctl_transact(struct ofctl_conn *conn, struct of_msg *request,
                    void (*part)(const uint8_t *data, size_t n, void *aux), void *aux);
/* The same for an answer of one part, decoded into '*reply', to be destroyed. */
void ofctl_ask(struct ofctl_conn *conn, struct of_msg *request, struct of_msg *reply);

/* Waits until the switch has dealt with all that was sent. Errors are printed; how many
 * there were. */
unsigned ofctl_barrier(struct ofctl_conn *conn);

/* ---- names ---- */

/* Numbers of ports and tables by name, asked of the switch when the first is needed.
 * Lives as long as the process. NULL target: there is no switch. */
const struct of_names *ofctl_names(const char *target);
/* The same for printing: NULL unless names are wanted. */
const struct of_names *ofctl_print_names(const char *target);
/* A port's number or name; ends the process. */
uint32_t ofctl_port(const char *target, const char *text);

/* ---- shared by commands ---- */

void ofctl_print_message(const uint8_t *data, size_t n, const struct of_names *names);
void ofctl_part_print(const uint8_t *data, size_t n, void *names); /* for transact */
uint32_t ofctl_number(const char *what, const char *text, uint64_t most);

/* Changes, sent at once or, with a bundle, all or none. */
struct ofctl_changes;
struct ofctl_changes *ofctl_changes_begin(const char *target, uint32_t versions,
                                          bool is_bundle);
void ofctl_changes_add(struct ofctl_changes *changes, struct of_msg *msg);
struct ofctl_conn *ofctl_changes_conn(struct ofctl_changes *changes);
/* Ends the process if the switch refused something. */
void ofctl_changes_end(struct ofctl_changes *changes);
/* 'mod' is taken over. */
void ofctl_changes_flow(struct ofctl_changes *changes, struct of_flow_mod *mod);

/* A version and those after it. */
#define OFCTL_FROM(version) (OF_VERSIONS_ALL & ~((1U << (version)) - 1))
/* What versions a command may use: those of the options, those that it needs else. */
uint32_t ofctl_versions(uint32_t needed);

/* Calls 'line' for each line of a file ("-" = standard input) that says something. */
void ofctl_read_lines(const char *path, void (*line)(char *text, void *aux), void *aux);

/* ---- commands ---- */

struct ofctl_command {
	const char *name, *usage;
	int min_args, max_args;
	void (*run)(int n, char **args);
};
/* Each ends with a command without a name. */
extern const struct ofctl_command ofctl_dump_commands[], ofctl_flow_commands[],
	ofctl_mod_commands[], ofctl_table_commands[], ofctl_watch_commands[],
	ofctl_text_commands[], ofctl_diff_commands[];
