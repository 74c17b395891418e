-- $1 scope, $2 session, $3 types, $4 id of the last event that was seen; null = not given
SELECT t.ticket, 30 AS expires_in_seconds, '/api/v1/realtime?ticket=' || t.ticket AS url
FROM wa.create_ticket($1::text, $2::uuid, $3::text[], $4::uuid) AS t
