/* switch.c - when the datapath's next version becomes the one that packets see. For all
 * parts of the switch. Main thread. */
#include "vswitchd/ofproto/switch.h"

void
switch_touch(struct ofproto *ofproto)
{
	static const struct timeval now = {0, 0};

	if (ofproto->is_dirty)
		return;
	ofproto->is_dirty = true;
	if (ofproto->publish)
		event_add(ofproto->publish, &now);
}

void
switch_publish(struct ofproto *ofproto)
{
	if (!ofproto->is_dirty)
		return;
	ofproto->is_dirty = false;
	ofproto->is_unsynced = true;
	dp_publish(ofproto->bridge_id);
}

void
switch_synchronize(struct ofproto *ofproto)
{
	switch_publish(ofproto);
	if (ofproto->is_unsynced)
		dp_synchronize();
	ofproto->is_unsynced = false;
}

void
switch_look_again(struct ofproto *ofproto, unsigned ms)
{
	const struct timeval soon = {.tv_usec = ms * 1000};

	if (ofproto->pace && !event_pending(ofproto->pace, EV_TIMEOUT, NULL))
		event_add(ofproto->pace, &soon);
}
