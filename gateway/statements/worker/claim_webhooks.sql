-- $1 owner, $2 webhooks at most, $3 milliseconds of the lease
SELECT c.org_id, c.webhook_id
FROM wa.claim_webhooks($1::text, $2::int4, $3::int4 * interval '1 millisecond') AS c
