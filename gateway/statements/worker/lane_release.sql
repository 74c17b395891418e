-- $1 owner, $2 webhook
SELECT wa.release_lane($1::text, $2::uuid)
