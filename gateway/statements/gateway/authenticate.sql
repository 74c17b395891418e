-- First statement of every request that carries a credential: binds the
-- credential's organization and permissions to this transaction, or raises.
-- $3 is the client's address or null: where the key was last used from.
-- $4 comes back as it was sent, and so shows whose answer this is.
SELECT wa.authenticate($1, $2, $3), $4::int8 AS request
