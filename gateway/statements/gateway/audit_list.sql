-- $1 action, $2 actor, $3 subject, $4 from, $5 to, $6 id of the last row of the page before; each or null; $7 rows
SELECT a.id, a.at, a.actor, a.actor_name, a.action, a.subject, a.subject_name, a.detail, a.sequence
FROM wa.list_audit($6::uuid, $7::int4, $1::text, $2::text, $3::text, $4::timestamptz, $5::timestamptz) AS a
