-- $1 webhook, $2 delivery
SELECT d.id, d.event_id, d.type, d.status, d.attempts, d.created_at, d.updated_at
FROM wa.replay_delivery($1::uuid, $2::uuid) AS d
