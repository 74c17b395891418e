-- $1 owner, $2 webhooks at most, $3 lease
SELECT c.org_id, c.webhook_id, c.lease_until
FROM wa.claim_webhooks($1::text, $2::int4, $3::interval) AS c
