/* rundir.h - the run-time directory: one daemon holds it, under the names that OVS's
 * tools look for too. Main thread. */
#pragma once

#include "base/error.h"

/* Makes the directory 'path' (mode 0755) if it is missing; not its parents. */
int rundir_make_directory(const char *path, struct error *err);

/* Locks the pidfiles weir-vswitchd.pid, ovs-vswitchd.pid and ovsdb-server.pid in the
 * run-time directory, and 'extra' unless NULL or one of them. -EAGAIN, naming directory
 * and process, if another daemon holds one; that daemon is not disturbed. Then removes
 * the control sockets of processes that no longer exist. */
int rundir_claim(const char *extra, struct error *err);

/* Removes the pidfiles: last of all, when no socket is left. */
void rundir_release(void);

/* "<rundir>/<program>.<our pid>.ctl"; the caller frees it. */
char *rundir_control_path(const char *program);
