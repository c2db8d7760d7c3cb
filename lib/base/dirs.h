/* dirs.h - where sockets, state and logs live. Set once at start, read by any thread. */
#pragma once

/* Each is: the value given to dirs_set_*(), else the environment (WEIR_RUNDIR,
 * WEIR_DBDIR, WEIR_LOGDIR), else the compiled-in default. No slash at the end. */
const char *dirs_rundir(void);
const char *dirs_dbdir(void);
const char *dirs_logdir(void);

/* 'path' is copied. */
void dirs_set_rundir(const char *path);
void dirs_set_dbdir(const char *path);
void dirs_set_logdir(const char *path);

/* 'path' itself if it has a slash at its start, else "<rundir>/<path>". Caller frees. */
char *dirs_in_rundir(const char *path);
