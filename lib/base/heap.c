/* heap.c - see heap.h. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

static void
heap_put(struct heap *heap, struct heap_node *node, size_t place)
{
	heap->nodes[place] = node;
	node->place = place;
}

/* From 'place' to where neither its parent has more nor a child less. */
static void
heap_settle(struct heap *heap, struct heap_node *node, size_t place)
{
	while (place > 0 && heap->nodes[(place - 1) / 2]->key > node->key) {
		heap_put(heap, heap->nodes[(place - 1) / 2], place);
		place = (place - 1) / 2;
	}
	for (size_t child; (child = 2 * place + 1) < heap->n; place = child) {
		if (child + 1 < heap->n &&
		    heap->nodes[child + 1]->key < heap->nodes[child]->key)
			child++;
		if (heap->nodes[child]->key >= node->key)
			break;
		heap_put(heap, heap->nodes[child], place);
	}
	heap_put(heap, node, place);
}

void
heap_destroy(struct heap *heap)
{
	free(heap->nodes);
	*heap = (struct heap){0};
}

void
heap_insert(struct heap *heap, struct heap_node *node, uint64_t key)
{
	if (heap->n == heap->allocated) {
		heap->allocated = heap->allocated ? 2 * heap->allocated : 16;
		heap->nodes = xrealloc(heap->nodes,
		                       heap->allocated * sizeof(struct heap_node *));
	}
	node->key = key;
	heap_put(heap, node, heap->n++);
	heap_settle(heap, node, node->place);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
	struct heap_node *last = heap->nodes[--heap->n];

	if (last != node)
		heap_settle(heap, last, node->place);
}

void
heap_update(struct heap *heap, struct heap_node *node, uint64_t key)
{
	node->key = key;
	heap_settle(heap, node, node->place);
}
