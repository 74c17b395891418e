-- $1 types or null.  A socket that is opened by the credential itself; the same as
-- realtime_redeem, and what is wrong with the types, which a ticket was asked when it was made.
SELECT o.socket, o.org_id, o.expires_at, o.sockets_max,
	wa.event_types_problem($1::text[]) AS types_problem
FROM wa.open_socket() AS o
