-- $1 owner, $2 webhook, $3 deliveries at most, $4 the delivery after which to look for new ones,
-- or null.  No row: the webhook is not held, gone or switched off.  The first row has its URL and
-- header fields, and no delivery if none is due.  Signed at signed_ms, in milliseconds since 1970;
-- without an envelope, when the event is gone, there are no signatures either.
SELECT t.id, t.event_id, t.session_id, t.envelope, t.signed_ms, t.hmac, t.signature, t.is_new,
	CASE WHEN t.nth > 1 THEN NULL ELSE l.url END AS url,
	CASE WHEN t.nth > 1 THEN NULL ELSE l.custom_headers END AS custom_headers
FROM wa.lane_target($1::text, $2::uuid) AS l
LEFT JOIN LATERAL wa.take_deliveries($1::text, $2::uuid, $3::int4, $4::uuid) WITH ORDINALITY
	AS t (id, event_id, session_id, envelope, signed_ms, hmac, signature, is_new, nth) ON true
ORDER BY t.nth
