/*
 * answer_write.c
 *		Writes what was answered to a command; see answer_write.h.
 *
 * Columns are aligned by their width on a terminal, also when they go into a pipe.
 */
#include "cli/answer_write.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>

#include "lib/json_write.h"

#define TIME_MAX 80 /* characters of a time */
#define GAP 2

static bool
is_false(const AnswerField *field)
{
	return field->value != NULL && strcmp(field->value, "f") == 0;
}

/* Whether a row of COMMAND_FOLLOW is no more than a place to go on from. */
static bool
is_place(const Answer *answer, int row)
{
	return answer_find(answer, row, "type", strlen("type")).value == NULL;
}

/* ---- values ---- */

/* A time as the session prints it in UTC, "2026-01-31 12:00:00.5+00", with other separators. */
static void
append_time(Buffer *out, const char *value, char between, bool with_fraction)
{
	size_t zone = strlen(value);

	if (zone < 3 || strcmp(value + zone - 3, "+00") != 0)
	{
		buffer_append_text(out, value);
		return;
	}
	zone -= 3;
	for (size_t i = 0; i < zone && (with_fraction || value[i] != '.'); i++)
	{
		char c = value[i];

		if (c == ' ')
			c = between;
		buffer_append_char(out, c);
	}
	buffer_append_char(out, 'Z');
}

static void
write_json_value(JsonWriter *writer, const AnswerField *field)
{
	Buffer buffer;

	switch (field->type)
	{
		case ANSWER_BOOL:
			json_write_bool(writer, !is_false(field));
			break;
		case ANSWER_NUMBER:
		case ANSWER_JSON:
			json_write_raw(writer, field->value, strlen(field->value));
			break;
		case ANSWER_TIME:
			buffer_init(&buffer, TIME_MAX);
			append_time(&buffer, field->value, 'T', true);
			json_write_string(writer, buffer.data, buffer.len);
			buffer_free(&buffer);
			break;
		case ANSWER_TEXT:
			json_write_text(writer, field->value);
	}
}

static void
write_json_row(JsonWriter *writer, const Answer *answer, int row)
{
	json_write_object_begin(writer);
	for (int column = 0; column < answer->column_count; column++)
	{
		const AnswerField field = answer_field(answer, row, column);

		if (field.value == NULL)
			continue;
		json_write_name(writer, field.name);
		write_json_value(writer, &field);
	}
	json_write_object_end(writer);
}

static void
write_json_list(JsonWriter *writer, const Answer *answer)
{
	json_write_array_begin(writer);
	for (int row = 0; row < answer->row_count; row++)
		write_json_row(writer, answer, row);
	json_write_array_end(writer);
}

static void
write_json_lines(const Answer *answer, CommandShape shape, Buffer *out)
{
	for (int row = 0; row < answer->row_count; row++)
	{
		JsonWriter writer;

		if (shape == COMMAND_FOLLOW && is_place(answer, row))
			continue;
		json_write_init(&writer, out);
		write_json_row(&writer, answer, row);
		buffer_append_char(out, '\n');
	}
}

void
answer_write_json(const Answer *answer, CommandShape shape, Buffer *out)
{
	JsonWriter writer;

	if (shape == COMMAND_LINES || shape == COMMAND_FOLLOW)
	{
		write_json_lines(answer, shape, out);
		return;
	}
	json_write_init(&writer, out);
	if (shape == COMMAND_ONE)
		write_json_row(&writer, answer, 0);
	else
		write_json_list(&writer, answer);
	buffer_append_char(out, '\n');
}

/* Control characters are C0, DEL and C1 (which are U+0080 to U+009F). */
void
answer_write_plain(Buffer *out, const char *text)
{
	for (const unsigned char *c = (const unsigned char *) text; *c != '\0'; c++)
	{
		bool is_c1 = c[0] == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F;

		if (is_c1 || iscntrl(*c))
			buffer_append_char(out, ' ');
		else
			buffer_append(out, c, 1);
		c += is_c1;
	}
}

/* A list of names is shown without its brackets and quotes. */
static void
append_names(Buffer *out, const char *list)
{
	for (const char *c = list; *c != '\0'; c++)
		if (strchr("[]\" ", *c) == NULL)
			buffer_append_char(out, *c);
}

static void
append_value(Buffer *out, const AnswerField *field)
{
	if (field->value == NULL || field->value[0] == '\0')
		buffer_append_char(out, '-');
	else if (field->type == ANSWER_TIME)
		append_time(out, field->value, ' ', false);
	else if (field->type == ANSWER_BOOL)
		buffer_append_text(out, is_false(field) ? "no" : "yes");
	else if (field->type == ANSWER_JSON && field->value[0] == '[')
		append_names(out, field->value);
	else
		answer_write_plain(out, field->value);
}

static void
append_padding(Buffer *out, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		buffer_append_char(out, ' ');
}

/* How many columns of a terminal a text takes: Chinese characters take two, accents none. */
static size_t
width_of(const char *text, size_t len)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (len > 0)
	{
		wchar_t character;
		size_t size = mbrtowc(&character, text, len, &state);
		int columns;

		/* It is no text of the locale: a column for each byte. */
		if (size == 0 || size > len)
			return width + len;
		columns = wcwidth(character);
		width += columns > 0 ? (size_t) columns : 0;
		text += size;
		len -= size;
	}
	return width;
}

/* Appends a value, and blanks up to this width. */
static size_t
append_cell(Buffer *out, const AnswerField *field, size_t width)
{
	const size_t start = out->len;
	size_t shown;

	append_value(out, field);
	shown = out->failed ? 0 : width_of(out->data + start, out->len - start);
	append_padding(out, shown, width);
	return shown;
}

/* ---- tables ---- */

typedef struct Table
{
	const Answer *answer;
	int columns[ANSWER_COLUMNS_MAX];
	size_t widths[ANSWER_COLUMNS_MAX];
	int count;
} Table;

/* "createdAt" is headed CREATED AT. */
static size_t
append_heading(Buffer *out, const char *name)
{
	size_t width = 0;

	for (; *name != '\0'; name++, width++)
	{
		if (isupper((unsigned char) *name))
		{
			buffer_append_char(out, ' ');
			width++;
		}
		buffer_append_char(out, (char) toupper((unsigned char) *name));
	}
	return width;
}

static void
measure(Table *table, Buffer *scratch)
{
	for (int i = 0; i < table->count; i++)
	{
		AnswerField field = answer_field(table->answer, 0, table->columns[i]);

		buffer_clear(scratch);
		table->widths[i] = append_heading(scratch, field.name);
		for (int row = 0; row < table->answer->row_count; row++)
		{
			size_t width;

			buffer_clear(scratch);
			field = answer_field(table->answer, row, table->columns[i]);
			width = append_cell(scratch, &field, 0);
			if (width > table->widths[i])
				table->widths[i] = width;
		}
	}
}

/* Nothing is padded behind the last column. */
static size_t
padded(const Table *table, int i)
{
	return i + 1 < table->count ? table->widths[i] + GAP : 0;
}

static void
write_table(const Answer *answer, const char *columns, Buffer *out)
{
	Table table = {.answer = answer};
	Buffer scratch;

	for (int column = 0; column < answer->column_count; column++)
		if (columns == NULL || command_lists(columns, answer_field(answer, 0, column).name))
			table.columns[table.count++] = column;
	buffer_init(&scratch, out->max);
	measure(&table, &scratch);
	out->failed |= scratch.failed;
	buffer_free(&scratch);
	for (int i = 0; i < table.count; i++)
	{
		const AnswerField field = answer_field(answer, 0, table.columns[i]);

		append_padding(out, append_heading(out, field.name), padded(&table, i));
	}
	buffer_append_char(out, '\n');
	for (int row = 0; row < answer->row_count; row++)
	{
		for (int i = 0; i < table.count; i++)
		{
			const AnswerField field = answer_field(answer, row, table.columns[i]);

			append_cell(out, &field, padded(&table, i));
		}
		buffer_append_char(out, '\n');
	}
}

/* ---- other texts ---- */

/* One value a line; what is null is left out. */
static void
write_record(const Answer *answer, Buffer *out)
{
	size_t width = 0;

	for (int column = 0; column < answer->column_count; column++)
	{
		const AnswerField field = answer_field(answer, 0, column);

		if (field.value != NULL && strlen(field.name) > width)
			width = strlen(field.name);
	}
	for (int column = 0; column < answer->column_count; column++)
	{
		const AnswerField field = answer_field(answer, 0, column);

		if (field.value == NULL)
			continue;
		buffer_append_text(out, field.name);
		append_padding(out, strlen(field.name), width + GAP);
		append_cell(out, &field, 0);
		buffer_append_char(out, '\n');
	}
}

/* The values of a row beside each other: widths of later rows are not known yet. */
static void
write_lines(const Answer *answer, Buffer *out)
{
	for (int row = 0; row < answer->row_count; row++)
	{
		if (is_place(answer, row))
			continue;
		for (int column = 0; column < answer->column_count; column++)
		{
			const AnswerField field = answer_field(answer, row, column);

			append_padding(out, 0, column > 0 ? GAP : 0);
			append_value(out, &field);
		}
		buffer_append_char(out, '\n');
	}
}

static void
write_sentence(const Answer *answer, const char *sentence, Buffer *out)
{
	for (const char *c = sentence; *c != '\0'; c++)
	{
		size_t len = *c == '{' ? strcspn(c + 1, "}") : 0;

		if (len == 0)
			buffer_append_char(out, *c);
		else
		{
			const AnswerField field = answer_find(answer, 0, c + 1, len);

			append_value(out, &field);
			c += len + 1;
		}
	}
	buffer_append_char(out, '\n');
}

static void
write_part(const Answer *answer, int row, const char *name, const char *before, Buffer *out)
{
	const AnswerField field = answer_find(answer, row, name, strlen(name));

	if (field.value == NULL)
		return;
	buffer_append_text(out, before);
	append_value(out, &field);
	buffer_append_char(out, '\n');
}

static void
write_findings(const Answer *answer, Buffer *out)
{
	const int rows = answer->row_count;
	int findings = 0;

	for (int row = 0; row < rows; row++)
	{
		if (answer_has_passed(answer, row))
			continue;
		findings++;
		write_part(answer, row, "name", "FAILED  ", out);
		write_part(answer, row, "detail", "  found:  ", out);
		write_part(answer, row, "advice", "  to do:  ", out);
	}
	buffer_printf(out, "%d checks: %d passed, %d failed\n", rows, rows - findings, findings);
}

void
answer_write_text(const Answer *answer, const Command *command, Buffer *out)
{
	const AnswerField changed = answer_find(answer, 0, "changed", strlen("changed"));

	if (command->shape == COMMAND_CHECKS)
		write_findings(answer, out);
	else if (command->shape == COMMAND_LINES)
		write_json_lines(answer, command->shape, out);
	else if (command->shape == COMMAND_FOLLOW)
		write_lines(answer, out);
	else if (command->shape == COMMAND_LIST)
		write_table(answer, command->columns, out);
	else if (command->done != NULL)
		write_sentence(answer, is_false(&changed) ? command->unchanged : command->done, out);
	else
		write_record(answer, out);
}
