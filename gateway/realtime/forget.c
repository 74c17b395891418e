/*
 * forget.c
 *		Gives the credentials of closed sockets back to the database.
 *
 * A closed socket no longer needs its credential.  Nobody waits for this, so only a few
 * requests at a time go to the database.  A credential that is not given back expires
 * there.
 */
#include <stdlib.h>
#include <string.h>

#include "src/common/memory.h"
#include "realtime/forget.h"
#include "realtime/state.h"

static void run(Realtime *realtime);

static void
end(Forget *forget)
{
	Realtime *realtime = forget->realtime;

	realtime->forgetting -= forget->request != NULL ? 1 : 0;
	realtime->forget_count--;
	TAILQ_REMOVE(&realtime->forgets, forget, link);
	wak_wipe(forget, sizeof(*forget));
	free(forget);
}

static void
on_forgotten(void *arg, const DbResult *result)
{
	Forget *forget = arg;
	Realtime *realtime = forget->realtime;

	(void) result;
	end(forget);
	run(realtime);
}

/* A credential that cannot be submitted is not tried again; it expires. */
static void
submit(Forget *forget)
{
	Realtime *realtime = forget->realtime;
	DbRequest *request = db_request_new(realtime->statements.close, DB_LANE_FAST,
										realtime->config.timeout_ms, on_forgotten, forget);

	if (request != NULL && !db_param_text(request, forget->credential, strlen(forget->credential)))
	{
		db_request_free(request);
		request = NULL;
	}
	if (request == NULL || !db_submit(realtime->db, request))
	{
		end(forget);
		return;
	}
	forget->request = request;
	realtime->forgetting++;
}

/* The ones that were submitted are the first on the list. */
static Forget *
next_waiting(const Realtime *realtime)
{
	Forget *forget;

	TAILQ_FOREACH(forget, &realtime->forgets, link)
	{
		if (forget->request == NULL)
			return forget;
	}
	return NULL;
}

static void
run(Realtime *realtime)
{
	Forget *forget;

	while (realtime->forgetting < FORGETS_AT_ONCE && (forget = next_waiting(realtime)) != NULL)
		submit(forget);
}

void
forget_credential(Realtime *realtime, char *credential)
{
	Forget *forget = realtime->forget_count < FORGET_MAX ? calloc(1, sizeof(*forget)) : NULL;

	if (forget != NULL)
	{
		forget->realtime = realtime;
		strncpy(forget->credential, credential, sizeof(forget->credential) - 1);
		TAILQ_INSERT_TAIL(&realtime->forgets, forget, link);
		realtime->forget_count++;
	}
	wak_wipe(credential, strlen(credential));
	run(realtime);
}

void
forgets_free(Realtime *realtime)
{
	Forget *forget;

	while ((forget = TAILQ_FIRST(&realtime->forgets)) != NULL)
	{
		if (forget->request != NULL)
			db_abandon(forget->request);
		end(forget);
	}
}
