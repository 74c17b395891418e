-- $1 label, $2 start, $3 auto read, $4 presence typing, $5 connector; null = the default
SELECT s.id, s.org_id AS organization_id, s.label, s.status, s.status_reason, s.connector, s.phone_number, s.wa_jid, s.auto_read,
	s.presence_typing, s.rate_per_min, s.rate_per_hour, s.created_at, s.updated_at,
	s.last_connected_at
FROM wa.create_session($1::text, $2::bool, $3::bool, $4::bool, $5::text) AS s
