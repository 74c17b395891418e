SELECT d.id, d.event_id, d.type, d.status, d.attempts, d.created_at, d.updated_at
FROM wa.test_webhook($1::uuid) AS d
