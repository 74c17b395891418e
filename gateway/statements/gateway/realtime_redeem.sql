-- $1 ticket.  Runs without a credential; the answer's socket is what the gateway
-- authenticates with from then on.
SELECT r.socket, r.org_id, r.expires_at, r.sockets_max, r.session_id, r.types, r.since
FROM wa.redeem_ticket($1::wa.secret) AS r
