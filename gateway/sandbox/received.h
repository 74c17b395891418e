/*
 * received.h
 *		Where the files are that the invented telephones send: a source of connector/fetches.h.
 *
 * The invented WhatsApp keeps no files.  A reference leads to a file of the sandbox's own, or to
 * one in the store that was sent and is sent back (files.h).  It is read in parts, as the store
 * takes them.
 */
#ifndef SANDBOX_RECEIVED_H
#define SANDBOX_RECEIVED_H

#include "connector/fetches.h"
#include "sandbox/sandbox.h"

/* The context is the Sandbox. */
extern const FetchSource sandbox_received;

#endif
