/*
 * share.h
 *		How many requests of one client may be in the costly lane at a time.
 *
 * The lane runs few requests at once, so a client that could fill it would block all
 * others.  A client is what http/peers.h counts as one: an address, or a whole /64.
 */
#ifndef API_SHARE_H
#define API_SHARE_H

#include "http/http.h"
#include "http/peers.h"

/* The number of requests of one client that wait for the lane or run in it. */
#define SHARE_MAX 2

/* A client's place in the costly lane; taken is false if it has none. */
typedef struct Share
{
	bool taken;
	HttpPeerKey key;
} Share;

/* Takes a place.  Returns false when the request's client has as many as it may have. */
extern bool share_take(HttpPeers *clients, const HttpRequest *request, Share *share);
extern void share_give_back(HttpPeers *clients, Share *share);

#endif
