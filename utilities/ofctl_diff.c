/* ofctl_diff.c - replace-flows and diff-flows: what two sets of rules, of files or
 * switches, differ in. Beside ofctl_flows.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hmap.h"
#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"
#include "ofctl_rules.h"

/* A rule in one or both of the sets; all that is compared. */
struct version {
	bool is_there;
	uint64_t cookie;
	uint16_t idle_s, hard_s, importance, flags;
	struct flow_actions actions;
};

struct entry {
	struct hmap_node node; /* by table, priority and match */
	struct flow_match match;
	uint16_t priority;
	uint8_t table;
	struct version versions[2];
};

struct sets {
	struct hmap entries;
	int index; /* which one is being read */
	const char *target;
};

static struct entry *
sets_entry(struct sets *sets, uint8_t table, uint16_t priority,
           const struct flow_match *match)
{
	uint32_t hash =
		hash_bytes(match, sizeof(*match), (uint32_t)priority << 8 | table);
	struct entry *entry;

	HMAP_FOR_EACH_WITH_HASH (entry, node, hash, &sets->entries)
		if (entry->table == table && entry->priority == priority &&
		    !memcmp(&entry->match, match, sizeof(*match)))
			return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->table = table;
	entry->priority = priority;
	entry->match = *match;
	hmap_insert(&sets->entries, &entry->node, hash);
	return entry;
}

static void
read_line(char *text, void *aux)
{
	struct sets *sets = aux;
	struct of_flow_mod mod;
	struct version *version;
	struct error err;

	if (of_text_parse_flow(text, OF_FLOW_ADD, ofctl_names(sets->target), &mod, &err))
		cli_die("%s", err.text);
	version = &sets_entry(sets, mod.table == OF_TABLE_ALL ? 0 : mod.table,
	                      mod.priority, &mod.match)
	                   ->versions[sets->index];
	flow_actions_destroy(&version->actions);
	*version = (struct version){
		.is_there = true,
		.cookie = mod.new_cookie,
		.idle_s = mod.idle_s,
		.hard_s = mod.hard_s,
		.importance = mod.importance,
		.flags = mod.flags,
		.actions = mod.actions,
	};
}

static void
read_switch(struct sets *sets, const char *target, uint32_t versions)
{
	struct ofctl_conn *conn = ofctl_open(target, versions);
	struct ofctl_rules rules;

	ofctl_rules_fetch(conn, target, NULL, &rules);
	for (size_t i = 0; i < rules.n; i++) {
		const struct of_flow_stats *rule = rules.list[i];
		struct version *version =
			&sets_entry(sets, rule->table, rule->priority, &rule->match)
				 ->versions[sets->index];

		*version = (struct version){
			.is_there = true,
			.cookie = rule->cookie,
			.idle_s = rule->idle_s,
			.hard_s = rule->hard_s,
			.importance = rule->importance,
			.flags = rule->flags & (OF_FLOW_SEND_REMOVED |
		                                OF_FLOW_NO_PACKETS | OF_FLOW_NO_BYTES),
		};
		flow_actions_append(&version->actions, rule->actions.data,
		                    rule->actions.bytes);
	}
	ofctl_rules_free(&rules);
	ofctl_close(conn);
}

static bool
same_version(const struct version *a, const struct version *b)
{
	uint16_t kept = OF_FLOW_SEND_REMOVED | OF_FLOW_NO_PACKETS | OF_FLOW_NO_BYTES;

	return a->cookie == b->cookie && a->idle_s == b->idle_s &&
	       a->hard_s == b->hard_s && a->importance == b->importance &&
	       (a->flags & kept) == (b->flags & kept) &&
	       a->actions.bytes == b->actions.bytes &&
	       (!a->actions.bytes ||
	        !memcmp(a->actions.data, b->actions.data, a->actions.bytes));
}

static void
sets_free(struct sets *sets)
{
	struct entry *entry;

	HMAP_FOR_EACH (entry, node, &sets->entries) {
		hmap_remove(&sets->entries, &entry->node);
		flow_actions_destroy(&entry->versions[0].actions);
		flow_actions_destroy(&entry->versions[1].actions);
		free(entry);
	}
	hmap_destroy(&sets->entries);
}

static void
entry_change(struct ofctl_changes *changes, const struct entry *entry,
             enum of_flow_command command)
{
	const struct version *version = &entry->versions[0];
	struct of_flow_mod mod = {
		.command = command,
		.match = entry->match,
		.priority = entry->priority,
		.table = entry->table,
		.buffer_id = OF_BUFFER_NONE,
		.out_port = FLOW_PORT_NONE,
		.out_group = OF_GROUP_ANY,
	};

	if (command == OF_FLOW_ADD) {
		mod.new_cookie = version->cookie;
		mod.idle_s = version->idle_s;
		mod.hard_s = version->hard_s;
		mod.importance = version->importance;
		mod.flags = version->flags;
		flow_actions_append(&mod.actions, version->actions.data,
		                    version->actions.bytes);
	}
	ofctl_changes_flow(changes, &mod);
}

static void
run_replace_flows(int n, char **args)
{
	struct sets sets = {.entries = HMAP_INIT, .target = args[0]};
	struct ofctl_changes *changes;
	struct entry *entry;

	(void)n;
	ofctl_read_lines(args[1], read_line, &sets);
	sets.index = 1;
	read_switch(&sets, args[0], ofctl_options.versions);
	changes = ofctl_changes_begin(args[0], ofctl_options.versions,
	                              ofctl_options.uses_bundle);
	HMAP_FOR_EACH (entry, node, &sets.entries)
		if (!entry->versions[0].is_there)
			entry_change(changes, entry, OF_FLOW_DELETE_STRICT);
	HMAP_FOR_EACH (entry, node, &sets.entries)
		if (entry->versions[0].is_there &&
		    (ofctl_options.is_readd || !entry->versions[1].is_there ||
		     !same_version(&entry->versions[0], &entry->versions[1])))
			entry_change(changes, entry, OF_FLOW_ADD);
	ofctl_changes_end(changes);
	sets_free(&sets);
}

/* ---- diff-flows ---- */

/* By table, then the rule of highest priority first; else in any order. */
static int
compare_entries(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	if ((*x)->table != (*y)->table)
		return (*x)->table < (*y)->table ? -1 : 1;
	if ((*x)->priority != (*y)->priority)
		return (*x)->priority > (*y)->priority ? -1 : 1;
	return memcmp(&(*x)->match, &(*y)->match, sizeof((*x)->match));
}

static void
print_version(char sign, const struct entry *entry, const struct version *version)
{
	const struct of_names *names = ofctl_print_names(NULL);
	struct str line = STR_INIT;

	if (entry->table)
		str_printf(&line, "table=%u ", entry->table);
	of_text_format_match(&line, &entry->match, entry->priority, names);
	if (version->cookie)
		str_printf(&line, " cookie=0x%llx", (unsigned long long)version->cookie);
	if (version->idle_s)
		str_printf(&line, " idle_timeout=%u", version->idle_s);
	if (version->hard_s)
		str_printf(&line, " hard_timeout=%u", version->hard_s);
	if (version->importance)
		str_printf(&line, " importance=%u", version->importance);
	str_append(&line, " actions=");
	of_text_format_actions(&line, version->actions.data, version->actions.bytes,
	                       names);
	printf("%c%s\n", sign, str_text(&line));
	str_free(&line);
}

static void
read_source(struct sets *sets, const char *source)
{
	struct stat st;

	if (!strcmp(source, "-") || (stat(source, &st) == 0 && !S_ISSOCK(st.st_mode))) {
		ofctl_read_lines(source, read_line, sets);
		return;
	}
	sets->target = source;
	read_switch(sets, source, ofctl_options.versions);
}

static void
run_diff_flows(int n, char **args)
{
	struct sets sets = {.entries = HMAP_INIT};
	struct entry **list, *entry;
	bool differs = false;
	size_t count = 0;

	(void)n;
	for (sets.index = 0; sets.index < 2; sets.index++)
		read_source(&sets, args[sets.index]);
	list = xcalloc(sets.entries.count, sizeof(struct entry *));
	HMAP_FOR_EACH (entry, node, &sets.entries)
		list[count++] = entry;
	qsort(list, count, sizeof(struct entry *), compare_entries);
	for (size_t i = 0; i < count; i++) {
		const struct version *v = list[i]->versions;

		if (v[0].is_there && v[1].is_there && same_version(&v[0], &v[1]))
			continue;
		differs = true;
		if (v[0].is_there)
			print_version('-', list[i], &v[0]);
		if (v[1].is_there)
			print_version('+', list[i], &v[1]);
	}
	free(list);
	sets_free(&sets);
	if (differs)
		exit(2);
}

const struct ofctl_command ofctl_diff_commands[] = {
	{"replace-flows", "SWITCH FILE", 2, 2, run_replace_flows},
	{"diff-flows", "SOURCE1 SOURCE2", 2, 2, run_diff_flows},
	{NULL, NULL, 0, 0, NULL},
};
