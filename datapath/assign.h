/* assign.h - who does what: queues to workers, schedulers to owners, and the routes by
 * which workers send to ports. Main thread. */
#pragma once

/* Computes everything anew after a change of ports, queues, schedulers or workers, and
 * publishes what differs. A queue stays with its worker unless that worker is gone or has
 * two queues more than another; it moves without loss or reordering. */
void assign_update(void);
