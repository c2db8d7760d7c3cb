/* dummy_net.c - starts the datapath with dummy ports and moves frames, for unit tests. */
#include "support/dummy_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

uint32_t bridge;
uint16_t port_numbers[DP_PORTS_MAX];

size_t
frame_make(uint8_t *frame, size_t length, uint8_t dst, uint8_t src, int vlan)
{
	static const uint8_t base[6] = {2, 0, 0, 0, 0, 0};
	size_t at = 12;

	memset(frame, 0xa5, length);
	memcpy(frame, base, 6);
	frame[5] = dst;
	if (dst == 0xff)
		memset(frame, 0xff, 6);
	memcpy(frame + 6, base, 6);
	frame[11] = src;
	if (vlan >= 0) {
		memcpy(frame + at,
		       (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
		at += 4;
	}
	frame[at] = 0x08;
	frame[at + 1] = 0x06;
	return length;
}

uint32_t
port_add(const char *name, const struct dp_port_settings *settings)
{
	return port_add_number(name, 0, settings);
}

uint32_t
port_add_number(const char *name, uint16_t ofport,
                const struct dp_port_settings *settings)
{
	static uint16_t last_number;
	struct dp_port_config config = {
		.type = DP_PORT_DUMMY, .bridge_id = bridge, .ofport = ofport};
	struct error err = {""};
	uint32_t id;

	snprintf(config.name, sizeof(config.name), "%s", name);
	config.settings = settings ? *settings
	                           : (struct dp_port_settings){.vlan_tag = DP_VLAN_NONE,
	                                                       .egress_class = -1};
	if (!ofport)
		config.ofport = ++last_number;
	assert_int_equal(dp_port_add(&config, &id, &err), 0);
	port_numbers[id % DP_PORTS_MAX] = config.ofport;
	return id;
}

size_t
take(uint32_t port, uint8_t *frame, uint64_t wait_ns)
{
	uint64_t end = clock_mono_ns() + wait_ns;
	size_t n;

	while (!(n = dp_dummy_take(port, frame, 2048)) && clock_mono_ns() < end) {
		dp_run();
		usleep(50);
	}
	return n;
}

void
settle(void)
{
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		/* On a busy machine the time alone may pass without a worker's turn,
		 * which this waits for. */
		if (i % 5 == 0)
			dp_cache_count();
		dp_run();
	}
}

void
send_frame(uint32_t port, uint8_t dst, uint8_t src, int vlan)
{
	uint8_t frame[64];

	assert_int_equal(
		dp_dummy_inject(port, frame, frame_make(frame, 64, dst, src, vlan)), 0);
}

int
dummy_net_start(void **state)
{
	struct dp_bridge_config config = {.name = "br0"};
	struct dp_config dp = {.eal_extra = "--no-huge -m 256 --no-pci",
	                       .max_sleep_us = 50};
	struct error err = {""};
	char instance[16];

	(void)state;
	snprintf(instance, sizeof(instance), "%d", (int)getpid());
	dp.instance = instance;
	if (dp_start(&dp, &err) < 0 || dp_bridge_add(&config, &bridge, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

int
dummy_net_stop(void **state)
{
	(void)state;
	dp_stop();
	return 0;
}
