/*
 * realtime_stage.h
 *		Sockets whose database and clients are the test's own.
 *
 * The database is that of db_stage.h.  What floors below and beside are told is only noted:
 * these functions replace the program's, so that a test that links this links it in front
 * of the rest.  A test that is not about waiting (wait.c) replaces that, too.
 */
#ifndef TESTS_UNIT_REALTIME_STAGE_H
#define TESTS_UNIT_REALTIME_STAGE_H

#include "realtime/read.h"
#include "realtime/state.h"
#include "tests/unit/api_request.h"
#include "tests/unit/db_stage.h"

/* A credential that lives for so long is no concern of any timer. */
#define STAGE_FOR_LONG (2 * EXPIRY_SWEEP_MS + 60000)

/* A socket that a client has opened. */
typedef struct StageSocket
{
	Member *member; /* NULL: it is closed, or its client has left */
	int code;       /* with which it was closed; 0: it was not */
	int sends;      /* how often something was sent to it */
	char got[512];  /* the texts of it, one behind the other, as far as there is room */
	bool breaks;    /* what is sent next is too much for it */
	size_t queued;  /* what its client has still to read */
} StageSocket;

/* A request for a socket; what was answered, and the socket it has become. */
typedef struct StageRequest
{
	SampleRequest sample; /* the first: it is known by its HttpRequest */
	bool is_refused;      /* websocket_accept() does not take it */
	int answers;          /* how often it was answered: once */
	int status;           /* with which error; 0: with none */
	char detail[32];
	char detail_text[128];
	HttpGone gone;
	void *gone_context;
	StageSocket socket;
} StageRequest;

/* Of all organizations together, half of them of one; and of one key. */
#define STAGE_SOCKETS_MAX 32
#define STAGE_KEY_SOCKETS_MAX 12

/* What is tested, with one connection. */
extern Realtime *stage_realtime;

/*
 * The beginning; the end of all sockets and then of the whole; and that of the whole with
 * whatever is under way.
 */
extern void stage_start(void);
extern void stage_stop(void);
extern void stage_end(void);

/* In which organization sockets are opened, and things happen, from now on; at first 1. */
extern void stage_enter(uint8_t org);

/* Behind which event sockets begin that are opened from now on; 0: the first of all. */
extern void stage_begin_behind(char event);

/*
 * Opens a socket of this key or person that wants these types, NULL for all; its credential
 * ends in so many milliseconds.
 */
extern void stage_open(StageSocket *socket, const char *credential, uint8_t holder, bool is_key,
					   const char *types, int64_t ends_ms);

/* ... and answers until it is live. */
extern void stage_open_live(StageSocket *socket, const char *credential, const char *types);

/* Its client leaves. */
extern void stage_leave(StageSocket *socket);

/* Something has happened. */
extern void stage_wake(void);

/* Whose credential the read under way has; NULL: nothing is read. */
extern const char *stage_reader(void);

/* A parameter of what is asked; NULL: it is null.  Behind which event is read. */
extern const char *stage_param(const char *statement, int number, int *len);
extern int stage_read_from(void);

/*
 * A page of events: one for each character, which is its position in the order and its text,
 * if it has no longer one.
 */
typedef struct StagePage
{
	const char *events;   /* NULL: none, and the position stays as it is */
	bool full;            /* there is more behind the last */
	bool pending;         /* there is more, which cannot be read yet */
	DbStageCell envelope; /* the text of each */
} StagePage;

extern void stage_answer_page(const StagePage *page);

/*
 * Answers the read under way: so many events, after which there are no more; or a refusal.
 * And all that are under way or begin then, without events.
 */
extern void stage_answer_events(int count);
extern void stage_settle(void);
extern void stage_refuse(const char *sqlstate);

/* A permission is missing. */
extern void stage_refuse_permission(const char *statement, const char *permission);

#endif
