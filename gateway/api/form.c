/*
 * form.c
 *		The file in a form; see form.h.
 */
#include "api/form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/disposition.h"
#include "http/multipart.h"

#define FIELD "file"

struct Form
{
	Call *call;
	const FormEvents *events;
	bool has_file;
	Multipart reader;
};

static bool
refuse_form(Call *call)
{
	call_problem(call, "body", "must be a form as RFC 7578 describes it");
	return false;
}

/* The value of a field; NULL if there is none.  *count: how often it is there. */
static const HttpText *
find_field(const HttpField *fields, size_t n, const char *name, size_t *count)
{
	const HttpText *found = NULL;

	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (fields[i].name.len == strlen(name) &&
			memcmp(fields[i].name.data, name, fields[i].name.len) == 0)
		{
			found = &fields[i].value;
			++*count;
		}
	return found;
}

/* RFC 7578 deprecates Content-Transfer-Encoding; these say that the bytes are the file's own. */
static bool
is_plain(const HttpText *encoding)
{
	return encoding == NULL || strcasecmp(encoding->data, "binary") == 0 ||
		   strcasecmp(encoding->data, "8bit") == 0 || strcasecmp(encoding->data, "7bit") == 0;
}

/* Notes what is wrong with a part of this field; false if something is. */
static bool
check_part(const Form *form, const char *field, const char *name, const HttpText *encoding)
{
	if (strcmp(field, FIELD) != 0)
		call_problem_unknown(form->call, field);
	else if (form->has_file)
		call_problem(form->call, FIELD, "must be given once");
	else if (name[0] == '\0')
		call_problem(form->call, FIELD, "must be a file with a name");
	else if (!is_plain(encoding))
		call_problem(form->call, FIELD, "must be sent without Content-Transfer-Encoding");
	else
		return true;
	return false;
}

static bool
on_head(void *context, const HttpField *fields, size_t n)
{
	Form *form = context;
	size_t dispositions;
	size_t types;
	size_t encodings;
	const HttpText *disposition = find_field(fields, n, "content-disposition", &dispositions);
	const HttpText *type = find_field(fields, n, "content-type", &types);
	const HttpText *encoding = find_field(fields, n, "content-transfer-encoding", &encodings);
	char field[DISPOSITION_NAME_MAX];
	char name[DISPOSITION_NAME_MAX];

	if (dispositions != 1 || types > 1 || encodings > 1 ||
		!disposition_read_field(disposition->data, field, name))
		return refuse_form(form->call);
	if (!check_part(form, field, name, encoding))
		return false;
	form->has_file = true;
	return form->events->file(form->call, type, name);
}

static bool
on_bytes(void *context, const char *bytes, size_t len)
{
	const Form *form = context;

	return form->events->bytes(form->call, bytes, len);
}

static bool
on_end(void *context)
{
	(void) context;
	return true;
}

Form *
form_begin(Call *call, const char *type, const FormEvents *events)
{
	static const MultipartEvents parts = {.head = on_head, .bytes = on_bytes, .end = on_end};
	Form *form = calloc(1, sizeof(*form));

	if (form == NULL)
		return NULL;
	form->call = call;
	form->events = events;
	if (multipart_begin(&form->reader, type, &parts, form))
		return form;
	call_problem(call, "Content-Type", "must name the boundary of the form");
	free(form);
	return NULL;
}

bool
form_read(Form *form, const char *bytes, size_t len)
{
	MultipartResult result = multipart_read(&form->reader, bytes, len);

	return result == MULTIPART_MALFORMED ? refuse_form(form->call) : result == MULTIPART_MORE;
}

bool
form_end(const Form *form)
{
	if (!multipart_is_complete(&form->reader))
		return refuse_form(form->call);
	if (!form->has_file)
		call_problem(form->call, FIELD, "is required");
	return form->has_file;
}
