/* options.h - the daemon's command line. Main thread, before anything else. */
#pragma once

#include <stdbool.h>

struct options {
	bool detach;
	bool keep_directory; /* --no-chdir */
	char *pidfile;       /* beside the usual ones; NULL = none */
	char *log_file;      /* NULL = none */
};

/* Fills 'options' and sets the three directories (base/dirs.h) to absolute paths. Ends
 * the process for --help, --version and for what it does not understand. */
void options_parse(struct options *options, int argc, char *argv[]);
void options_destroy(struct options *options);
