/*
 * share.c
 *		How many requests of one client may be in the costly lane at a time.
 */
#include "api/share.h"

#include <event2/util.h>

/* All clients whose address cannot be read count as one client. */
static HttpPeerKey
client_key(const HttpRequest *request)
{
	char room[HTTP_CLIENT_MAX];
	HttpText client = http_request_client(request, room);
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	int len = sizeof(address);

	evutil_parse_sockaddr_port(client.data, (struct sockaddr *) &address, &len);
	return http_peers_key((const struct sockaddr *) &address);
}

bool
share_take(HttpPeers *clients, const HttpRequest *request, Share *share)
{
	share->key = client_key(request);
	share->taken = http_peers_add(clients, share->key, SHARE_MAX);
	return share->taken;
}

void
share_give_back(HttpPeers *clients, Share *share)
{
	if (share->taken)
		http_peers_remove(clients, share->key);
	share->taken = false;
}
