/*
 * curl_loop.c
 *		Transfers of curl on the loop; see curl_loop.h.
 */
#include "client/curl_loop.h"

#include <event2/event.h>

/* Tells the ends that curl has noted while it ran. */
static void
take_ended(CurlLoop *loop)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->multi, &left)) != NULL)
	{
		CURLcode code = message->data.result;
		char *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		loop->events->ended(transfer, code);
	}
	if (loop->events->returned != NULL)
		loop->events->returned(loop->context);
}

static void
on_socket(evutil_socket_t fd, short what, void *context)
{
	CurlLoop *loop = context;
	int events = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
				 ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(loop->multi, fd, events, &running);
	take_ended(loop);
}

static void
on_timer(void *context)
{
	CurlLoop *loop = context;
	int running;

	curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_ended(loop);
}

static int
on_timer_wanted(CURLM *multi, long ms, void *context)
{
	CurlLoop *loop = context;

	(void) multi;
	if (ms < 0)
		timer_stop(&loop->timer);
	else
		timer_start(&loop->timer, ms);
	return 0;
}

/*
 * curl starts, changes or ends its interest in a socket.  The event that watches the socket
 * is stored with it, in curl.
 */
static int
on_watch(CURL *easy, curl_socket_t fd, int what, void *context, void *watched)
{
	CurlLoop *loop = context;
	struct event *event = watched;
	short events = (short) (EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
							((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));

	(void) easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE)
	{
		event = event_new(loop->base, fd, events, on_socket, loop);
		if (event == NULL || event_add(event, NULL) != 0)
			return -1;
	}
	curl_multi_assign(loop->multi, fd, event);
	return 0;
}

bool
curl_loop_open(CurlLoop *loop, struct event_base *base, long kept, const CurlLoopEvents *events,
			   void *context)
{
	*loop = (CurlLoop){.base = NULL};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	*loop = (CurlLoop){.base = base, .events = events, .context = context};
	loop->multi = curl_multi_init();
	if (!timer_open(&loop->timer, base, on_timer, loop) || loop->multi == NULL)
	{
		curl_loop_close(loop);
		return false;
	}
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, kept);
	curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
	return true;
}

bool
curl_loop_guard(CURL *easy)
{
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

void
curl_loop_close(CurlLoop *loop)
{
	if (loop->base == NULL)
		return;
	if (loop->multi != NULL)
		curl_multi_cleanup(loop->multi);
	timer_close(&loop->timer);
	curl_global_cleanup();
	*loop = (CurlLoop){.base = NULL};
}
