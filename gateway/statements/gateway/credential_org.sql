-- The organization of a credential that the gateway does not know yet, for its queue, in which
-- each has its turn; null if the credential is not valid.  The request follows in that turn.
SELECT wa.credential_org($1::wa.secret) AS org
