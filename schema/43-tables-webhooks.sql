-- Webhooks.

CREATE TABLE wa.webhook (
	org_id uuid NOT NULL REFERENCES wa.org,
	id uuid NOT NULL DEFAULT wa.uuid7(),
	session_id uuid,
	url text NOT NULL,
	events text[] NOT NULL DEFAULT '{*}',
	custom_headers jsonb,
	retry_policy text NOT NULL DEFAULT 'exponential' CHECK (retry_policy IN ('exponential', 'linear', 'constant')),
	retry_delay_seconds integer NOT NULL DEFAULT 2 CHECK (retry_delay_seconds BETWEEN 1 AND 3600),
	retry_attempts integer NOT NULL DEFAULT 15 CHECK (retry_attempts BETWEEN 1 AND 50),
	active boolean NOT NULL DEFAULT true,
	secret text NOT NULL,
	previous_secret text,
	previous_secret_until timestamptz,
	disabled_at timestamptz,
	disabled_reason text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (org_id, id),
	FOREIGN KEY (org_id, session_id) REFERENCES wa.session ON DELETE CASCADE
);
-- Without those of no session, so that nobody finds a webhook by its id in here: where the planner
-- knows of few webhooks it takes both indexes for equally good, and this one has all of an
-- organization in one place.
CREATE INDEX webhook_of_session ON wa.webhook (org_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX webhook_paused ON wa.webhook (org_id, id) WHERE disabled_at IS NOT NULL;
COMMENT ON TABLE wa.webhook IS 'where events are to be delivered to. Needs `manage`; nobody is granted the secret';
COMMENT ON COLUMN wa.webhook.org_id IS 'the organization whose events it gets';
COMMENT ON COLUMN wa.webhook.id IS 'UUIDv7; wh_… outside';
COMMENT ON COLUMN wa.webhook.session_id IS 'the one session whose events it gets; NULL: all of them';
COMMENT ON COLUMN wa.webhook.url IS 'the receiver';
COMMENT ON COLUMN wa.webhook.events IS 'event types; * stands for all';
COMMENT ON COLUMN wa.webhook.custom_headers IS 'header fields that the receiver wants, name to value';
COMMENT ON COLUMN wa.webhook.retry_policy IS 'how the pauses between attempts grow';
COMMENT ON COLUMN wa.webhook.retry_delay_seconds IS 'the first pause';
COMMENT ON COLUMN wa.webhook.retry_attempts IS 'attempts before a delivery is given up';
COMMENT ON COLUMN wa.webhook.active IS 'whether deliveries are made';
COMMENT ON COLUMN wa.webhook.secret IS 'what signatures are made with; granted to nobody';
COMMENT ON COLUMN wa.webhook.previous_secret IS
	'the secret before the last rotation, with which signatures are made as well for a while; granted to nobody';
COMMENT ON COLUMN wa.webhook.previous_secret_until IS 'until when';
COMMENT ON COLUMN wa.webhook.disabled_at IS 'when it was switched off because its receiver failed for too long, or said that it is gone; NULL: it was not';
COMMENT ON COLUMN wa.webhook.disabled_reason IS 'what the receiver did last';
COMMENT ON COLUMN wa.webhook.created_at IS 'when it was made';
COMMENT ON COLUMN wa.webhook.updated_at IS 'when it was last changed';
SELECT wa.put_durability('wa.webhook',
	'UPDATE OF session_id, url, events, custom_headers, active, secret, previous_secret, previous_secret_until, disabled_at OR DELETE',
	'makes what a receiver does not get any more survive a crash');

-- Tables whose rows pg_dump includes.
SELECT pg_catalog.pg_extension_config_dump('wa.webhook', '');
