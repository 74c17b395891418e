-- $1 epoch, $2 xid, $3 id: behind which place; $4 types or null, $5 session or null, $6 rows.
-- The last row has no envelope: it is the place to go on behind, and whether there is more.
SELECT b.event_id, b.envelope, b.event_epoch, b.event_xid, b.pending
FROM wa.read_event_batch($1::int4, $2::int8, $3::uuid, $4::text[], $5::uuid, $6::int4) AS b
