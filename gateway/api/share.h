/*
 * share.h
 *		What one client may have in the costly lane at a time.
 *
 * The lane is narrow on purpose, so that whoever could fill it would keep everybody out.
 * A client is what http/peers.h counts as one: an address, or a whole /64.
 */
#ifndef API_SHARE_H
#define API_SHARE_H

#include "http/http.h"
#include "http/peers.h"

/* Requests of one client that wait for the lane or are in it. */
#define SHARE_MAX 2

/* Who has one; taken is false for whoever has none. */
typedef struct Share
{
	bool taken;
	HttpPeerKey key;
} Share;

/* False: the client of the request has all that it may have. */
extern bool share_take(HttpPeers *clients, const HttpRequest *request, Share *share);
extern void share_give_back(HttpPeers *clients, Share *share);

#endif
