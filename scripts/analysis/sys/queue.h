/*
 * sys/queue.h, as the analyzers see it
 *		The same macros, with what a list gives out left unknown.
 *
 * The real ones unlink an element by a pointer to whoever points at it.  No analyzer
 * follows that: each takes the freed first element for the list's first element still.
 * Here a list answers with a function that has no body, so that an element can be
 * anything that the list may hold; what is done with an element after it was freed is
 * found as before.
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
#define TAILQ_REMOVE(head, elm, field) analysis_change(head, &(elm)->field)

#endif
