-- First statement of every request that carries a credential: binds the
-- credential's organization and permissions to this transaction, or raises.
-- $3 is the client's address or null: where the key was last used from.
SELECT wa.authenticate($1, $2, $3)
