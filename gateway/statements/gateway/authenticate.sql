-- First statement of every request that carries a credential: binds the
-- credential's organization and permissions to this transaction, or raises.
-- $3 is the client's address or null: the key may be restricted to others, and its last use has it.
-- $4 is the program that sent the request, as it says itself, or null: the last use has that, too.
-- The organization is for the gateway's queue, in which each has its turn; the columns are
-- computed in their order.
-- The next three are what is left of the key's rate: requests a minute, requests that could
-- follow at once, and seconds until all of its burst could; null if it has none.
-- $5 comes back as it was sent, and so shows whose answer this is.
SELECT wa.authenticate($1, $2, $3, $4), wa.current_org() AS org,
	wa.current_rate() AS rate, wa.current_rate_left() AS rate_left, wa.current_rate_full_in() AS rate_full_in,
	$5::int8 AS request
