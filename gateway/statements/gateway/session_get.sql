SELECT s.id, s.org_id AS organization_id, s.label, s.status, s.status_reason, s.connector, s.phone_number, s.wa_jid, s.auto_read,
	s.presence_typing, s.rate_per_min, s.rate_per_hour, s.created_at, s.updated_at,
	s.last_connected_at
FROM wa.session AS s
WHERE s.id = $1::uuid
