/*
 * parser.c
 *		llhttp's callbacks: they copy what it finds into the request.
 *
 * llhttp sees only bytes that the guard let through, one message at a time,
 * and is made anew for each.  A text may arrive in several pieces, cut where
 * the reads were cut; so a piece is appended to the text buffer, and a NUL is
 * put behind the text when the next one begins.  Fields behind the last chunk are
 * passed over: by then others point into the buffer.
 */
#include "http/request.h"

#include <string.h>

static HttpRequestState *
state_of(llhttp_t *parser)
{
	return parser->data;
}

/* Ends the value of the last field: no white space at its end, a NUL behind it. */
static bool
end_field(HttpRequestState *state)
{
	HttpSpan *span;

	if (!state->in_value)
		return true;
	span = &state->spans[state->n_spans - 1];
	while (state->text.len > span->value && (state->text.data[state->text.len - 1] == ' ' ||
											 state->text.data[state->text.len - 1] == '\t'))
		state->text.len--;
	span->value_len = (uint32_t) (state->text.len - span->value);
	state->in_value = false;
	return buffer_append_char(&state->text, '\0');
}

static int
on_url(llhttp_t *parser, const char *at, size_t len)
{
	HttpRequestState *state = state_of(parser);

	state->target_len += len;
	return buffer_append(&state->text, at, len) ? 0 : HPE_USER;
}

static int
on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	HttpRequestState *state = state_of(parser);
	HttpSpan *span;
	size_t first = state->text.len;

	if (state->head_parsed)
		return 0;
	/* the first piece of a name begins a field */
	if (state->in_value || state->n_spans == 0)
	{
		/* behind the target, or behind the value before */
		if (state->n_spans == HTTP_FIELDS_MAX || !end_field(state) ||
			(state->n_spans == 0 && !buffer_append_char(&state->text, '\0')))
			return HPE_USER;
		first = state->text.len;
		state->spans[state->n_spans++] = (HttpSpan){.name = (uint32_t) first};
	}
	span = &state->spans[state->n_spans - 1];
	if (!buffer_append(&state->text, at, len))
		return HPE_USER;
	for (size_t i = first; i < state->text.len; i++)
		if (state->text.data[i] >= 'A' && state->text.data[i] <= 'Z')
			state->text.data[i] |= 0x20;
	span->name_len += (uint32_t) len;
	return 0;
}

static int
on_header_field_complete(llhttp_t *parser)
{
	HttpRequestState *state = state_of(parser);

	if (state->head_parsed)
		return 0;
	if (state->n_spans == 0 || !buffer_append_char(&state->text, '\0'))
		return HPE_USER;
	state->spans[state->n_spans - 1].value = (uint32_t) state->text.len;
	state->in_value = true;
	return 0;
}

static int
on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	HttpRequestState *state = state_of(parser);

	return state->head_parsed || buffer_append(&state->text, at, len) ? 0 : HPE_USER;
}

static int
on_headers_complete(llhttp_t *parser)
{
	HttpRequestState *state = state_of(parser);

	state->head_parsed = true;
	/* a head without fields has no NUL behind its target yet */
	if (state->n_spans == 0)
		return buffer_append_char(&state->text, '\0') ? 0 : HPE_USER;
	return end_field(state) ? 0 : HPE_USER;
}

static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	return buffer_append(&state_of(parser)->body, at, len) ? 0 : HPE_USER;
}

static int
on_message_complete(llhttp_t *parser)
{
	HttpRequestState *state = state_of(parser);

	state->complete = true;
	state->keep_alive = llhttp_should_keep_alive(parser) != 0;
	return 0;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_field_complete = on_header_field_complete,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

bool
http_request_parse(HttpRequestState *state, const char *data, size_t len)
{
	llhttp_errno_t result;

	if (state->broken)
		return false;
	if (state->parser.data == NULL)
	{
		llhttp_init(&state->parser, HTTP_REQUEST, &settings);
		state->parser.data = state;
	}
	result = llhttp_execute(&state->parser, data, len);

	/* an upgrade is answered like any request; the parser only says that it stopped */
	state->broken = result != HPE_OK && !(result == HPE_PAUSED_UPGRADE && state->complete);
	return !state->broken;
}
