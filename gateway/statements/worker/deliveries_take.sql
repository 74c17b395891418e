-- $1 owner, $2 webhook, $3 deliveries at most
SELECT t.id, t.event_id, t.session_id, t.type, t.attempt, t.envelope
FROM wa.take_deliveries($1::text, $2::uuid, $3::int4) AS t
