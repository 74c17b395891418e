-- $1 id of the last invitation of the page before or null, $2 rows
SELECT i.id, i.email, i.role, i.created_at, i.created_by, i.created_by_name, i.expires_at
FROM wa.list_invitations($1::uuid, $2::int4) AS i
