-- $1 owner, $2 webhook, $3 milliseconds of the lease
SELECT wa.renew_lane($1::text, $2::uuid, $3::int4 * interval '1 millisecond')
