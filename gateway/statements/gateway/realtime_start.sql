-- $1 id of the last event that was seen, or null for now.  Raises WA001 if it is not kept.
-- The key says which sockets may share what is read; null for a person.
SELECT p.epoch, p.xid, p.id, wa.current_key() AS key_id
FROM wa.event_position($1::uuid) AS p
