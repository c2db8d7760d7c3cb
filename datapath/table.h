/* table.h - publication of a bridge's rules and groups. Main. */
#pragma once

struct bridge;

/* Main: makes what was changed visible. */
void bridge_publish(struct bridge *bridge);

/* Main: for dp_bridge_add() and dp_bridge_del(). */
void tables_init(struct bridge *bridge);
void tables_destroy(struct bridge *bridge);

/* Main: ports' links or numbers have changed, on which actions may depend: what caches
 * know is out of date. Shows nothing of what is not published. */
void bridge_refresh(struct bridge *bridge);
void bridges_refresh(void);

/* Main, now and then: gives caches the narrower masks that they could have by now. */
void bridges_narrow(void);
