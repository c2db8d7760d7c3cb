/* replay.c - runs a fuzz target on every file of the folders named on the command line:
 * the kept corpus, in make check. Fails if there is no file. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

#define INPUT_MAX_BYTES (1 << 20)

static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t n;

	if (!file) {
		perror(path);
		return -1;
	}
	data = malloc(INPUT_MAX_BYTES);
	n = data ? fread(data, 1, INPUT_MAX_BYTES, file) : 0;
	fclose(file);
	/* An allocation of just the input's size, for the address sanitizer. */
	data = realloc(data, n ? n : 1);
	if (data)
		LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned n_files = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *entry;

		if (!dir) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		while ((entry = readdir(dir))) {
			char path[4096];

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			if (replay_file(path) < 0)
				return EXIT_FAILURE;
			n_files++;
		}
		closedir(dir);
	}
	printf("%u inputs replayed\n", n_files);
	return n_files ? EXIT_SUCCESS : EXIT_FAILURE;
}
