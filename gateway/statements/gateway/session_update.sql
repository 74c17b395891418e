-- $1 session, $2 label, $3 auto read, $4 presence typing, $5 and $6 messages a minute and an
-- hour; null = as it is
SELECT s.id, s.org_id AS organization_id, s.label, s.status, s.status_reason, s.connector, s.phone_number, s.wa_jid, s.auto_read,
	s.presence_typing, s.rate_per_min, s.rate_per_hour, s.created_at, s.updated_at,
	s.last_connected_at
FROM wa.update_session($1::uuid, $2::text, $3::bool, $4::bool, $5::int4, $6::int4) AS s
