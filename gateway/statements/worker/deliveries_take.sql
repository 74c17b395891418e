-- $1 owner, $2 webhook, $3 deliveries at most.  Signed at signed_ms, in milliseconds since 1970;
-- without an envelope, when the event is gone, there are no signatures either.
SELECT t.id, t.event_id, t.session_id, t.envelope, t.signed_ms, t.hmac, t.signature
FROM wa.take_deliveries($1::text, $2::uuid, $3::int4) AS t
