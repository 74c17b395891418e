-- First statement of every request that carries a credential: binds the
-- credential's organization and permissions to this transaction, or raises.
SELECT wa.authenticate($1, $2)
