/* eal.c - builds EAL's command line from the configuration, starts it, and makes the
 * packet pools. Main thread. */
#include "datapath/eal.h"

#include <dirent.h>
#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>

#include "base/log.h"
#include "base/mem.h"
#include "datapath/cores.h"
#include "datapath/packet.h"

LOG_MODULE(eal);

#define EAL_ARGS_MAX       64
#define EAL_NO_HUGE_MB     "1024" /* address space; touched only as it is used */
#define POOL_PACKETS_MAX   131072
#define POOL_PACKETS_MIN   8192
#define POOL_CACHE_PACKETS 256
/* Room for a 1518-byte frame with two tags; longer frames take several segments. */
#define POOL_DATA_BYTES (RTE_PKTMBUF_HEADROOM + 2048)
/* Behind each buffer: rte_vhost of 22.11 may write one byte past a full one, when a guest
 * asks for the checksum of an unknown protocol. */
#define POOL_SLACK_BYTES 64
/* What a pool of POOL_PACKETS_MIN needs, and a little for rings and ports. */
#define EAL_MIN_MB 48

int packet_meta_offset;

static struct rte_mempool *pools[RTE_MAX_NUMA_NODES];
static unsigned pool_packets;
static bool uses_hugepages;

struct arguments {
	int n;
	char *list[EAL_ARGS_MAX];
};

static void
arguments_add(struct arguments *args, const char *word)
{
	if (args->n < EAL_ARGS_MAX - 1)
		args->list[args->n++] = xstrdup(word);
}

static bool
arguments_have(const struct arguments *args, const char *option)
{
	size_t n = strlen(option);

	for (int i = 1; i < args->n; i++)
		if (!strncmp(args->list[i], option, n) &&
		    (args->list[i][n] == '\0' || args->list[i][n] == '='))
			return true;
	return false;
}

static void
arguments_add_words(struct arguments *args, const char *words)
{
	char *copy = xstrdup(words), *save = NULL;

	for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		arguments_add(args, w);
	free(copy);
}

/* Megabytes of free hugepages of one size directory of one node. */
static unsigned long
hugepages_free_in(const char *base, const char *name)
{
	unsigned long kb = 0, pages = 0;
	char path[512];
	FILE *file;

	if (sscanf(name, "hugepages-%lukB", &kb) != 1)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/free_hugepages", base, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * kb / 1024;
}

/* Megabytes of free hugepages, of all sizes, on one node or the whole machine (-1). */
static unsigned long
hugepages_free_mb(int node)
{
	unsigned long total = 0;
	struct dirent *entry;
	char base[128];
	DIR *dir;

	if (node < 0)
		snprintf(base, sizeof(base), "/sys/kernel/mm/hugepages");
	else
		snprintf(base, sizeof(base), "/sys/devices/system/node/node%d/hugepages",
		         node);
	dir = opendir(base);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		total += hugepages_free_in(base, entry->d_name);
	closedir(dir);
	return total;
}

/* Whether hugepages can serve the configuration; a warning says why not. */
static bool
hugepages_suffice(const struct dp_config *config)
{
	char *copy, *save = NULL;
	bool enough = true;
	int node = 0;

	if (hugepages_free_mb(-1) < EAL_MIN_MB) {
		log_warn(
			"dpdk-socket-mem: only %lu MB of hugepages are free, %d MB are needed; using ordinary memory, which is slower (reserve some with vm.nr_hugepages)",
			hugepages_free_mb(-1), EAL_MIN_MB);
		return false;
	}
	if (!config->socket_mem)
		return true;
	copy = xstrdup(config->socket_mem);
	for (char *w = strtok_r(copy, ",", &save); w && enough;
	     w = strtok_r(NULL, ",", &save)) {
		unsigned long want = strtoul(w, NULL, 10), have = hugepages_free_mb(node);

		if (want > have) {
			log_warn(
				"dpdk-socket-mem=%s: %lu MB of hugepages asked on NUMA node %d, %lu MB are free; using ordinary memory, which is slower",
				config->socket_mem, want, node, have);
			enough = false;
		}
		node++;
	}
	free(copy);
	return enough;
}

static void
eal_build_arguments(struct arguments *args, const struct dp_config *config)
{
	char text[256];

	arguments_add(args, "weir-vswitchd");
	if (config->eal_extra)
		arguments_add_words(args, config->eal_extra);
	uses_hugepages = !arguments_have(args, "--no-huge") && hugepages_suffice(config);
	if (!uses_hugepages && !arguments_have(args, "--no-huge"))
		arguments_add(args, "--no-huge");
	if (!uses_hugepages && !arguments_have(args, "-m")) {
		arguments_add(args, "-m");
		arguments_add(args, EAL_NO_HUGE_MB);
	}
	if (uses_hugepages && config->socket_mem &&
	    !arguments_have(args, "--socket-mem")) {
		snprintf(text, sizeof(text), "--socket-mem=%s", config->socket_mem);
		arguments_add(args, text);
	}
	/* No files shared with other processes, which nobody would clean up after a
	 * crash. */
	if (!uses_hugepages && !arguments_have(args, "--no-shconf"))
		arguments_add(args, "--no-shconf");
	if (uses_hugepages && !arguments_have(args, "--in-memory") &&
	    !arguments_have(args, "--huge-dir"))
		arguments_add(args, "--in-memory");
	if (!arguments_have(args, "--file-prefix")) {
		snprintf(text, sizeof(text), "--file-prefix=weir%s", config->instance);
		arguments_add(args, text);
	}
	/* Devices are taken by ports that name them, never by being there. */
	if (!arguments_have(args, "-a") && !arguments_have(args, "-b") &&
	    !arguments_have(args, "--allow") && !arguments_have(args, "--block") &&
	    !arguments_have(args, "--no-pci")) {
		arguments_add(args, "-a");
		arguments_add(args, "0000:00:00.0");
	}
	if (!arguments_have(args, "--no-telemetry") &&
	    !arguments_have(args, "--telemetry"))
		arguments_add(args, "--no-telemetry");
	if (!arguments_have(args, "--log-level"))
		arguments_add(args, "--log-level=warning");
	/* One lcore, wherever the main thread may run; workers are threads of our own. */
	if (!arguments_have(args, "-l") && !arguments_have(args, "-c") &&
	    !arguments_have(args, "--lcores")) {
		snprintf(text, sizeof(text), "--lcores=0@%d", sched_getcpu());
		arguments_add(args, text);
	}
}

static ssize_t
eal_log_write(void *cookie, const char *text, size_t n)
{
	int length = (int)n;

	(void)cookie;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	switch (rte_log_cur_msg_loglevel()) {
	case RTE_LOG_DEBUG:
		log_dbg("%.*s", length, text);
		break;
	case RTE_LOG_INFO:
	case RTE_LOG_NOTICE:
		log_info("%.*s", length, text);
		break;
	case RTE_LOG_WARNING:
		log_warn("%.*s", length, text);
		break;
	default:
		log_err("%.*s", length, text);
		break;
	}
	return (ssize_t)n;
}

/* DPDK's messages become lines of our log, rate-limited like all. */
static void
eal_capture_log(void)
{
	cookie_io_functions_t functions = {.write = eal_log_write};
	FILE *stream = fopencookie(NULL, "w", functions);

	if (stream) {
		setvbuf(stream, NULL, _IOLBF, 0);
		rte_openlog_stream(stream);
	}
}

static void
pool_hide_slack(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct rte_mbuf *pkt = object;

	(void)pool;
	(void)arg;
	(void)index;
	pkt->buf_len = POOL_DATA_BYTES;
}

static struct rte_mempool *
eal_make_pool(const char *name, int node)
{
	struct rte_mempool *pool =
		rte_pktmbuf_pool_create(name, pool_packets - 1, POOL_CACHE_PACKETS, 0,
	                                POOL_DATA_BYTES + POOL_SLACK_BYTES, node);
	struct rte_pktmbuf_pool_private *room;

	if (!pool)
		return NULL;
	room = rte_mempool_get_priv(pool);
	room->mbuf_data_room_size = POOL_DATA_BYTES;
	rte_mempool_obj_iter(pool, pool_hide_slack, NULL);
	return pool;
}

static int
eal_make_pools(struct error *err)
{
	int max_node = numa_available() < 0 ? 0 : numa_max_node();
	unsigned made = 0;

	for (pool_packets = POOL_PACKETS_MAX; pool_packets >= POOL_PACKETS_MIN && !made;
	     pool_packets /= 2) {
		for (int node = 0; node <= max_node && node < RTE_MAX_NUMA_NODES;
		     node++) {
			char name[32];

			snprintf(name, sizeof(name), "packets-%d-%u", node, pool_packets);
			pools[node] = eal_make_pool(name, node);
			made += pools[node] != NULL;
		}
	}
	if (!made)
		return error_set(
			err, -ENOMEM,
			"no memory for a pool of %d packets: raise vm.nr_hugepages or dpdk-socket-mem",
			POOL_PACKETS_MIN);
	pool_packets *= 2; /* the loop's last step */
	for (int node = 0; node < RTE_MAX_NUMA_NODES; node++)
		for (int other = 0; other <= max_node && !pools[node]; other++)
			pools[node] = pools[other];
	return 0;
}

static int
eal_init(struct arguments *args, struct error *err)
{
	cpu_set_t affinity;
	static char *list[EAL_ARGS_MAX];
	struct str line = STR_INIT;
	int ret;

	sched_getaffinity(0, sizeof(affinity), &affinity);
	for (int i = 1; i < args->n; i++)
		str_printf(&line, " %s", args->list[i]);
	log_info("EAL arguments:%s", str_text(&line));
	eal_capture_log();
	/* EAL writes into the array it is given. */
	memcpy(list, args->list, sizeof(list));
	ret = rte_eal_init(args->n, list);
	sched_setaffinity(0, sizeof(affinity), &affinity);
	if (ret < 0)
		ret = error_set(err, -rte_errno, "EAL does not start with \"%s\": %s",
		                str_text(&line) + 1, rte_strerror(rte_errno));
	str_free(&line);
	return ret < 0 ? ret : 0;
}

int
eal_start(const struct dp_config *config, struct error *err)
{
	static const struct rte_mbuf_dynfield meta = {
		.name = "weir_packet_meta",
		.size = sizeof(struct packet_meta),
		.align = __alignof__(struct packet_meta),
	};
	static struct arguments args; /* EAL keeps pointers to the words */
	int ret;

	cores_note_allowed(); /* before EAL narrows the affinity of this thread */
	eal_build_arguments(&args, config);
	ret = eal_init(&args, err);
	if (ret < 0)
		return ret;
	packet_meta_offset = rte_mbuf_dynfield_register(&meta);
	if (packet_meta_offset < 0)
		return error_set(err, -rte_errno, "no room in the packet header: %s",
		                 rte_strerror(rte_errno));
	ret = eal_make_pools(err);
	if (ret == 0)
		log_info("%u packets per pool, on %s", pool_packets,
		         uses_hugepages ? "hugepages" : "ordinary memory");
	return ret;
}

struct rte_mempool *
eal_packet_pool(int numa_node)
{
	return pools[numa_node >= 0 && numa_node < RTE_MAX_NUMA_NODES ? numa_node : 0];
}

unsigned
eal_packet_count(void)
{
	return pool_packets;
}
