/* vsctl_run.c - connect, fetch, run the commands, commit, wait for the switch; again from
 * "fetch" when another client was faster. Called by vsctl_main.c. */
#include "vsctl_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/mem.h"
#include "cli.h"

#define RETRY_NS (200 * NSEC_PER_MSEC)

const struct uuid *
vsctl_stored_uuid(const struct vsctl *vsctl, const struct uuid *uuid)
{
	const struct txn_inserted key = {.uuid = *uuid}, *found = NULL;

	if (vsctl->n_inserted)
		found = bsearch(&key, vsctl->inserted, vsctl->n_inserted, sizeof(key),
		                txn_compare_inserted);
	return found ? &found->stored : uuid;
}

static int
connect_db(const struct run_options *options, struct rpc_client **client,
           struct error *err)
{
	const struct timespec pause = {.tv_nsec = (long)RETRY_NS};
	int ret;

	while ((ret = rpc_client_connect(options->db, UINT64_MAX, client, err)) != 0 &&
	       options->retry && ret != -EINVAL)
		nanosleep(&pause, NULL);
	return ret;
}

static int
prepare_all(struct vsctl *vsctl, struct invocation *calls, size_t n, struct error *err)
{
	if (!replica_table(&vsctl->replica, "Open_vSwitch"))
		return error_set(err, -EPROTO, "the database has no table Open_vSwitch");
	replica_want(&vsctl->replica, "Open_vSwitch", "cur_cfg");
	for (size_t i = 0; i < n; i++)
		if (calls[i].command->prepare) {
			int ret = calls[i].command->prepare(vsctl, &calls[i], err);

			if (ret)
				return ret;
		}
	return 0;
}

/* The only row of Open_vSwitch; an empty database gets one. */
static struct row *
find_root(struct vsctl *vsctl)
{
	struct replica_table *table = replica_table(&vsctl->replica, "Open_vSwitch");
	struct uuid uuid = uuid_random();
	struct row **rows, *root;
	size_t n;

	rows = replica_rows(table, &n);
	root = n ? rows[0] : row_insert(table, &uuid);
	free(rows);
	return root;
}

static int
check_symbols(const struct vsctl *vsctl, struct error *err)
{
	for (const struct symbol *s = vsctl->symbols; s; s = s->next) {
		if (!s->is_defined)
			return error_set(err, -EINVAL,
			                 "row id \"@%s\" is referenced but never created "
			                 "(e.g. with \"-- --id=@%s create ...\")",
			                 s->name, s->name);
		if (!s->is_referenced && s->is_weak)
			cli_warn("row id \"@%s\" was created but nothing refers to it, "
			         "so it vanishes at once",
			         s->name);
	}
	return 0;
}

/* Runs the commands on the replica. Stops early when one has to wait or has decided the
 * exit status. */
static int
run_commands(struct vsctl *vsctl, struct invocation *calls, size_t n, struct error *err)
{
	replica_revert(&vsctl->replica);
	vsctl_symbols_free(vsctl);
	vsctl->must_try_again = false;
	vsctl->root = find_root(vsctl);
	for (size_t i = 0; i < n; i++)
		invocation_reset(&calls[i]);
	for (size_t i = 0; i < n; i++) {
		int ret = calls[i].command->run
		                  ? calls[i].command->run(vsctl, &calls[i], err)
		                  : 0;

		if (ret)
			return ret;
		if (vsctl->must_try_again || vsctl->exit_status)
			return 0;
	}
	return check_symbols(vsctl, err);
}

/* Until the commands have run and their changes are stored. */
static int
run_until_stored(struct vsctl *vsctl, const struct run_options *options,
                 struct invocation *calls, size_t n, enum txn_status *status,
                 int64_t *next_cfg, struct error *err)
{
	struct txn_options txn = {.comment = options->comment,
	                          .wait = options->wait_for_reload,
	                          .dry_run = options->dry_run};
	int ret = replica_fetch(&vsctl->replica, err);

	while (!ret) {
		ret = run_commands(vsctl, calls, n, err);
		if (ret || vsctl->exit_status)
			break;
		if (vsctl->must_try_again) {
			replica_revert(&vsctl->replica);
			ret = replica_wait(&vsctl->replica, err);
			continue;
		}
		ret = txn_commit(&vsctl->replica, &txn, vsctl->root, status, next_cfg,
		                 &vsctl->inserted, &vsctl->n_inserted, err);
		if (ret || *status != TXN_CONFLICT)
			break;
		ret = replica_fetch(&vsctl->replica, err);
	}
	return ret;
}

static void
print_oneline(const char *text)
{
	size_t n = strlen(text);

	/* The newline at the end separates commands, it is not part of the line. */
	if (n && text[n - 1] == '\n')
		n--;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			fputs("\\n", stdout);
		else if (text[i] == '\\')
			fputs("\\\\", stdout);
		else
			putchar(text[i]);
	}
	putchar('\n');
}

static void
print_all(const struct run_options *options, const struct invocation *calls, size_t n)
{
	bool is_first_table = true;
	struct str text = STR_INIT;

	for (size_t i = 0; i < n; i++) {
		if (calls[i].table) {
			str_clear(&text);
			table_print(calls[i].table, &options->style, is_first_table,
			            &text);
			fwrite(str_text(&text), 1, text.length, stdout);
			is_first_table = false;
		} else if (options->oneline) {
			print_oneline(str_text(&calls[i].out));
		} else {
			fwrite(str_text(&calls[i].out), 1, calls[i].out.length, stdout);
		}
	}
	str_free(&text);
}

/* Until the switch says that it works by the configuration numbered 'next_cfg'. */
static int
wait_for_switch(struct vsctl *vsctl, int64_t next_cfg, struct error *err)
{
	struct replica_table *table = replica_table(&vsctl->replica, "Open_vSwitch");

	for (;;) {
		struct row **rows;
		int64_t cur_cfg;
		size_t n;
		int ret;

		rows = replica_rows(table, &n);
		cur_cfg = n ? row_integer(rows[0], "cur_cfg", 0) : INT64_MIN;
		free(rows);
		if (cur_cfg >= next_cfg)
			return 0;
		ret = replica_wait(&vsctl->replica, err);
		if (ret)
			return ret;
	}
}

/* True if there was something to say. */
static bool
report_interface(const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *error = json_string_value(json_object_get(row, "error"));
	const json_t *ofport = json_object_get(row, "ofport");

	if (!json_is_integer(ofport) || json_integer_value(ofport) != -1)
		return false;
	cli_warn("interface %s could not be set up: %s", name ? name : "?",
	         error ? error : "no reason given, the log of weir-vswitchd may have it");
	return true;
}

/* Says which of the new interfaces the switch could not bring up. */
static int
report_new_interfaces(struct vsctl *vsctl, struct error *err)
{
	json_t *params = json_pack("[s]", vsctl->replica.schema->name);
	json_t *results = NULL, *error = NULL;
	bool is_any = false;
	int ret;

	for (size_t i = 0; i < vsctl->n_inserted; i++) {
		const struct txn_inserted *inserted = &vsctl->inserted[i];
		char uuid[UUID_TEXT_BYTES];

		if (strcmp(inserted->table->schema->name, "Interface"))
			continue;
		uuid_to_text(&inserted->stored, uuid);
		json_array_append_new(
			params, json_pack("{s:s, s:s, s:[[s, s, [s, s]]], s:[s, s, s]}",
		                          "op", "select", "table", "Interface", "where",
		                          "_uuid", "==", "uuid", uuid, "columns", "name",
		                          "error", "ofport"));
	}
	if (json_array_size(params) == 1) {
		json_decref(params);
		return 0;
	}
	ret = rpc_client_call(vsctl->replica.client, "transact", params, &results, &error,
	                      err);
	for (size_t i = 0; !ret && i < json_array_size(results); i++)
		is_any |= report_interface(json_array_get(
			json_object_get(json_array_get(results, i), "rows"), 0));
	if (is_any)
		cli_warn("the log of weir-vswitchd is in %s unless it was started "
		         "otherwise",
		         dirs_logdir());
	json_decref(results);
	json_decref(error);
	return ret;
}

static int
finish(struct vsctl *vsctl, const struct run_options *options, struct invocation *calls,
       size_t n, enum txn_status status, int64_t next_cfg, struct error *err)
{
	int ret;

	for (size_t i = 0; i < n; i++)
		if (calls[i].command->finish)
			calls[i].command->finish(vsctl, &calls[i]);
	print_all(options, calls, n);
	fflush(stdout);
	if (status == TXN_ADMITTED)
		cli_warn("dry run: the switch would accept this change; nothing was "
		         "changed");
	if (status != TXN_STORED || !options->wait_for_reload)
		return 0;
	/* The replica now follows the database, from which our own changes come too. */
	replica_revert(&vsctl->replica);
	ret = wait_for_switch(vsctl, next_cfg, err);
	return ret ? ret : report_new_interfaces(vsctl, err);
}

int
vsctl_run(const struct run_options *options, struct invocation *calls, size_t n_calls,
          int *exit_status, struct error *err)
{
	enum txn_status status = TXN_UNCHANGED;
	struct vsctl vsctl = {.root = NULL};
	struct rpc_client *client;
	int64_t next_cfg = 0;
	int ret;

	ret = connect_db(options, &client, err);
	if (ret)
		return ret;
	ret = replica_open(&vsctl.replica, client, "Open_vSwitch", err);
	if (ret)
		goto disconnect;
	ret = prepare_all(&vsctl, calls, n_calls, err);
	if (!ret)
		ret = run_until_stored(&vsctl, options, calls, n_calls, &status,
		                       &next_cfg, err);
	if (!ret && !vsctl.exit_status)
		ret = finish(&vsctl, options, calls, n_calls, status, next_cfg, err);
	*exit_status = vsctl.exit_status;
	free(vsctl.inserted);
	vsctl_symbols_free(&vsctl);
	/* Tables of output point into the schema. */
	for (size_t i = 0; i < n_calls; i++)
		invocation_reset(&calls[i]);
	replica_close(&vsctl.replica);
disconnect:
	rpc_client_close(client);
	return ret;
}
