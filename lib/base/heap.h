/* heap.h - intrusive binary heap, the least key first; one thread at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key; /* changed by heap_update() only */
	size_t place;
};

/* Zero is an empty one. */
struct heap {
	struct heap_node **nodes;
	size_t n, allocated;
};

/* Frees the array only: the nodes are their owner's. */
void heap_destroy(struct heap *heap);

void heap_insert(struct heap *heap, struct heap_node *node, uint64_t key);
void heap_remove(struct heap *heap, struct heap_node *node);
void heap_update(struct heap *heap, struct heap_node *node, uint64_t key);

/* NULL if it is empty. Among equal keys any. */
static inline struct heap_node *
heap_first(const struct heap *heap)
{
	return heap->n ? heap->nodes[0] : NULL;
}
