-- Deliveries: events that are sent to webhooks.
--
-- A delivery is created in the transaction that writes its event.  All deliveries of one
-- webhook form a lane.  One worker at a time holds the lane under a lease, so that this
-- worker alone decides how much is sent to a receiver at once, and in which order.
-- Deliveries have no foreign keys to webhook and event: deleting a webhook must not wait
-- until a million deliveries are gone, and each event would lock the webhook's row and write
-- that lock to disk.  Lanes have no foreign key either: a worker takes lanes of all
-- organizations at once and must not wait for one that is deleting its webhook.  Housekeeping
-- removes lanes whose webhook is gone.

CREATE TABLE wa.webhook_lane (
	org_id uuid NOT NULL,
	webhook_id uuid NOT NULL,
	lease_owner text,
	lease_until timestamptz,
	turn integer NOT NULL DEFAULT 0,
	due_at timestamptz,
	failures integer NOT NULL DEFAULT 0,
	failing_since timestamptz,
	PRIMARY KEY (org_id, webhook_id)
);
COMMENT ON TABLE wa.webhook_lane IS 'who delivers to a webhook now, and how that goes. Part of no dump';
COMMENT ON COLUMN wa.webhook_lane.org_id IS 'the organization of the webhook';
COMMENT ON COLUMN wa.webhook_lane.webhook_id IS 'the webhook, which may be gone by now';
COMMENT ON COLUMN wa.webhook_lane.lease_owner IS 'the worker process that holds the lane';
COMMENT ON COLUMN wa.webhook_lane.lease_until IS 'until when, unless that process renews it';
COMMENT ON COLUMN wa.webhook_lane.turn IS 'counts the claims, so that what an earlier holder had taken can be told from what this one has';
COMMENT ON COLUMN wa.webhook_lane.due_at IS
	'when something that was tried before may be tried again; -infinity: now, until the lane is given back; NULL: nothing of that kind is known. What was never tried needs no note';
COMMENT ON COLUMN wa.webhook_lane.failures IS 'attempts that failed since one last succeeded';
COMMENT ON COLUMN wa.webhook_lane.failing_since IS 'when the first of them failed';

-- In C (src/message_state.c), as the constraint of messages.
CREATE FUNCTION wa.is_delivery_status(status text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_is_delivery_status';
COMMENT ON FUNCTION wa.is_delivery_status(text) IS 'whether a delivery can be in this state: pending, delivered, failed or dead';

CREATE TABLE wa.delivery (
	org_id uuid NOT NULL,
	webhook_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	event_id uuid NOT NULL,
	epoch integer NOT NULL,
	ordinal bigint NOT NULL,
	type text NOT NULL,
	session_id uuid,
	status text NOT NULL DEFAULT 'pending' CHECK (wa.is_delivery_status(status)),
	attempts integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
	turn integer,
	status_code integer,
	error text,
	earlier jsonb,
	envelope text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (org_id, webhook_id, id)
);
-- Deliveries that were never tried, which also show where there is work; and deliveries that
-- were tried, many of which may wait for a long time.
CREATE INDEX delivery_new ON wa.delivery (org_id, webhook_id, epoch, ordinal, event_id)
	WHERE status <> 'delivered' AND next_attempt_at = '-infinity';
CREATE INDEX delivery_tried ON wa.delivery (org_id, webhook_id, next_attempt_at, epoch, ordinal, event_id)
	WHERE status <> 'delivered' AND next_attempt_at > '-infinity';
-- For events that expire before they are delivered.
CREATE INDEX delivery_of_event ON wa.delivery (org_id, event_id) WHERE status <> 'delivered' AND envelope IS NULL;
-- For the limit on tests that are on their way.
CREATE INDEX delivery_test ON wa.delivery (org_id) WHERE type = 'webhook.test' AND status IN ('pending', 'failed');
-- As with events: what expires makes room for what comes.
ALTER TABLE wa.delivery SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
COMMENT ON TABLE wa.delivery IS 'events on their way to a webhook, and what became of them';
COMMENT ON COLUMN wa.delivery.org_id IS 'the organization of the webhook';
COMMENT ON COLUMN wa.delivery.webhook_id IS 'the webhook, which may be gone by now';
COMMENT ON COLUMN wa.delivery.id IS 'UUIDv7; dlv_… outside';
COMMENT ON COLUMN wa.delivery.event_id IS 'the event';
COMMENT ON COLUMN wa.delivery.epoch IS 'the event''s position, with the two that follow';
COMMENT ON COLUMN wa.delivery.ordinal IS 'of the transaction that wrote the event';
COMMENT ON COLUMN wa.delivery.type IS 'the event''s type';
COMMENT ON COLUMN wa.delivery.session_id IS 'the session that the event is about; NULL: none';
COMMENT ON COLUMN wa.delivery.status IS 'pending; delivered; failed: to be tried again; dead: given up';
COMMENT ON COLUMN wa.delivery.attempts IS 'how often it was tried';
COMMENT ON COLUMN wa.delivery.next_attempt_at IS 'not before then; -infinity: as soon as may be, infinity: never';
COMMENT ON COLUMN wa.delivery.turn IS 'the lane''s turn in which it was last taken';
COMMENT ON COLUMN wa.delivery.status_code IS 'what the receiver last answered, if it did';
COMMENT ON COLUMN wa.delivery.error IS 'why the last attempt failed, in our words; nothing that the receiver wrote';
COMMENT ON COLUMN wa.delivery.earlier IS
	'attempts that failed, and one that succeeded before the delivery was started again, the oldest first, 50 at most: `{at, statusCode, error}`; NULL: none';
COMMENT ON COLUMN wa.delivery.envelope IS 'what is sent, where no event holds it: of a test, or of an event that has expired';
COMMENT ON COLUMN wa.delivery.created_at IS 'when it was made';
COMMENT ON COLUMN wa.delivery.updated_at IS 'when anything of it last changed';

-- Tables whose rows pg_dump includes.  Leases and failures are not among them.
SELECT pg_catalog.pg_extension_config_dump('wa.delivery', '');
