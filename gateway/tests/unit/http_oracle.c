/*
 * http_oracle.c
 *		llhttp's callbacks: they copy what it finds, piece by piece.
 */
#include "tests/unit/http_oracle.h"

#include <string.h>

#define HEAD_MAX (64 * 1024)

static HttpOracle *
oracle_of(llhttp_t *parser)
{
	return parser->data;
}

static int
on_url(llhttp_t *parser, const char *at, size_t len)
{
	return buffer_append(&oracle_of(parser)->target, at, len) ? 0 : HPE_USER;
}

/* Fields behind the last chunk are passed over. */
static int
keep_field(llhttp_t *parser, const char *at, size_t len)
{
	HttpOracle *oracle = oracle_of(parser);

	return oracle->head_complete || buffer_append(&oracle->fields, at, len) ? 0 : HPE_USER;
}

static int
on_name(llhttp_t *parser, const char *at, size_t len)
{
	Buffer *fields = &oracle_of(parser)->fields;
	size_t first = fields->len;
	int result = keep_field(parser, at, len);

	for (size_t i = first; i < fields->len; i++)
		if (fields->data[i] >= 'A' && fields->data[i] <= 'Z')
			fields->data[i] |= 0x20;
	return result;
}

static int
on_name_end(llhttp_t *parser)
{
	return keep_field(parser, ":", 1);
}

/* llhttp keeps the white space behind a value. */
static int
on_value_end(llhttp_t *parser)
{
	HttpOracle *oracle = oracle_of(parser);
	Buffer *fields = &oracle->fields;

	while (!oracle->head_complete &&
		   (fields->data[fields->len - 1] == ' ' || fields->data[fields->len - 1] == '\t'))
		fields->len--;
	return keep_field(parser, "\n", 1);
}

static int
on_headers_complete(llhttp_t *parser)
{
	oracle_of(parser)->head_complete = true;
	return 0;
}

static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	return buffer_append(&oracle_of(parser)->body, at, len) ? 0 : HPE_USER;
}

static int
on_message_complete(llhttp_t *parser)
{
	HttpOracle *oracle = oracle_of(parser);

	oracle->complete = true;
	oracle->closes = llhttp_should_keep_alive(parser) == 0;
	return 0;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_end,
	.on_header_value = keep_field,
	.on_header_value_complete = on_value_end,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

void
http_oracle_init(HttpOracle *oracle)
{
	memset(oracle, 0, sizeof(*oracle));
	buffer_init(&oracle->target, HEAD_MAX);
	buffer_init(&oracle->fields, HEAD_MAX);
	buffer_init(&oracle->body, HTTP_BODY_MAX);
	llhttp_init(&oracle->parser, HTTP_REQUEST, &settings);
	oracle->parser.data = oracle;
}

void
http_oracle_free(HttpOracle *oracle)
{
	buffer_free(&oracle->target);
	buffer_free(&oracle->fields);
	buffer_free(&oracle->body);
}

bool
http_oracle_feed(HttpOracle *oracle, const char *data, size_t len)
{
	llhttp_errno_t result;

	if (oracle->refused)
		return false;
	result = llhttp_execute(&oracle->parser, data, len);

	/* at an upgrade it only says that the message has ended there */
	oracle->refused = result != HPE_OK && !(result == HPE_PAUSED_UPGRADE && oracle->complete);
	return !oracle->refused;
}

static bool
text_is(const Buffer *a, const Buffer *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool
target_agrees(const HttpOracle *oracle, const HttpGuard *guard)
{
	const char *text = guard->text.data;
	bool with_query = guard->query_at > guard->path_at + guard->path_len;
	Buffer target;
	bool same;

	buffer_init(&target, HEAD_MAX);
	buffer_append(&target, text, guard->path_at + guard->path_len);
	if (with_query)
		buffer_append_char(&target, '?');
	buffer_append(&target, text + guard->query_at, guard->query_len);
	same = text_is(&target, &oracle->target);
	buffer_free(&target);
	return same;
}

static bool
fields_agree(const HttpOracle *oracle, const HttpGuard *guard)
{
	Buffer fields;
	bool same;

	buffer_init(&fields, HEAD_MAX);
	for (size_t i = 0; i < guard->n_spans; i++)
	{
		const HttpSpan *span = &guard->spans[i];

		buffer_append(&fields, guard->text.data + span->name, span->name_len);
		buffer_append_char(&fields, ':');
		buffer_append(&fields, guard->text.data + span->value, span->value_len);
		buffer_append_char(&fields, '\n');
	}
	same = text_is(&fields, &oracle->fields);
	buffer_free(&fields);
	return same;
}

bool
http_oracle_agrees(const HttpOracle *oracle, const HttpGuard *guard)
{
	const char *method = llhttp_method_name((llhttp_method_t) oracle->parser.method);

	return !oracle->refused && oracle->complete && guard->state == HTTP_GUARD_END &&
		   strcmp(method, http_method_name(guard->method)) == 0 && target_agrees(oracle, guard) &&
		   fields_agree(oracle, guard) && text_is(&oracle->body, &guard->body);
}
