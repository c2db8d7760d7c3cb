/* of_arena.c - the memory of a message's variable parts: blocks that grow one by one and
 * go together. Below the codec; no state, any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "openflow/of_msg_private.h"

struct of_arena {
	struct of_arena *next, *previous;
	_Alignas(16) uint8_t bytes[];
};

void
of_msg_init(struct of_msg *msg, enum of_version version, enum of_kind kind, uint32_t xid)
{
	memset(msg, 0, sizeof(*msg));
	msg->version = version;
	msg->kind = kind;
	msg->xid = xid;
}

void *
of_msg_alloc(struct of_msg *msg, size_t bytes)
{
	struct of_arena *block = xcalloc(1, sizeof(*block) + bytes);

	block->next = msg->arena;
	if (block->next)
		block->next->previous = block;
	msg->arena = block;
	return block->bytes;
}

void
of_msg_destroy(struct of_msg *msg)
{
	while (msg->arena) {
		struct of_arena *next = msg->arena->next;

		free(msg->arena);
		msg->arena = next;
	}
}

void *
in_grow(struct of_in *in, void *array, size_t *n, size_t size)
{
	struct of_msg *msg = in->msg;
	size_t i = (*n)++;
	struct of_arena *block;

	/* Arrays have room for the next power of two: a full one is where a new power
	 * begins. */
	if (!array)
		return of_msg_alloc(msg, size);
	if ((i & (i - 1)) != 0)
		return array;
	block = CONTAINER_OF(array, struct of_arena, bytes);
	block = xrealloc(block, sizeof(*block) + 2 * i * size);
	memset(block->bytes + i * size, 0, i * size);
	if (block->next)
		block->next->previous = block;
	if (block->previous)
		block->previous->next = block;
	else
		msg->arena = block;
	return block->bytes;
}
