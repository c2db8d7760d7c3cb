/* ofctl_tables.c - the commands of weir-ofctl about what tables can do, what they are
 * called, and what becomes of packets and rules there. Over ofctl_changes.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli.h"
#include "ofctl.h"

#define NAME_SETTING "name:"

/* ---- what they can do ---- */

struct table_features {
	struct of_table_features *list;
	size_t n;
};

static void
take_table_features(const uint8_t *data, size_t n, void *aux)
{
	struct table_features *all = aux;
	struct of_error error;
	struct of_msg msg;

	if (of_msg_decode(data, n, &msg, &error))
		cli_die("the switch's answer cannot be understood: %s", error.text);
	all->list = xrealloc(all->list, (all->n + msg.n) * sizeof(*all->list));
	if (msg.n)
		memcpy(all->list + all->n, msg.table_features,
		       msg.n * sizeof(*all->list));
	all->n += msg.n;
	of_msg_destroy(&msg);
}

/* The list is the caller's, to be freed. */
static struct table_features
read_features(struct ofctl_conn *conn)
{
	struct table_features all = {NULL, 0};
	struct of_msg msg;

	ofctl_begin(conn, &msg, OFM_TABLE_FEATURES_REQUEST);
	ofctl_transact(conn, &msg, take_table_features, &all);
	return all;
}

static void
run_dump_table_features(int n, char **args)
{
	struct ofctl_conn *conn = ofctl_open(args[0], ofctl_options.versions);
	struct str text = STR_INIT;
	struct table_features all;

	(void)n;
	if (ofctl_version(conn) < OF13)
		cli_die("dump-table-features needs OpenFlow 1.3 or later "
		        "('-O OpenFlow13')");
	all = read_features(conn);
	of_text_format_table_features(&text, ofctl_version(conn), all.list, all.n);
	puts(str_text(&text));
	str_free(&text);
	free(all.list);
	ofctl_close(conn);
}

/* ---- settings ---- */

/* What becomes of packets without a rule, 1.1 and 1.2; eviction and vacancy from 1.4. */
static void
table_keyword(const char *word, struct of_table_mod *mod, uint32_t *versions)
{
	static const struct {
		const char *name;
		uint32_t config;
	} misses[] = {{"controller", 0}, {"continue", 1}, {"drop", 2}};
	unsigned down, up;

	for (size_t i = 0; i < ARRAY_SIZE(misses); i++) {
		if (strcmp(misses[i].name, word))
			continue;
		mod->config = misses[i].config;
		*versions = OFCTL_FROM(OF11) & ~OFCTL_FROM(OF13);
		return;
	}
	*versions = OFCTL_FROM(OF14);
	if (!strcmp(word, "evict")) {
		mod->config = 4;
	} else if (!strcmp(word, "noevict") || !strcmp(word, "novacancy")) {
		mod->config = 0;
	} else if (sscanf(word, "vacancy:%u,%u", &down, &up) == 2 && down <= 100 &&
	           up <= 100 && down <= up) {
		mod->config = 8;
		mod->has_vacancy = true;
		mod->vacancy_down = (uint8_t)down;
		mod->vacancy_up = (uint8_t)up;
	} else {
		cli_die("invalid setting %s", word);
	}
}

/* A number, a name, or "all". */
static uint8_t
find_table(const char *target, const char *text)
{
	const struct of_names *names = ofctl_names(target);
	uint64_t number;
	int table;

	if (parse_u64(text, 0, OF_TABLES - 1, &number))
		return (uint8_t)number;
	if (!strcasecmp(text, "all"))
		return OF_TABLE_ALL;
	table = names ? names->table_number(text, names->aux) : -1;
	if (table < 0)
		cli_die("unknown table \"%s\"", text);
	return (uint8_t)table;
}

/* Names are features. Since 1.5 a request may be about one table; before, those that it
 * does not have are to go. */
static void
set_name(const char *target, uint8_t table, const char *name)
{
	struct ofctl_changes *changes =
		ofctl_changes_begin(target, ofctl_versions(OFCTL_FROM(OF13)), false);
	struct ofctl_conn *conn = ofctl_changes_conn(changes);
	struct table_features all = read_features(conn);
	struct of_table_features *one = all.list;
	struct of_msg msg;

	while (one < all.list + all.n && one->table != table)
		one++;
	if (one == all.list + all.n)
		cli_die("the switch has no table %u", table);
	snprintf(one->name, sizeof(one->name), "%s", name);
	one->command = OF_TABLE_MODIFY;
	ofctl_begin(conn, &msg, OFM_TABLE_FEATURES_REQUEST);
	msg.table_features = ofctl_version(conn) < OF15 ? all.list : one;
	msg.n = ofctl_version(conn) < OF15 ? all.n : 1;
	ofctl_changes_add(changes, &msg);
	free(all.list);
	ofctl_changes_end(changes);
}

static void
run_mod_table(int n, char **args)
{
	struct of_table_mod mod = {.table = find_table(args[0], args[1])};
	struct ofctl_changes *changes;
	uint32_t versions;
	struct of_msg msg;

	(void)n;
	if (!strncmp(args[2], NAME_SETTING, strlen(NAME_SETTING))) {
		if (mod.table == OF_TABLE_ALL)
			cli_die("%s needs one table", args[2]);
		set_name(args[0], mod.table, args[2] + strlen(NAME_SETTING));
		return;
	}
	table_keyword(args[2], &mod, &versions);
	changes = ofctl_changes_begin(args[0], ofctl_versions(versions), false);
	ofctl_begin(ofctl_changes_conn(changes), &msg, OFM_TABLE_MOD);
	msg.table_mod = mod;
	ofctl_changes_add(changes, &msg);
	ofctl_changes_end(changes);
}

const struct ofctl_command ofctl_table_commands[] = {
	{"dump-table-features", "SWITCH", 1, 1, run_dump_table_features},
	{"mod-table", "SWITCH TABLE SETTING", 3, 3, run_mod_table},
	{NULL, NULL, 0, 0, NULL},
};
