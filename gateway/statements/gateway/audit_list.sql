-- $1 id of the last row of the page before or null, $2 rows
SELECT a.id, a.at, a.actor, a.actor_name, a.action, a.subject, a.subject_name, a.detail
FROM wa.list_audit($1::uuid, $2::int4) AS a
