-- $1 id of the last person of the page before or null, $2 rows
SELECT m.user_id, m.email, m.name, m.role, m.created_at, m.disabled
FROM wa.list_members($1::uuid, $2::int4) AS m
