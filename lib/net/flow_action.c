/* flow_action.c - makes lists of actions. For the codec, the texts and whoever composes
 * rules; readers use the header alone. Control threads: it allocates. */
#include "net/flow_action.h"

#include <stdlib.h>

#include "base/mem.h"

#define ALIGNMENT       8
#define FIRST_ALLOCATED 256

static_assert(sizeof(struct flow_action) == ALIGNMENT, "records follow without a gap");
static_assert(offsetof(struct flow_nested, nested) == sizeof(struct flow_nested) &&
                      offsetof(struct flow_ct, nested) == sizeof(struct flow_ct),
              "a nested list follows its struct");

/* Room for 'bytes' more, zeroed. */
static uint8_t *
actions_extend(struct flow_actions *actions, size_t bytes)
{
	uint8_t *p;

	if (bytes > actions->allocated - actions->bytes) {
		actions->allocated =
			MAX_OF(actions->bytes + bytes,
		               MAX_OF(actions->allocated * 2, FIRST_ALLOCATED));
		actions->data = xrealloc(actions->data, actions->allocated);
	}
	p = actions->data + actions->bytes;
	memset(p, 0, bytes);
	actions->bytes += bytes;
	return p;
}

static struct flow_action *
actions_at(struct flow_actions *actions, size_t offset)
{
	return (struct flow_action *)(void *)(actions->data + offset);
}

void *
flow_actions_add(struct flow_actions *actions, enum flow_action_type type, size_t bytes)
{
	size_t offset = actions->bytes;
	struct flow_action *action;

	bytes = (MAX_OF(bytes, sizeof(*action)) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	actions_extend(actions, bytes);
	action = actions_at(actions, offset);
	action->type = (uint16_t)type;
	action->bytes = (uint32_t)bytes;
	return action;
}

void
flow_actions_append(struct flow_actions *actions, const void *records, size_t bytes)
{
	if (bytes)
		memcpy(actions_extend(actions, bytes), records, bytes);
}

size_t
flow_actions_begin_nested(struct flow_actions *actions, enum flow_action_type type,
                          size_t bytes)
{
	size_t mark = actions->bytes;

	flow_actions_add(actions, type, bytes);
	return mark;
}

void
flow_actions_end_nested(struct flow_actions *actions, size_t mark)
{
	struct flow_action *action = actions_at(actions, mark);

	/* Until now 'bytes' was the struct's alone. */
	if (action->type == ACTION_CT)
		((struct flow_ct *)action)->nested_bytes =
			(uint32_t)(actions->bytes - mark - action->bytes);
	else
		((struct flow_nested *)action)->nested_bytes =
			(uint32_t)(actions->bytes - mark - action->bytes);
	action->bytes = (uint32_t)(actions->bytes - mark);
}

void
flow_actions_clear(struct flow_actions *actions)
{
	actions->bytes = 0;
}

bool
flow_actions_equal(const struct flow_actions *a, const struct flow_actions *b)
{
	/* Empty lists have no memory. */
	return a->bytes == b->bytes && (!a->bytes || !memcmp(a->data, b->data, a->bytes));
}

void
flow_actions_destroy(struct flow_actions *actions)
{
	free(actions->data);
	*actions = (struct flow_actions){0};
}
