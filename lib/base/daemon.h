/* daemon.h - becoming a daemon: pidfiles that OVS's tools believe, and detaching. Main
 * thread. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Forks; the parent waits until the child calls daemon_detach_done() and then exits 0, or
 * exits with the child's status if the child ends first. Returns in the child only.
 * 0 or -errno. */
int daemon_detach(struct error *err);

/* Lets the waiting parent go; from here on standard input, output and error are
 * /dev/null. Harmless if daemon_detach() was not called. */
void daemon_detach_done(void);

/* Creates 'path' with our pid and a newline, and holds an fcntl() write lock on it for as
 * long as the process lives: a client asks the kernel who holds the lock and compares
 * that with the pid inside. -EAGAIN if another process holds it, naming that process. At
 * most 8 files; the lock is lost if any descriptor of the file is closed. */
int daemon_pidfile_create(const char *path, struct error *err);

/* Removes all pidfiles made by this process. */
void daemon_pidfiles_remove(void);

/* The pid that holds 'path' locked and stands in it; 0 if none does. */
int daemon_pidfile_read(const char *path);
