-- $1 id of the last event that was seen, or null for now.  Raises WA001 if it is not kept.
-- The key says which sockets may share what is read; null for a person.  since is the event that
-- the place is behind, so that a client can come back to it; null if there is none.
SELECT p.epoch, p.ordinal, p.id, wa.current_key() AS key_id,
	CASE WHEN $1::uuid IS NULL THEN (
		SELECT e.id FROM wa.event AS e
		WHERE (e.epoch, e.ordinal, e.id) <= (p.epoch, p.ordinal, p.id)
		ORDER BY e.epoch DESC, e.ordinal DESC, e.id DESC
		LIMIT 1) ELSE $1::uuid END AS since
FROM wa.event_position($1::uuid) AS p
