-- $1 owner, $2 webhook, $3 lease
SELECT wa.renew_lane($1::text, $2::uuid, $3::interval)
