-- $1 generation that was seen, 0 for none, $2 milliseconds
SELECT w.generation, w.changed
FROM wa.wait_for_events($1::int8, $2::int4) AS w
