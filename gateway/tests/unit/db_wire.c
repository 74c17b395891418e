/*
 * db_wire.c
 *		A tiny PostgreSQL server, for tests of the database floor without a database.
 *
 *	startup	length, version, ...			-> R (ok) K (key) Z (idle)
 *	P Parse -> 1	B Bind -> 2		D Describe -> (t) T		E Execute -> D C, or E
 *	S Sync -> Z; behind an error everything up to it is passed over
 */
#include "tests/unit/db_wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

#define PROTOCOL_3 0x00030000
#define CANCEL_REQUEST 80877102
#define RUN_MS 60000

/* However little of its time this process got, so often the loop runs behind its end. */
#define LOOPS_BEHIND 20
#define WRITE_MAX (1024 * 1024) /* at once; libevent's own 16 KiB makes a large row slow */
#define NUMBER_SIZE 8
#define NUMBER_MAX 24 /* as text */
#define PARAMS_MAX 8

/* What a statement takes and gives.  Types of columns are oids: uuid, void, int8, bytea. */
typedef struct Known
{
	const char *name;
	int params;
	int columns;
	uint16_t types[6];
	int id_size; /* of the cells in front of the number */
	int nulls;   /* how many of those are NULL: the last ones */
} Known;

static const Known bindings[] = {
	{"authenticate", 5, 6, {2950, 2950, 23, 23, 23, 20}, DB_UUID_SIZE, 3},
	{"act_for", 2, 2, {2278, 20}, 0, 0},
	{"unbound", 1, 1, {20}, 0, 0},
};
static const Known question = {"credential_org", 1, 1, {2950}, 0, 0};
static const Known any = {"", 0, 1, {17}, 0, 0};

/* One connection. */
typedef struct Client
{
	DbWire *wire;
	struct bufferevent *bev;
	bool logged_in;
	bool prepared;      /* has had a Sync */
	const Known *bound; /* what the portal runs */
	int format;         /* of its columns */
	char number[NUMBER_MAX];
	size_t number_len;
	bool lying;  /* the portal's answer is a lie */
	bool failed; /* up to the next Sync */
	bool dying;  /* has said its last word */
} Client;

/* The one whose statement hangs; a cancel ends it. */
static Client *hanging;

/* The one that has logged in last and is still there. */
static Client *latest;

/* ---- messages ---- */

void
db_wire_message(Buffer *out, char type, const void *body, size_t len)
{
	uint32_t size = htonl((uint32_t) len + 4);

	ck_assert(buffer_append_char(out, type) && buffer_append(out, &size, 4) &&
			  buffer_append(out, body, len));
}

static void
say(Client *client, char type, const void *bytes, size_t len)
{
	uint32_t size = htonl((uint32_t) len + 4);

	bufferevent_write(client->bev, &type, 1);
	bufferevent_write(client->bev, &size, 4);
	bufferevent_write(client->bev, bytes, len);
}

/*
 * Is there a lie at this place, and is it now?
 */
static bool
lies(DbWire *wire, DbWirePlace place)
{
	if (wire->lie.place != place || wire->lie.passes-- > 0)
		return false;
	wire->lie.place = DB_WIRE_TRUE;
	return true;
}

static void
say_lie(Client *client)
{
	const DbWireLie *lie = &client->wire->lie;
	char *bytes = malloc(lie->len + 1);
	char *at;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, lie->bytes, lie->len);
	while ((at = memmem(bytes, lie->len, DB_WIRE_NUMBER, NUMBER_SIZE)) != NULL)
		memcpy(at, client->number, NUMBER_SIZE);
	bufferevent_write(client->bev, bytes, lie->len);
	free(bytes);
}

static void
say_error(Client *client, const char *severity, const char *sqlstate)
{
	const DbWire *wire = client->wire;
	char text[256];
	int len =
		snprintf(text, sizeof(text), "S%s%cV%s%cC%s%cMtext of the error%cn%s%cF%s%cR%s%c", severity,
				 0, severity, 0, sqlstate, 0, 0, wire->constraint == NULL ? "" : wire->constraint,
				 0, wire->file == NULL ? "f.c" : wire->file, 0,
				 wire->function == NULL ? "f" : wire->function, 0);

	say(client, 'E', text, (size_t) len + 1);
	client->failed = true;
}

/* No table, a length of -1, no modifier. */
static void
say_columns(Client *client, const Known *known, int format)
{
	static const char column[] = "c\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377\377\377\0";
	char body[192] = {0};
	size_t len = 2;

	body[1] = (char) known->columns;
	for (int i = 0; i < known->columns; i++)
	{
		memcpy(body + len, column, sizeof(column) - 1);
		body[len + 10] = (char) (known->types[i] >> 8);
		body[len + 11] = (char) known->types[i];
		len += sizeof(column);
		body[len - 1] = (char) format;
	}
	say(client, 'T', body, len);
}

static void
say_params(Client *client, const Known *known)
{
	char body[2 + 4 * PARAMS_MAX] = {0};

	ck_assert_int_le(known->params, PARAMS_MAX);
	body[1] = (char) known->params;
	for (int i = 0; i < known->params; i++)
		body[2 + 4 * i + 3] = 25;
	say(client, 't', body, 2 + 4 * (size_t) known->params);
}

static void
say_row(Client *client, size_t len)
{
	char *row = calloc(1, len + 6);
	uint32_t size = htonl((uint32_t) len);

	ck_assert_ptr_nonnull(row);
	row[1] = 1;
	memcpy(row + 2, &size, 4);
	say(client, 'D', row, len + 6);
	say(client, 'C', "SELECT 1", 9);
	free(row);
}

static void
say_number(Client *client)
{
	char row[192] = {0};
	size_t len = 2;

	row[1] = (char) client->bound->columns;
	for (int i = 1; i < client->bound->columns - client->bound->nulls; i++)
	{
		row[len + 3] = (char) client->bound->id_size;
		len += 4 + (size_t) client->bound->id_size;
	}
	for (int i = 0; i < client->bound->nulls; i++)
	{
		memset(row + len, 0xff, 4);
		len += 4;
	}
	row[len + 3] = (char) client->number_len;
	memcpy(row + len + 4, client->number, client->number_len);
	say(client, 'D', row, len + 4 + client->number_len);
	say(client, 'C', "SELECT 1", 9);
}

/* ---- what a client asks ---- */

static void
end_client(Client *client)
{
	if (hanging == client)
		hanging = NULL;
	if (latest == client)
		latest = NULL;
	bufferevent_free(client->bev);
	free(client);
}

static void
on_sent(struct bufferevent *bev, void *context)
{
	(void) bev;
	end_client(context);
}

/* Says a last word and closes. */
static void
die(Client *client)
{
	say_error(client, "FATAL", client->wire->sqlstate);
	client->dying = true;
	bufferevent_disable(client->bev, EV_READ);
	bufferevent_setcb(client->bev, NULL, on_sent, NULL, client);
}

static void
execute(Client *client)
{
	DbWire *wire = client->wire;

	if (client->lying)
	{
		say_lie(client);
		client->failed = client->wire->lie.len > 0 && client->wire->lie.bytes[0] == 'E';
		return;
	}
	if (client->bound == &question)
	{
		wire->questions++;
		say_row(client, DB_UUID_SIZE);
		return;
	}
	if (client->bound != &any)
	{
		wire->authenticated += client->bound->id_size > 0 ? 1 : 0;
		say_number(client);
		return;
	}
	wire->executed++;
	switch (wire->script)
	{
		case DB_WIRE_ROW:
			say_row(client, wire->row_bytes);
			break;
		case DB_WIRE_ERROR:
			say_error(client, "ERROR", wire->sqlstate);
			break;
		case DB_WIRE_HANG:
			hanging = client;
			wire->script = DB_WIRE_ROW;
			break;
		case DB_WIRE_ROW_AND_FATAL:
			say_row(client, wire->row_bytes);
			die(client);
			break;
		case DB_WIRE_FATAL:
			die(client);
			break;
	}
}

static const Known *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
		if (strcmp(name, bindings[i].name) == 0)
			return &bindings[i];
	return strcmp(name, question.name) == 0 ? &question : &any;
}

static uint32_t
read_int(const char **at, int size)
{
	uint32_t value = 0;

	for (int i = 0; i < size; i++)
		value = value << 8 | (uint8_t) * (*at)++;
	return value;
}

static DbWirePlace
place_of(const Known *bound)
{
	return bound == &question ? DB_WIRE_QUESTION
		   : bound == &any    ? DB_WIRE_STATEMENT
							  : DB_WIRE_BINDING;
}

/*
 * Portal, statement, formats of the parameters, parameters, format of the columns.  The
 * number is the last parameter.
 */
static void
take_bind(Client *client, const char *body)
{
	const char *at = body + strlen(body) + 1;
	uint32_t count;

	client->bound = find(at);
	client->lying = lies(client->wire, place_of(client->bound));
	at += strlen(at) + 1;
	count = read_int(&at, 2);
	at += 2 * count;
	for (count = read_int(&at, 2); count > 0; count--)
	{
		uint32_t len = read_int(&at, 4);

		len = len == UINT32_MAX ? 0 : len;
		client->number_len = len < NUMBER_MAX ? len : NUMBER_MAX;
		memcpy(client->number, at, client->number_len);
		at += len;
	}
	client->format = read_int(&at, 2) == 0 ? 0 : (int) read_int(&at, 2);
	say(client, '2', NULL, 0);
}

static void
describe(Client *client, const char *body)
{
	if (body[0] == 'P' && !client->lying)
		say_columns(client, client->bound, client->format);
	else if (body[0] == 'S' && strcmp(body + 1, "authenticate") == 0 &&
			 lies(client->wire, DB_WIRE_PREPARED))
		say_lie(client);
	else if (body[0] == 'S')
	{
		say_params(client, find(body + 1));
		say_columns(client, find(body + 1), 0);
	}
}

static void
take_sync(Client *client)
{
	client->failed = false;
	if (!client->prepared && lies(client->wire, DB_WIRE_LOGIN))
		say_lie(client);
	if (client->prepared && lies(client->wire, DB_WIRE_SYNC))
		say_lie(client);
	else
		say(client, 'Z', "I", 1);
	client->prepared = true;
}

static void
answer(Client *client, char type, const char *body)
{
	if (type == 'S')
		take_sync(client);
	else if (client->failed)
		return;
	else if (type == 'P' && client->wire->refuses != NULL)
		say_error(client, "ERROR", client->wire->refuses);
	else if (type == 'P')
		say(client, '1', NULL, 0);
	else if (type == 'B')
		take_bind(client, body);
	else if (type == 'D')
		describe(client, body);
	else if (type == 'E')
		execute(client);
}

static void on_read(struct bufferevent *bev, void *context);

static void
take_cancel(Client *client)
{
	client->wire->cancels++;
	if (hanging != NULL)
	{
		Client *hit = hanging;

		hanging = NULL;
		say_error(hit, "ERROR", "57014");
		on_read(hit->bev, hit);
	}
	end_client(client);
}

static void
log_in(Client *client)
{
	client->logged_in = true;
	client->wire->logins++;
	latest = client;
	say(client, 'R', "\0\0\0\0", 4);
	say(client, 'S', "client_encoding\0UTF8", 21);
	say(client, 'S', "is_superuser\0off", 17);
	say(client, 'K', "\0\0\0\1\0\0\0\2", 8);
	say(client, 'Z', "I", 1);
}

static void
on_read(struct bufferevent *bev, void *context)
{
	Client *client = context;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t head = client->logged_in ? 1 : 0;

	/* while one hangs, the server does not read on */
	while (hanging != client && !client->dying && evbuffer_get_length(input) >= head + 4)
	{
		unsigned char *at = evbuffer_pullup(input, (ev_ssize_t) head + 4);
		uint32_t len;
		uint32_t code;

		memcpy(&len, at + head, 4);
		len = ntohl(len);
		if (evbuffer_get_length(input) < head + len)
			return;
		at = evbuffer_pullup(input, (ev_ssize_t) (head + len));
		memcpy(&code, at + 4, len >= 8 ? 4 : 0);
		if (head == 0 && ntohl(code) == CANCEL_REQUEST)
		{
			take_cancel(client);
			return;
		}
		if (head == 0)
			log_in(client);
		else if (at[0] == 'X')
		{
			end_client(client);
			return;
		}
		else
			answer(client, (char) at[0], (const char *) at + 5);
		evbuffer_drain(input, head + len);
		head = 1;
	}
}

static void
on_event(struct bufferevent *bev, short what, void *context)
{
	(void) bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		end_client(context);
}

static void
on_accept(evutil_socket_t listener, short what, void *context)
{
	DbWire *wire = context;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	Client *client = calloc(1, sizeof(*client));

	(void) what;
	ck_assert(fd >= 0 && client != NULL);
	client->wire = wire;
	client->bev = bufferevent_socket_new(wire->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_set_max_single_write(client->bev, WRITE_MAX);
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

/* ---- start and end ---- */

void
db_wire_start(DbWire *wire)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN); /* a client that was lied to leaves at once */
	hanging = latest = NULL;
	*wire = (DbWire){.base = event_base_new(), .row_bytes = 10, .sqlstate = "XX000"};
	strcpy(wire->directory, "/tmp/db_wire.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(wire->directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", wire->directory);
	snprintf(wire->conninfo, sizeof(wire->conninfo),
			 "host=%s port=5432 user=u dbname=d gssencmode=disable", wire->directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	wire->listener = event_new(wire->base, fd, EV_READ | EV_PERSIST, on_accept, wire);
	event_add(wire->listener, NULL);
}

void
db_wire_stop(DbWire *wire)
{
	char path[128];

	/* the clients are gone, and are noticed here */
	db_wire_run(wire, 20);
	close(event_get_fd(wire->listener));
	event_free(wire->listener);
	event_base_free(wire->base);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", wire->directory);
	unlink(path);
	rmdir(wire->directory);
}

void
db_wire_run_until(DbWire *wire, const bool *done)
{
	int64_t end = clock_monotonic_ms() + RUN_MS;

	while (!*done && clock_monotonic_ms() < end)
	{
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
		usleep(200);
	}
	ck_assert(*done);
}

void
db_wire_run(DbWire *wire, int ms)
{
	int64_t end = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end)
	{
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
		usleep(200);
	}
	for (int i = 0; i < LOOPS_BEHIND; i++)
		event_base_loop(wire->base, EVLOOP_NONBLOCK);
}

void
db_wire_say(DbWire *wire, const char *bytes, size_t len)
{
	ck_assert(latest != NULL && latest->wire == wire);
	bufferevent_write(latest->bev, bytes, len);
}
