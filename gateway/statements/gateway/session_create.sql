-- $1 label, $2 start, $3 auto read, $4 presence typing, $5 connector; null = the default.  $6 to
-- $10 credentials as in session_credentials_set.sql; null = none
SELECT s.id, s.org_id AS organization_id, s.label, s.status, s.status_reason, s.connector, s.phone_number, s.wa_jid, s.auto_read,
	s.presence_typing, s.rate_per_min, s.rate_per_hour, s.created_at, s.updated_at,
	s.last_connected_at
FROM wa.create_session($1::text, $2::bool, $3::bool, $4::bool, $5::text) AS s
	LEFT JOIN LATERAL wa.set_session_credentials(s.id, $6::text, $7::text, $8::text, $9::uuid, $10::bytea) AS c ON true
