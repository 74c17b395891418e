-- The organization of a credential, null if it is not valid: whose turn a request takes whose
-- credential the gateway does not know.
SELECT wa.credential_org($1::wa.secret) AS org
