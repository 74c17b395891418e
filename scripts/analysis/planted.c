/*
 * planted.c
 *		Bugs that the analyzers must find (scripts/analyze); it is part of no program.
 *
 * For clang-tidy and gcc, an element is used after it was removed from its list and freed.
 * For cppcheck, an array is read beyond its end.
 */
#include <stdlib.h>
#include <sys/queue.h>

typedef struct Element
{
	TAILQ_ENTRY(Element) link;
	int number;
} Element;

TAILQ_HEAD(Elements, Element);

int first_number(struct Elements *list);
int last_number(void);

int
first_number(struct Elements *list)
{
	Element *first = TAILQ_FIRST(list);

	if (first == NULL)
		return 0;
	TAILQ_REMOVE(list, first, link);
	free(first);
	return first->number;
}

int
last_number(void)
{
	const int numbers[] = {1, 2, 3};

	return numbers[3];
}
