/* ofctl_flows.c - the commands of weir-ofctl about rules: shown, added, changed, deleted.
 * Over ofctl_changes.c; what two sets of rules differ in is ofctl_diff.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "ofctl_protocols.h"
#include "ofctl_rules.h"

/* ---- rules of a switch ---- */

void
ofctl_rules_free(struct ofctl_rules *rules)
{
	for (size_t i = 0; i < rules->n_parts; i++)
		of_msg_destroy(&rules->parts[i]);
	free(rules->parts);
	free(rules->list);
	memset(rules, 0, sizeof(*rules));
}

static void
rules_take(const uint8_t *data, size_t n, void *aux)
{
	struct ofctl_rules *rules = aux;
	struct of_error error;
	struct of_msg *msg;

	rules->parts = xrealloc(rules->parts, (rules->n_parts + 1) * sizeof(*msg));
	msg = &rules->parts[rules->n_parts++];
	if (of_msg_decode(data, n, msg, &error))
		cli_die("the switch's answer cannot be understood: %s", error.text);
	rules->list = xrealloc(rules->list, (rules->n + msg->n) * sizeof(*rules->list));
	for (size_t i = 0; i < msg->n; i++)
		rules->list[rules->n++] = &msg->flows[i];
}

/* 'text' NULL: all rules. */
static void
rules_request(struct ofctl_conn *conn, const char *target, const char *text,
              enum of_kind kind, struct of_msg *msg)
{
	struct of_flow_mod filter;
	struct error err;

	if (of_text_parse_flow(text ? text : "", OF_FLOW_DELETE, ofctl_names(target),
	                       &filter, &err))
		cli_die("%s", err.text);
	/* 1.5 split them: counters apart, and what rules are, which has counters too. */
	if (kind == OFM_FLOW_STATS_REQUEST && ofctl_version(conn) >= OF15)
		kind = OFM_FLOW_DESC_REQUEST;
	ofctl_begin(conn, msg, kind);
	msg->is_nicira =
		ofctl_version(conn) == OF10 && ofctl_options.flow_formats & OFCTL_NXM;
	msg->flow_request = (struct of_flow_stats_request){
		.match = filter.match,
		.table = filter.table,
		.out_port = filter.out_port,
		.out_group = filter.out_group,
		.cookie = filter.cookie,
		.cookie_mask = filter.cookie_mask,
	};
	flow_actions_destroy(&filter.actions);
}

void
ofctl_rules_fetch(struct ofctl_conn *conn, const char *target, const char *text,
                  struct ofctl_rules *rules)
{
	struct of_msg msg;

	memset(rules, 0, sizeof(*rules));
	rules_request(conn, target, text, OFM_FLOW_STATS_REQUEST, &msg);
	ofctl_transact(conn, &msg, rules_take, rules);
}

/* ---- dump-flows ---- */

static bool
has_field(const struct of_flow_stats *rule, const struct flow_field *field)
{
	static const struct flow_value none;
	struct flow_value mask;

	flow_field_read(field->id, &rule->match.mask, &mask);
	return memcmp(&mask, &none, field->n_bytes) != 0;
}

static int
compare_by(const struct ofctl_sort *sort, const struct of_flow_stats *a,
           const struct of_flow_stats *b)
{
	struct flow_value x, y;
	int order;

	if (!sort->field) {
		order = (a->priority > b->priority) - (a->priority < b->priority);
	} else {
		/* Who does not say comes last, either way. */
		if (has_field(a, sort->field) != has_field(b, sort->field))
			return has_field(a, sort->field) ? -1 : 1;
		flow_field_read(sort->field->id, &a->match.key, &x);
		flow_field_read(sort->field->id, &b->match.key, &y);
		order = memcmp(&x, &y, sort->field->n_bytes);
	}
	return sort->is_descending ? -order : order;
}

static int
compare_rules(const void *a, const void *b)
{
	const struct of_flow_stats *const *x = a, *const *y = b;
	static const struct ofctl_sort last = {.is_descending = true};

	for (size_t i = 0; i < ofctl_options.n_sorts; i++) {
		int order = compare_by(&ofctl_options.sorts[i], *x, *y);

		if (order)
			return order;
	}
	return compare_by(&last, *x, *y);
}

static void
run_dump_flows(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	const struct of_names *names = ofctl_print_names(args[0]);
	const char *filter = n > 1 ? args[1] : NULL;
	struct ofctl_rules rules;
	struct of_msg msg;

	if (!ofctl_options.n_sorts && !names && !ofctl_options.hides_stats) {
		rules_request(conn, args[0], filter, OFM_FLOW_STATS_REQUEST, &msg);
		ofctl_transact(conn, &msg, ofctl_part_print, NULL);
		ofctl_close(conn);
		return;
	}
	ofctl_rules_fetch(conn, args[0], filter, &rules);
	if (ofctl_options.n_sorts && rules.n)
		qsort(rules.list, rules.n, sizeof(*rules.list), compare_rules);
	for (size_t i = 0; i < rules.n; i++) {
		struct of_flow_stats rule = *rules.list[i];
		struct str line = STR_INIT;

		rule.idle_age_s = rule.hard_age_s = -1; /* as ovs-ofctl has it */
		of_text_format_flow(&line, &rule, names, !ofctl_options.hides_stats);
		printf(" %s\n", str_text(&line));
		str_free(&line);
	}
	ofctl_rules_free(&rules);
	ofctl_close(conn);
}

static void
run_dump_aggregate(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	struct of_msg msg;

	rules_request(conn, args[0], n > 1 ? args[1] : NULL, OFM_AGGREGATE_REQUEST, &msg);
	ofctl_transact(conn, &msg, ofctl_part_print, NULL);
	ofctl_close(conn);
}

/* ---- changes ---- */

struct flow_command {
	struct ofctl_changes *changes;
	const char *target;
	enum of_flow_command command;
};

static void
change_flow(char *text, void *aux)
{
	struct flow_command *to = aux;
	struct of_flow_mod mod;
	struct error err;

	if (of_text_parse_flow(text, to->command, ofctl_names(to->target), &mod, &err))
		cli_die("%s", err.text);
	ofctl_changes_flow(to->changes, &mod);
}

void
ofctl_read_lines(const char *path, void (*line)(char *text, void *aux), void *aux)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	char *text = NULL;
	size_t allocated = 0;
	ssize_t n;

	if (!file)
		cli_die("%s: %s", path, strerror(errno));
	while ((n = getline(&text, &allocated, file)) >= 0) {
		char *start = text + strspn(text, " \t");

		start[strcspn(start, "#\r\n")] = '\0';
		for (size_t end = strlen(start); end && strchr(" \t", start[end - 1]);)
			start[--end] = '\0';
		if (*start)
			line(start, aux);
	}
	if (ferror(file))
		cli_die("%s: %s", path, strerror(errno));
	free(text);
	if (file != stdin)
		fclose(file);
}

static struct flow_command
flow_begin(const char *target, enum of_flow_command command)
{
	struct flow_command to = {.target = target, .command = command};

	if (ofctl_options.is_strict && command != OF_FLOW_ADD)
		to.command = command == OF_FLOW_MODIFY ? OF_FLOW_MODIFY_STRICT
		                                       : OF_FLOW_DELETE_STRICT;
	to.changes = ofctl_changes_begin(target, ofctl_options.versions,
	                                 ofctl_options.uses_bundle);
	return to;
}

static void
flow_from_text(const char *target, const char *text, enum of_flow_command command)
{
	struct flow_command to = flow_begin(target, command);

	if (!strcmp(text, "-")) {
		ofctl_read_lines(text, change_flow, &to);
	} else {
		char *copy = xstrdup(text);

		change_flow(copy, &to);
		free(copy);
	}
	ofctl_changes_end(to.changes);
}

static void
run_add_flow(int n, char **args)
{
	(void)n;
	flow_from_text(args[0], args[1], OF_FLOW_ADD);
}

static void
run_add_flows(int n, char **args)
{
	struct flow_command to = flow_begin(args[0], OF_FLOW_ADD);

	(void)n;
	ofctl_read_lines(args[1], change_flow, &to);
	ofctl_changes_end(to.changes);
}

static void
run_mod_flows(int n, char **args)
{
	(void)n;
	flow_from_text(args[0], args[1], OF_FLOW_MODIFY);
}

static void
run_del_flows(int n, char **args)
{
	flow_from_text(args[0], n > 1 ? args[1] : "", OF_FLOW_DELETE);
}

const struct ofctl_command ofctl_flow_commands[] = {
	{"dump-flows", "SWITCH [FLOW]", 1, 2, run_dump_flows},
	{"dump-aggregate", "SWITCH [FLOW]", 1, 2, run_dump_aggregate},
	{"add-flow", "SWITCH FLOW", 2, 2, run_add_flow},
	{"add-flows", "SWITCH FILE", 2, 2, run_add_flows},
	{"mod-flows", "SWITCH FLOW", 2, 2, run_mod_flows},
	{"del-flows", "SWITCH [FLOW]", 1, 2, run_del_flows},
	{NULL, NULL, 0, 0, NULL},
};
