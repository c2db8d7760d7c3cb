/* qos_config_speed.c - how long it takes to configure thousands of classes, and one of
 * them, while packets flow, and how long the flow stops for it. Prints figures; a second
 * thread sends and takes. */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "datapath/datapath.h"

static uint32_t bridge, from, to;
static _Atomic bool stop;
static _Atomic uint64_t longest_gap_ns;
static uint64_t sent, taken;

static void
check(int ret, const struct error *err)
{
	if (ret == 0)
		return;
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static uint32_t
port_add(const char *name)
{
	struct dp_port_config config = {.type = DP_PORT_DUMMY, .bridge_id = bridge};
	struct error err = {""};
	uint32_t id;

	snprintf(config.name, sizeof(config.name), "%s", name);
	config.settings.vlan_tag = DP_VLAN_NONE;
	config.settings.egress_class = 1;
	check(dp_port_add(&config, &id, &err), &err);
	return id;
}

static void *
send_and_take(void *arg)
{
	uint8_t frame[64] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6}, got[2048];
	uint64_t last_ns = clock_mono_ns();

	(void)arg;
	while (!stop) {
		uint64_t now_ns, gap_ns;
		bool any = false;

		if (sent - taken < 64 && dp_dummy_inject(from, frame, 64) == 0)
			sent++;
		while (dp_dummy_take(to, got, sizeof(got))) {
			taken++;
			any = true;
		}
		now_ns = clock_mono_ns();
		gap_ns = now_ns - last_ns;
		if (any)
			last_ns = now_ns;
		if (any && gap_ns > longest_gap_ns)
			longest_gap_ns = gap_ns;
		/* Main may have no other core. */
		if (!any)
			sched_yield();
	}
	return NULL;
}

/* Tenants of 100 classes each, all with a small floor. */
static struct dp_class_config *
make_classes(uint32_t n)
{
	struct dp_class_config *classes = xcalloc(n + n / 100 + 2, sizeof(*classes));
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct dp_class_config *class = &classes[at++];

		class->number = i;
		class->parent = i % 100 || i == 0 ? i / 100 * 100 : DP_CLASS_ROOT;
		if (i == 0)
			class->parent = DP_CLASS_ROOT;
		class->ceil_bps = 1000000000;
		class->floor_bps = i % 100 ? 100000 : 0;
	}
	return classes;
}

/* What the main thread computed; the rest is waiting for the worker, or for a core. */
static uint64_t
main_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void
timed(const char *what, struct dp_qos_config *config)
{
	struct error err = {""};
	uint64_t start_ns, took_ns, cpu_ns = main_cpu_ns();

	longest_gap_ns = 0;
	start_ns = clock_mono_ns();
	check(dp_port_set_qos(to, config, &err), &err);
	took_ns = clock_mono_ns() - start_ns;
	cpu_ns = main_cpu_ns() - cpu_ns;
	usleep(1000);
	printf("%-24s %8.2f ms, %7.2f ms of them main's own time; longest gap in the flow %7.3f ms\n",
	       what, (double)took_ns / 1e6, (double)cpu_ns / 1e6,
	       (double)longest_gap_ns / 1e6);
}

static void
measure(uint32_t n)
{
	struct dp_class_config *classes = make_classes(n);
	struct dp_qos_config config = {.kind = DP_QOS_TREE,
	                               .rate_bps = 100000000000,
	                               .classes = classes,
	                               .n_classes = 2};

	timed("2 classes", &config);
	config.n_classes = n;
	timed("all, from 2 classes", &config);
	timed("nothing changed", &config);
	for (int i = 0; i < 3; i++) {
		classes[n / 2 + 1].ceil_bps += 1000000;
		timed("one ceiling changed", &config);
	}
	classes[n / 2 + 1].parent = n / 2 - 100;
	timed("one class moved", &config);
	config.n_classes = n - 1;
	timed("one class deleted", &config);
	config.n_classes = n;
	timed("one class added", &config);
	for (uint32_t i = 0; i < n; i++)
		classes[i].ceil_bps += 1000;
	timed("all ceilings changed", &config);
	config.n_classes = 2;
	timed("all but 2 deleted", &config);
	config.kind = DP_QOS_NONE;
	timed("no QoS", &config);
	config.n_classes = n;
	config.kind = DP_QOS_TREE;
	timed("all, from no QoS", &config);
	free(classes);
}

int
main(int argc, char **argv)
{
	struct dp_bridge_config bridge_config = {.name = "br0"};
	struct dp_config dp = {.eal_extra = "--no-huge -m 256 --no-pci"};
	struct error err = {""};
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
	char instance[16];
	pthread_t thread;

	snprintf(instance, sizeof(instance), "%d", (int)getpid());
	dp.instance = instance;
	check(dp_start(&dp, &err), &err);
	check(dp_bridge_add(&bridge_config, &bridge, &err), &err);
	from = port_add("from");
	to = port_add("to");
	pthread_create(&thread, NULL, send_and_take, NULL);
	usleep(20000);
	printf("no change: longest gap in the flow %.3f ms\n",
	       (double)longest_gap_ns / 1e6);
	measure(n);
	usleep(20000);
	stop = true;
	pthread_join(thread, NULL);
	printf("%" PRIu64 " packets sent, %" PRIu64 " taken\n", sent, taken);
	dp_stop();
	return 0;
}
