/* txn.h - the pending changes of a replica as one OVSDB transaction. */
#pragma once

#include "replica.h"

struct txn_options {
	const char *comment; /* for the database's log; NULL = none */
	bool dry_run;        /* judged by the switch if it is weir, not stored */
	bool wait;           /* counts Open_vSwitch.next_cfg up, to wait for */
};

/* A row of a new UUID. */
struct txn_inserted {
	const struct replica_table *table;
	struct uuid uuid;   /* in the replica */
	struct uuid stored; /* in the database */
};

enum txn_status {
	TXN_STORED,
	TXN_UNCHANGED, /* there was nothing to do: nothing was sent */
	TXN_CONFLICT,  /* somebody else was faster: fetch and try again */
	TXN_DRY_RUN,  /* the database would take it; nobody judged what it means */
	TXN_ADMITTED, /* dry run: the switch would carry it out */
};

int txn_compare_inserted(const void *a, const void *b);

/* Sends the changes. When they were stored, '*next_cfg' (if 'wait') is what
 * Open_vSwitch.cur_cfg will reach when the switch has taken them over, and '*inserted'
 * (the caller frees it) lists the new rows. 'root' is the row of Open_vSwitch. -errno
 * when refused: 'err' has the server's reason. */
int txn_commit(struct replica *replica, const struct txn_options *options,
               struct row *root, enum txn_status *status, int64_t *next_cfg,
               struct txn_inserted **inserted, size_t *n_inserted, struct error *err);

/* The transaction of txn_commit(), for tests: its "params". */
json_t *txn_build(struct replica *replica, const struct txn_options *options,
                  struct row *root, size_t *next_cfg_index, bool *is_changed);
