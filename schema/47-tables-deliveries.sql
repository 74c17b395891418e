-- Deliveries: events on their way to webhooks.
--
-- A delivery is made in the transaction that writes its event.  All deliveries
-- of one webhook are a lane, which one worker at a time holds under a lease, so
-- that how much is sent to a receiver at once, and in which order, is that
-- worker's to say.  Deliveries refer to webhook and event by no foreign key: a
-- webhook that is deleted must not wait until a million of them are gone, and
-- a lock on the webhook for each event would be written to disk each time.  Nor do
-- lanes: a worker takes those of all organizations at once, and must not wait for
-- one that is just deleting its webhook.  Housekeeping removes lanes without one.

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

CREATE TABLE wa.delivery (
	org_id uuid NOT NULL,
	webhook_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	event_id uuid NOT NULL,
	epoch integer NOT NULL,
	ordinal bigint NOT NULL,
	type text NOT NULL,
	session_id uuid,
	status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'dead')),
	attempts integer NOT NULL DEFAULT 0,
	next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
	turn integer,
	status_code integer,
	error text,
	envelope text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (org_id, webhook_id, id)
);
-- What was never tried, which also says where there is work; and what was tried, of which
-- much may wait for long.
CREATE INDEX delivery_new ON wa.delivery (org_id, webhook_id, epoch, ordinal, event_id)
	WHERE status <> 'delivered' AND next_attempt_at = '-infinity';
CREATE INDEX delivery_tried ON wa.delivery (org_id, webhook_id, next_attempt_at, epoch, ordinal, event_id)
	WHERE status <> 'delivered' AND next_attempt_at > '-infinity';
-- For events that expire before they are delivered.
CREATE INDEX delivery_of_event ON wa.delivery (org_id, event_id) WHERE status <> 'delivered' AND envelope IS NULL;
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
COMMENT ON COLUMN wa.delivery.envelope IS 'what is sent, where no event holds it: of a test, or of an event that has expired';
COMMENT ON COLUMN wa.delivery.created_at IS 'when it was made';
COMMENT ON COLUMN wa.delivery.updated_at IS 'when anything of it last changed';

-- What pg_dump has to carry.  Leases and failures are not in it.
SELECT pg_catalog.pg_extension_config_dump('wa.delivery', '');
