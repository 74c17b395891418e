/*
 * transfer.c
 *		Sends requests to servers that are not trusted, by curl on the loop.
 *
 * curl is told to connect to a name that is made of the organization and the host
 * (CURLOPT_CONNECT_TO), and gets the addresses of this name (CURLOPT_RESOLVE), so that it
 * looks nothing up.  curl uses a kept connection again only if this name is the same.  What
 * is sent, and the certificate that is expected, depend on the host in the URL as always.
 *
 * curl also asks us for every socket and names the address that the socket is for.
 * on_socket_wanted() checks this address: it is the last check, which holds even if a name
 * or a URL was read wrongly before.
 *
 * One transfer is one request.  curl on its own repeats a request up to five times when a
 * kept connection ends before an answer, although the receiver may have taken the first
 * one.  Therefore, once a byte was sent, no other connection is used: is_repeat() is asked
 * for each new socket and before each request.  Before a byte was sent another connection
 * may be used: if the other side has closed a kept connection, curl or this code (kept.h)
 * opens a new one.
 *
 * A transfer ends only in on_ended(), which runs after curl has returned (client/curl_loop.h).
 */
#include "client/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/sha.h>

#include "client/curl_loop.h"
#include "lib/buffer.h"
#include "client/kept.h"

#define CLOSED "the connection was closed before an answer"
#define TOO_LARGE "the file is too large"

/* Half of a hash of organization and host, in hex.  A name with both might be too long. */
#define NAME_LENGTH SHA256_DIGEST_LENGTH

/* Bytes for CURLOPT_RESOLVE: a name, a port, and the addresses. */
#define RESOLVE_MAX (NAME_LENGTH + 32 + 64 * (INET6_ADDRSTRLEN + 3))

TAILQ_HEAD(TransferList, Transfer);

struct Transfers
{
	CurlLoop curl;
	const EgressRules *rules;
	const char *ca_file;
	const char *agent;
	struct TransferList list;
	Kept kept;
};

struct Transfer
{
	TAILQ_ENTRY(Transfer) link;
	Transfers *transfers;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	struct curl_slist *addresses;
	TransferDone done;
	TransferTake take; /* NULL: the body is discarded */
	int64_t take_max;
	void *arg;
	size_t head_bytes;
	int64_t body_bytes;
	bool head_complete; /* of the final answer: its status is known */
	bool refused;       /* curl wanted a socket for an address that is not allowed */
	bool repeated;      /* curl was about to repeat the request */
	bool full;          /* nobody takes more of the body now */
	bool too_large;     /* the body that is taken has more bytes than it may */
	bool stale;         /* the kept connection was closed before the request was sent */
};

/* ---- limits of the answer ---- */

/* curl passes each line of the head by itself, including the empty line that ends it. */
static size_t
on_head(char *data, size_t size, size_t count, void *arg)
{
	Transfer *transfer = arg;
	size_t bytes = size * count;
	long status = 0;

	transfer->head_bytes += bytes;
	if (transfer->head_bytes > TRANSFER_HEAD_MAX)
		return 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && (data[0] == '\r' || data[0] == '\n'))
		transfer->head_complete = true;
	return bytes;
}

/* Only the body of a 200 is what was asked for. */
static bool
is_taken(const Transfer *transfer)
{
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return transfer->take != NULL && status == 200;
}

/* curl gives the same bytes again after a pause. */
static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	Transfer *transfer = arg;
	bool taken = is_taken(transfer);

	if (transfer->full)
		return CURL_WRITEFUNC_PAUSE;
	transfer->body_bytes += (int64_t) (size * count);
	if (transfer->body_bytes > (taken ? transfer->take_max : TRANSFER_BODY_MAX))
	{
		transfer->too_large = taken;
		return 0;
	}
	if (taken)
		transfer->full = !transfer->take(transfer->arg, data, size * count);
	return size * count;
}

/* Whether curl has sent something already and starts again. */
static bool
is_repeat(Transfer *transfer)
{
	long sent = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
	transfer->repeated |= sent > 0;
	return transfer->repeated;
}

static int
on_request(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	Transfer *transfer = arg;

	(void) local;
	if (is_repeat(transfer))
		return CURL_PREREQFUNC_ABORT;
	transfer->stale = kept_is_over(&transfer->transfers->kept, remote, remote_port, local_port);
	return transfer->stale ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t
on_socket_wanted(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	Transfer *transfer = arg;

	if (is_repeat(transfer))
		return CURL_SOCKET_BAD;
	if (purpose != CURLSOCKTYPE_IPCXN || !egress_allows(transfer->transfers->rules, &address->addr))
	{
		transfer->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A kept connection may be closed long after its last transfer. */
static int
on_socket_closed(void *arg, curl_socket_t fd)
{
	Transfers *transfers = arg;

	kept_remove(&transfers->kept, fd);
	return close(fd);
}

/* ---- the end of a transfer ---- */

static void
free_transfer(Transfer *transfer)
{
	if (transfer->easy != NULL)
		curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->connect_to);
	curl_slist_free_all(transfer->addresses);
	free(transfer);
}

/* Whether another try would end in the same way, whoever answers. */
static bool
is_hopeless(const Transfer *transfer, CURLcode code)
{
	return transfer->refused || transfer->too_large || code == CURLE_FILESIZE_EXCEEDED;
}

/* Of a body that was taken. */
static const char *
body_problem(const Transfer *transfer, CURLcode code)
{
	if (is_hopeless(transfer, code))
		return TOO_LARGE;
	return code == CURLE_OPERATION_TIMEDOUT
			   ? "the file did not come in time"
			   : "the connection was closed before the end of the file";
}

static const char *
problem_of(const Transfer *transfer, CURLcode code)
{
	if (transfer->refused)
		return "the address is not allowed";
	if (transfer->repeated)
		return CLOSED;
	switch (code)
	{
		case CURLE_FILESIZE_EXCEEDED: /* by its Content-Length */
			return TOO_LARGE;
		case CURLE_OPERATION_TIMEDOUT:
			return "no answer in time";
		case CURLE_COULDNT_CONNECT:
			return "could not connect";
		case CURLE_PEER_FAILED_VERIFICATION:
			return "the certificate could not be verified";
		case CURLE_SSL_CONNECT_ERROR:
			return "TLS failed";
		case CURLE_GOT_NOTHING:
		case CURLE_RECV_ERROR:
		case CURLE_SEND_ERROR:
		case CURLE_ABORTED_BY_CALLBACK: /* out of memory for another connection */
			return CLOSED;
		case CURLE_WRITE_ERROR:
		case CURLE_OUT_OF_MEMORY: /* curl's error for a single line that is too long, */
#if LIBCURL_VERSION_NUM >= 0x080600
		case CURLE_TOO_LARGE: /* and its error since 8.6 */
#endif
			return "the answer's head is too large";
		default:
			return "the answer is not HTTP";
	}
}

/* Starts again with a new connection, if a kept one was closed before anything was sent. */
static bool
begin_anew(Transfer *transfer)
{
	CURLM *multi = transfer->transfers->curl.multi;

	if (!transfer->stale)
		return false;
	transfer->stale = false;
	curl_multi_remove_handle(multi, transfer->easy);
	return curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
		   curl_multi_add_handle(multi, transfer->easy) == CURLM_OK;
}

/*
 * curl does not say whether it keeps the connection.  If it closes it, the socket is
 * removed then.
 */
static void
note_kept(Transfer *transfer)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd != CURL_SOCKET_BAD)
		kept_add(&transfer->transfers->kept, fd);
}

static void
read_answer(const Transfer *transfer, TransferResult *result)
{
	long status = 0;
	curl_off_t wait = 0;
	char *redirect = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &wait);
	curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &redirect);
	wait = wait < TRANSFER_RETRY_AFTER_MAX_S ? wait : TRANSFER_RETRY_AFTER_MAX_S;
	result->status = (int) status;
	result->retry_after_s = wait > 0 ? (int) wait : 0;
	result->redirect = redirect;
}

/*
 * After a complete head the answer is known; errors in the body matter only if somebody takes
 * it.
 */
static void
end_transfer(Transfer *transfer, CURLcode code)
{
	TransferResult result = {.hopeless = is_hopeless(transfer, code)};

	note_kept(transfer);
	TAILQ_REMOVE(&transfer->transfers->list, transfer, link);
	curl_multi_remove_handle(transfer->transfers->curl.multi, transfer->easy);
	if (!transfer->head_complete)
		result.problem = problem_of(transfer, code);
	else if (is_taken(transfer) && code != CURLE_OK)
		result.problem = body_problem(transfer, code);
	else
		read_answer(transfer, &result);
	transfer->done(transfer->arg, &result);
	free_transfer(transfer);
}

static void
on_ended(void *arg, CURLcode code)
{
	Transfer *transfer = arg;

	if (!begin_anew(transfer))
		end_transfer(transfer, code);
}

/* ---- all transfers ---- */

Transfers *
transfers_open(struct event_base *base, const EgressRules *rules, const char *ca_file,
			   const char *agent)
{
	static const CurlLoopEvents events = {.ended = on_ended};
	Transfers *transfers = calloc(1, sizeof(*transfers));

	if (transfers == NULL)
		return NULL;
	*transfers = (Transfers){.rules = rules, .ca_file = ca_file, .agent = agent};
	TAILQ_INIT(&transfers->list);
	if (curl_loop_open(&transfers->curl, base, TRANSFER_KEPT_MAX, &events, transfers))
		return transfers;
	free(transfers);
	return NULL;
}

void
transfers_close(Transfers *transfers)
{
	Transfer *transfer;

	if (transfers == NULL)
		return;
	while ((transfer = TAILQ_FIRST(&transfers->list)) != NULL)
		transfer_abandon(transfer);
	curl_loop_close(&transfers->curl);
	free(transfers);
}

/* ---- one transfer ---- */

static bool
append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

/* "Expect:" without a value removes the header that curl would add for a large body. */
static bool
set_headers(Transfer *transfer, const TransferRequest *request)
{
	const char *const *headers = request->headers;
	bool ok =
		append(&transfer->headers, "Expect:") &&
		(request->body == NULL || append(&transfer->headers, "Content-Type: application/json"));

	for (int i = 0; ok && i < TRANSFER_HEADERS_MAX && headers[i] != NULL; i++)
		ok = append(&transfer->headers, headers[i]);
	return ok;
}

static void
make_name(const TransferRequest *request, char name[NAME_LENGTH + 1])
{
	unsigned char both[NEGATIVE_CACHE_ASKER_SIZE + EGRESS_HOST_MAX];
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t host_len = strlen(request->target->host);

	memcpy(both, request->asker, NEGATIVE_CACHE_ASKER_SIZE);
	memcpy(both + NEGATIVE_CACHE_ASKER_SIZE, request->target->host, host_len);
	SHA256(both, NEGATIVE_CACHE_ASKER_SIZE + host_len, digest);
	for (size_t i = 0; i < NAME_LENGTH / 2; i++)
		snprintf(name + 2 * i, 3, "%02x", digest[i]);
}

/* "name:port:address,[address]", which curl uses for this transfer; "+" lets the entry expire. */
static bool
add_addresses(Transfer *transfer, const TransferRequest *request, const char *name)
{
	bool is_address = request->target->kind == EGRESS_ADDRESS;
	const struct sockaddr_storage *addresses =
		is_address ? &request->target->address : request->addresses;
	int count = is_address ? 1 : request->address_count;
	char text[INET6_ADDRSTRLEN];
	Buffer entry;
	bool ok;

	buffer_init(&entry, RESOLVE_MAX);
	buffer_printf(&entry, "+%s:%d:", name, request->target->port);
	for (int i = 0; i < count; i++)
	{
		bool v6 = addresses[i].ss_family == AF_INET6;
		const void *bytes =
			v6 ? (const void *) &((const struct sockaddr_in6 *) (const void *) &addresses[i])
					 ->sin6_addr
			   : (const void *) &((const struct sockaddr_in *) (const void *) &addresses[i])
					 ->sin_addr;

		if (inet_ntop(addresses[i].ss_family, bytes, text, sizeof(text)) != NULL)
			buffer_printf(&entry, v6 ? "%s[%s]" : "%s%s", i > 0 ? "," : "", text);
	}
	ok = !entry.failed && append(&transfer->addresses, entry.data);
	buffer_free(&entry);
	return ok;
}

/* "::name:" connects to the name instead, whatever the URL's host; the port stays. */
static bool
set_destination(Transfer *transfer, const TransferRequest *request)
{
	char name[NAME_LENGTH + 1];
	char connect_to[NAME_LENGTH + 4];

	make_name(request, name);
	snprintf(connect_to, sizeof(connect_to), "::%s:", name);
	return append(&transfer->connect_to, connect_to) && add_addresses(transfer, request, name);
}

static bool
set_guards(CURL *easy, const Transfer *transfer)
{
	return curl_loop_guard(easy) &&
		   curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_socket_closed) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->transfers) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
		   (transfer->transfers->ca_file == NULL ||
			curl_easy_setopt(easy, CURLOPT_CAINFO, transfer->transfers->ca_file) == CURLE_OK);
}

static bool
set_method(CURL *easy, const TransferRequest *request)
{
	if (request->body == NULL)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
			   curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) request->take_max) ==
				   CURLE_OK;
	return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len) ==
			   CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
}

static bool
set_request(CURL *easy, const Transfer *transfer, const TransferRequest *request)
{
	long connect_ms =
		request->timeout_ms < TRANSFER_CONNECT_MS ? request->timeout_ms : TRANSFER_CONNECT_MS;

	return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
		   set_method(easy, request) &&
		   curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_USERAGENT, transfer->transfers->agent) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->addresses) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) request->timeout_ms) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long) TRANSFER_KEPT_SECONDS) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
}

Transfer *
transfer_start(Transfers *transfers, const TransferRequest *request, TransferDone done, void *arg)
{
	Transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
		return NULL;
	*transfer = (Transfer){.transfers = transfers,
						   .done = done,
						   .take = request->take,
						   .take_max = request->take_max,
						   .arg = arg};
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL || !set_headers(transfer, request) ||
		!set_destination(transfer, request) || !set_guards(transfer->easy, transfer) ||
		!set_request(transfer->easy, transfer, request) ||
		curl_multi_add_handle(transfers->curl.multi, transfer->easy) != CURLM_OK)
	{
		free_transfer(transfer);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&transfers->list, transfer, link);
	return transfer;
}

void
transfer_resume(Transfer *transfer)
{
	transfer->full = false;
	curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

void
transfer_abandon(Transfer *transfer)
{
	TAILQ_REMOVE(&transfer->transfers->list, transfer, link);
	curl_multi_remove_handle(transfer->transfers->curl.multi, transfer->easy);
	free_transfer(transfer);
}
