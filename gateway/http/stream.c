/*
 * stream.c
 *		The body of an answer that comes piece by piece; see stream.h.
 *
 * A stream that is being sent is a part of its connection.
 */
#include "http/stream.h"

#include <event2/buffer.h>
#include <stddef.h>

#include "http/connection.h"

static HttpConnection *
connection_of(HttpStream *stream)
{
	return (HttpConnection *) (void *) ((char *) stream - offsetof(HttpConnection, stream));
}

/* ---- for the source ---- */

void
http_stream_give(HttpStream *stream, const void *bytes, size_t len)
{
	HttpConnection *connection = connection_of(stream);

	if (len > stream->left)
	{
		http_stream_break(stream, "more bytes came than were said");
		return;
	}
	stream->asked = false;
	stream->left -= len;
	if (!http_send_piece(bufferevent_get_output(connection->bev), bytes, len))
		http_connection_close(connection, "out of memory");
	else if (stream->left == 0)
		http_stream_end(stream);
}

void
http_stream_break(HttpStream *stream, const char *reason)
{
	http_connection_close(connection_of(stream), reason);
}

/* ---- for the connection ---- */

void
http_stream_ask(HttpStream *stream)
{
	if (stream->asked)
		return;
	stream->asked = true;
	stream->source->next(stream->context, stream);
}

bool
http_stream_is_late(const HttpStream *stream)
{
	const HttpConnection *connection = connection_of((HttpStream *) stream);

	return stream->asked && evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0;
}

void
http_stream_end(HttpStream *stream)
{
	const HttpSource *source = stream->source;
	void *context = stream->context;

	*stream = (HttpStream){.source = NULL};
	if (source != NULL)
		source->end(context);
}
