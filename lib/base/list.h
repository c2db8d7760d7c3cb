/* list.h - intrusive doubly linked list; an empty list is a head that points at itself.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"

struct list {
	struct list *prev;
	struct list *next;
};

static inline void
list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Puts 'node' in front of 'before'; list_push_back() when 'before' is the head. */
static inline void
list_insert(struct list *before, struct list *node)
{
	node->prev = before->prev;
	node->next = before;
	before->prev->next = node;
	before->prev = node;
}

static inline void
list_push_back(struct list *list, struct list *node)
{
	list_insert(list, node);
}

static inline void
list_push_front(struct list *list, struct list *node)
{
	list_insert(list->next, node);
}

/* Leaves 'node' a list of its own, so that removing it twice is harmless. */
static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first node, unlinked, or NULL. */
static inline struct list *
list_pop_front(struct list *list)
{
	struct list *node = list->next;

	if (node == list)
		return NULL;
	list_remove(node);
	return node;
}

#define LIST_FOR_EACH(iter, member, head)                                      \
	for ((iter) = CONTAINER_OF((head)->next, __typeof__(*(iter)), member); \
	     &(iter)->member != (head);                                        \
	     (iter) = CONTAINER_OF((iter)->member.next, __typeof__(*(iter)), member))

/* As LIST_FOR_EACH; the body may unlink or free 'iter'. */
#define LIST_FOR_EACH_SAFE(iter, tmp, member, head)                                 \
	for ((iter) = CONTAINER_OF((head)->next, __typeof__(*(iter)), member),      \
	    (tmp) = CONTAINER_OF((iter)->member.next, __typeof__(*(iter)), member); \
	     &(iter)->member != (head); (iter) = (tmp),                             \
	    (tmp) = CONTAINER_OF((iter)->member.next, __typeof__(*(iter)), member))
