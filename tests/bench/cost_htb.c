/* cost_htb.c - what one send costs on an interface of the kernel, with a random class for
 * each packet: run by sched_peers.py with and without htb on the interface.
 *
 *     cost_htb INTERFACE FIRST_CLASS CLASSES     classes 1:FIRST.. of htb */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define ROUNDS        30
#define ROUND_PACKETS 20000
#define FRAME_BYTES   60
#define MAJOR_ONE     0x10000U

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int
main(int argc, char **argv)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = ETH_ALEN};
	unsigned char frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 1,    2,
	                                    0, 0, 0, 0, 2, 0x88, 0xb5};
	uint64_t random = 88172645463325252ULL;
	uint32_t first, classes;
	double best = 1e9, sum = 0;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (argc != 4 || fd < 0) {
		fprintf(stderr, "cost_htb: INTERFACE FIRST CLASSES, as root\n");
		return 1;
	}
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	first = (uint32_t)strtoul(argv[2], NULL, 0);
	classes = (uint32_t)strtoul(argv[3], NULL, 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = now_ns();
		double each;

		for (unsigned i = 0; i < ROUND_PACKETS; i++) {
			uint32_t priority;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			priority = MAJOR_ONE | (first + (uint32_t)(random % classes));
			if (setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority,
			               sizeof(priority)) < 0 ||
			    sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to,
			           sizeof(to)) < 0) {
				perror("cost_htb");
				return 1;
			}
		}
		each = (double)(now_ns() - start_ns) / ROUND_PACKETS;
		best = each < best ? each : best;
		sum += each;
	}
	printf("%.1f %.1f\n", best, sum / ROUNDS);
	return 0;
}
