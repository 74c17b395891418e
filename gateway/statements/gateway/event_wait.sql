-- $1 name of this gateway, $2 milliseconds, $3 to $10 credentials of sockets, or nulls.
-- The first row has no organization: whether what was handed over earlier is still watched.
SELECT w.org_id, w.watched
FROM wa.wait_for_events($1::uuid, ARRAY[$3::wa.secret, $4::wa.secret, $5::wa.secret, $6::wa.secret,
	$7::wa.secret, $8::wa.secret, $9::wa.secret, $10::wa.secret], $2::int4) AS w
