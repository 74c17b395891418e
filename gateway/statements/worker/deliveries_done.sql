-- $1 owner, $2 webhook, $3 results in the order in which the attempts ended: an array of objects
-- with delivery, status_code, problem, succeeded and retry_after, $4 whether to give the webhook
-- back.  Answers a row for each, in the same order: delivered, failed, dead, or null if it was not
-- the owner's to say.
SELECT s.status
FROM pg_catalog.unnest(wa.finish_deliveries($1::text, $2::uuid, $3::jsonb, $4::bool)) WITH ORDINALITY
	AS s (status, nth)
ORDER BY s.nth
