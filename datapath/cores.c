/* cores.c - CPU masks, NUMA nodes and the affinity of threads that are not workers. Main
 * thread. */
#include "datapath/cores.h"

#include <dirent.h>
#include <errno.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

LOG_MODULE(cores);

static cpu_set_t usable;    /* what the kernel lets us pin a thread to */
static cpu_set_t inherited; /* what we were started on: the place of all other threads */

void
cores_note_allowed(void)
{
	cpu_set_t probe;

	if (CPU_COUNT(&inherited) > 0)
		return;
	sched_getaffinity(0, sizeof(inherited), &inherited);
	for (unsigned core = 0; core < CPU_SETSIZE; core++) {
		CPU_ZERO(&probe);
		CPU_SET(core, &probe);
		if (sched_setaffinity(0, sizeof(probe), &probe) == 0)
			CPU_SET(core, &usable);
	}
	sched_setaffinity(0, sizeof(inherited), &inherited);
}

static bool
core_is_allowed(unsigned core)
{
	cores_note_allowed();
	return core < CPU_SETSIZE && CPU_ISSET(core, &usable);
}

static bool
mask_is_empty(const uint8_t mask[DP_CPUS_MAX / 8])
{
	for (unsigned i = 0; i < DP_CPUS_MAX / 8; i++)
		if (mask[i])
			return false;
	return true;
}

int
cores_numa_node(unsigned core)
{
	return numa_available() < 0 ? 0 : numa_node_of_cpu((int)core);
}

/* As the user writes it, without leading zeros. */
static void
mask_to_text(const uint8_t mask[DP_CPUS_MAX / 8], struct str *out)
{
	int top = DP_CPUS_MAX / 8 - 1;

	while (top > 0 && !mask[top])
		top--;
	str_printf(out, "0x%x", mask[top]);
	while (--top >= 0)
		str_printf(out, "%02x", mask[top]);
}

int
dp_check_cpu_mask(const uint8_t mask[DP_CPUS_MAX / 8], struct error *err)
{
	struct str text = STR_INIT;
	unsigned n = 0;

	if (mask_is_empty(mask))
		return 0;
	for (unsigned core = 0; core < DP_CPUS_MAX; core++)
		n += cores_mask_has(mask, core) && core_is_allowed(core);
	/* One place is the kernel worker's. */
	if (n > 0 && n < DP_WORKERS_MAX)
		return 0;
	mask_to_text(mask, &text);
	if (n == 0)
		error_set(
			err, -EINVAL,
			"pmd-cpu-mask=%s: names no core that this process may use (this machine has cores 0 to %ld)",
			str_text(&text), sysconf(_SC_NPROCESSORS_CONF) - 1);
	else
		error_set(err, -EINVAL,
		          "pmd-cpu-mask=%s: names %u cores, at most %d are used",
		          str_text(&text), n, DP_WORKERS_MAX - 1);
	str_free(&text);
	return -EINVAL;
}

static void
mask_default(uint8_t mask[DP_CPUS_MAX / 8])
{
	uint64_t nodes_done = 0;

	for (int core = DP_CPUS_MAX - 1; core >= 0; core--) {
		int node = core_is_allowed((unsigned)core)
		                   ? cores_numa_node((unsigned)core)
		                   : -1;

		if (node < 0 || node > 63 || nodes_done >> node & 1)
			continue;
		nodes_done |= 1ULL << node;
		cores_mask_set(mask, (unsigned)core, true);
	}
}

void
cores_for_workers(const uint8_t wanted[DP_CPUS_MAX / 8], uint8_t mask[DP_CPUS_MAX / 8])
{
	memset(mask, 0, DP_CPUS_MAX / 8);
	if (mask_is_empty(wanted)) {
		mask_default(mask);
		return;
	}
	for (unsigned core = 0; core < DP_CPUS_MAX; core++) {
		if (!cores_mask_has(wanted, core))
			continue;
		if (core_is_allowed(core))
			cores_mask_set(mask, core, true);
		else
			log_warn("pmd-cpu-mask: core %u cannot be used, left out", core);
	}
}

/* Whether a thread is pinned to exactly one of the workers' cores: then it is a worker.
 */
static bool
thread_is_worker(pid_t tid, const uint8_t workers[DP_CPUS_MAX / 8])
{
	cpu_set_t set;

	if (sched_getaffinity(tid, sizeof(set), &set) < 0)
		return true; /* it has ended */
	if (CPU_COUNT(&set) != 1)
		return false;
	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &set))
			return cores_mask_has(workers, core);
	return false;
}

static cpu_set_t
cores_without(const cpu_set_t *set, const uint8_t workers[DP_CPUS_MAX / 8])
{
	cpu_set_t left = *set;

	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		if (cores_mask_has(workers, core))
			CPU_CLR(core, &left);
	return left;
}

void
cores_confine_others(const uint8_t workers[DP_CPUS_MAX / 8])
{
	struct dirent *entry;
	cpu_set_t others;
	DIR *dir;

	cores_note_allowed();
	others = cores_without(&inherited, workers);
	if (CPU_COUNT(&others) == 0)
		others = cores_without(&usable, workers);
	if (CPU_COUNT(&others) == 0)
		return;
	dir = opendir("/proc/self/task");
	while (dir && (entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		if (tid > 0 && !thread_is_worker(tid, workers))
			sched_setaffinity(tid, sizeof(others), &others);
	}
	if (dir)
		closedir(dir);
}
