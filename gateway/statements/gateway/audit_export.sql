-- $1 the last sequence of the part before, or null
SELECT e.organization_id, e.sequence, e.id, e.at, e.actor, e.actor_name, e.action, e.subject, e.detail, e.hash
FROM wa.export_audit(CASE WHEN $1::int4 IS NULL THEN 0 ELSE $1::int4 END, 1000) AS e
