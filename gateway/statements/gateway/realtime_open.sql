-- $1 types or null.  A socket that is opened by the credential itself; the same as
-- realtime_redeem, and whether the types are ones, which a ticket was asked when it was made.
SELECT o.socket, o.org_id, o.expires_at,
	COALESCE($1::text[] <@ (wa.event_types() || '{*}'::text[]), true) AS types_known
FROM wa.open_socket() AS o
