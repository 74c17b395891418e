/*
 * answer.c
 *		What was answered to a command; see answer.h.
 */
#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_FIRST 64

struct AnswerText
{
	AnswerText *next;
	char text[];
};

/* ---- making one ---- */

void
answer_add_column(Answer *answer, const char *name, AnswerType type)
{
	if (answer->column_count == ANSWER_COLUMNS_MAX || answer->row_count > 0)
		answer->failed = true;
	else
		answer->columns[answer->column_count++] = (AnswerColumn){name, type};
}

static bool
make_room(Answer *answer)
{
	int rows = answer->row_max > 0 ? answer->row_max * 2 : ROWS_FIRST;
	const char **values;

	if (answer->row_count < answer->row_max)
		return true;
	values = reallocarray(answer->values, (size_t) rows * (size_t) answer->column_count,
						  sizeof(*values));
	if (values == NULL)
		return false;
	answer->values = values;
	answer->row_max = rows;
	return true;
}

void
answer_add_row(Answer *answer)
{
	const size_t columns = (size_t) answer->column_count;

	if (answer->failed || !make_room(answer))
	{
		answer->failed = true;
		return;
	}
	for (size_t i = 0; i < columns; i++)
		answer->values[(size_t) answer->row_count * columns + i] = NULL;
	answer->row_count++;
}

void
answer_set(Answer *answer, int column, const char *value)
{
	if (!answer->failed)
		answer->values[(size_t) (answer->row_count - 1) * (size_t) answer->column_count +
					   (size_t) column] = value;
}

void
answer_copy(Answer *answer, int column, const char *text, size_t len)
{
	AnswerText *copy = answer->failed ? NULL : malloc(sizeof(*copy) + len + 1);

	if (copy == NULL)
	{
		answer->failed = true;
		return;
	}
	memcpy(copy->text, text, len);
	copy->text[len] = '\0';
	copy->next = answer->copies;
	answer->copies = copy;
	answer_set(answer, column, copy->text);
}

void
answer_reverse(Answer *answer)
{
	const size_t columns = (size_t) answer->column_count;

	for (int low = 0, high = answer->row_count - 1; low < high; low++, high--)
	{
		for (size_t i = 0; i < columns; i++)
		{
			const char **one = &answer->values[(size_t) low * columns + i];
			const char **other = &answer->values[(size_t) high * columns + i];
			const char *value = *one;

			*one = *other;
			*other = value;
		}
	}
}

void
answer_free(Answer *answer)
{
	while (answer->copies != NULL)
	{
		AnswerText *copy = answer->copies;

		answer->copies = copy->next;
		free(copy);
	}
	free(answer->values);
	*answer = (Answer){.values = NULL};
}

/* ---- reading it ---- */

AnswerField
answer_field(const Answer *answer, int row, int column)
{
	AnswerField field = {answer->columns[column].name, NULL, answer->columns[column].type};

	if (row >= 0 && row < answer->row_count)
		field.value =
			answer->values[(size_t) row * (size_t) answer->column_count + (size_t) column];
	return field;
}

AnswerField
answer_find(const Answer *answer, int row, const char *name, size_t len)
{
	for (int column = 0; column < answer->column_count; column++)
	{
		const char *known = answer->columns[column].name;

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return answer_field(answer, row, column);
	}
	return (AnswerField){NULL, NULL, ANSWER_TEXT};
}

const char *
answer_latest_id(const Answer *answer)
{
	return answer_find(answer, answer->row_count - 1, "id", strlen("id")).value;
}

bool
answer_has_passed(const Answer *answer, int row)
{
	const AnswerField passed = answer_find(answer, row, "passed", strlen("passed"));

	return passed.value == NULL || strcmp(passed.value, "f") != 0;
}

bool
answer_has_findings(const Answer *answer)
{
	for (int row = 0; row < answer->row_count; row++)
		if (!answer_has_passed(answer, row))
			return true;
	return false;
}

bool
answer_has_result(const Answer *answer, const char *result)
{
	for (int row = 0; row < answer->row_count; row++)
	{
		const AnswerField field = answer_find(answer, row, "result", strlen("result"));

		if (field.value != NULL && strcmp(field.value, result) == 0)
			return true;
	}
	return false;
}
