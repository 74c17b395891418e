-- $1 owner, $2 generation that was seen, 0 for none, $3 milliseconds.  The first row has no
-- organization; the others are those of lanes that the owner holds.
SELECT w.generation, w.org_id
FROM wa.wait_for_deliveries($1::text, $2::int8, $3::int4) AS w
