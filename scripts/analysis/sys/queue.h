/*
 * sys/queue.h for the analyzers
 *		The same macros, except that the elements of a list are unknown to an analyzer.
 *
 * The real macros remove an element through a pointer to the pointer that refers to it.  No
 * analyzer understands that: each takes the first element, which was freed, for still the
 * first element of the list.  Here a function without a body returns the elements, so an
 * element can be any object that the list may hold.  Uses of an element after it was freed
 * are still found.
 */
#ifndef SCRIPTS_ANALYSIS_SYS_QUEUE_H
#define SCRIPTS_ANALYSIS_SYS_QUEUE_H

extern void *analysis_element(const void *place);
extern void analysis_change(void *list, void *element);

#define TAILQ_HEAD(name, type)    \
	struct name                   \
	{                             \
		struct type *tqh_first;   \
		struct type **tqh_last;   \
	}
#define TAILQ_ENTRY(type)         \
	struct                        \
	{                             \
		struct type *tqe_next;    \
		struct type **tqe_prev;   \
	}
#define TAILQ_HEAD_INITIALIZER(head) {(void *) 0, &(head).tqh_first}
#define TAILQ_INIT(head) ((head)->tqh_first = (void *) 0, (head)->tqh_last = &(head)->tqh_first)
#define TAILQ_FIRST(head) analysis_element(head)
#define TAILQ_LAST(head, name) analysis_element(head)
#define TAILQ_EMPTY(head) (TAILQ_FIRST(head) == (void *) 0)
#define TAILQ_NEXT(elm, field) analysis_element(&(elm)->field)
#define TAILQ_FOREACH(var, head, field) \
	for ((var) = TAILQ_FIRST(head); (var) != (void *) 0; (var) = TAILQ_NEXT(var, field))
#define TAILQ_INSERT_HEAD(head, elm, field) analysis_change(head, elm)
#define TAILQ_INSERT_TAIL(head, elm, field) analysis_change(head, elm)
#define TAILQ_PREV(elm, name, field) analysis_element(&(elm)->field)
#define TAILQ_INSERT_AFTER(head, after, elm, field) (analysis_change(head, elm), analysis_change(head, after))
#define TAILQ_REMOVE(head, elm, field) analysis_change(head, &(elm)->field)

#define LIST_HEAD(name, type)     \
	struct name                   \
	{                             \
		struct type *lh_first;    \
	}
#define LIST_ENTRY(type)          \
	struct                        \
	{                             \
		struct type *le_next;     \
		struct type **le_prev;    \
	}
#define LIST_INIT(head) ((head)->lh_first = (void *) 0)
#define LIST_FIRST(head) analysis_element(head)
#define LIST_EMPTY(head) (LIST_FIRST(head) == (void *) 0)
#define LIST_NEXT(elm, field) analysis_element(&(elm)->field)
#define LIST_FOREACH(var, head, field) \
	for ((var) = LIST_FIRST(head); (var) != (void *) 0; (var) = LIST_NEXT(var, field))
#define LIST_INSERT_HEAD(head, elm, field) analysis_change(head, elm)
#define LIST_REMOVE(elm, field) analysis_change(elm, &(elm)->field)

#endif
