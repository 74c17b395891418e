-- $1 task, $2 rows at most
SELECT wa.housekeep($1::text, $2::int4)
