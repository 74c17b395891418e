-- $1 id of the last event that was seen, or null for now.  Raises WA001 if it is not kept.
SELECT p.epoch, p.xid, p.id
FROM wa.event_position($1::uuid) AS p
