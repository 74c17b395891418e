-- $1 owner, $2 webhook.  No row: not held, gone or switched off.
SELECT t.url, t.custom_headers
FROM wa.lane_target($1::text, $2::uuid) AS t
