/*-------------------------------------------------------------------------
 *
 * transaction_timeout.h
 *		No sealed session holds a transaction open.
 *
 *-------------------------------------------------------------------------
 */
#ifndef WA_TRANSACTION_TIMEOUT_H
#define WA_TRANSACTION_TIMEOUT_H

/* Define the setting and the callbacks; called once, at load by preload. */
extern void wa_transaction_timeout_init(void);

/* This session's login is sealed; called once, when the client authenticates. */
extern void wa_transaction_timeout_begin(void);

/* Make sure that the clock of a sealed session runs.  Costs nothing when it does. */
extern void wa_transaction_timeout_arm(void);

#endif /* WA_TRANSACTION_TIMEOUT_H */
