-- First statement of every request that carries a credential: binds the
-- credential's organization and permissions to this transaction, or raises.
-- $3 is the client's address or null: where the key was last used from.
-- The organization is for the gateway's queue, in which each has its turn; the columns are
-- computed in their order.
-- $4 comes back as it was sent, and so shows whose answer this is.
SELECT wa.authenticate($1, $2, $3), wa.current_org() AS org, $4::int8 AS request
