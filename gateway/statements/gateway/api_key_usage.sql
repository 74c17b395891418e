-- $1 key, $2 how many hours back or null
SELECT u.id, u.last_used_at, u.last_used_from, u.last_used_agent, u.usage AS hours
FROM wa.show_key_usage($1::uuid, COALESCE($2::int4, 720)) AS u
