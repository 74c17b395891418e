-- $1 owner, $2 webhooks at most, $3 milliseconds of the lease.  The bucket is the bit of
-- event_wait that tells of the organization.
SELECT c.org_id, c.webhook_id, wa.event_bucket(c.org_id)
FROM wa.claim_webhooks($1::text, $2::int4, $3::int4 * interval '1 millisecond') AS c
