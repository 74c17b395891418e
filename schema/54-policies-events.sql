-- Row security of events and deliveries, as schema/52-policies.sql does it.
--
-- Nobody is granted anything on tickets and sockets, which are read through
-- functions.  An event is also written where no organization is bound (an
-- administrator revokes a key in psql, a connector's claim fails an action), and
-- housekeeping has none: there the functions name the organization themselves.
SELECT wa.protect('wa.event', 'org_id', 'events', 'events');
SELECT wa.protect('wa.webhook_lane', 'org_id', 'manage', 'manage');
SELECT wa.protect('wa.delivery', 'org_id', 'manage', 'manage');

-- Who reads auth.* events can take a session over: they ask what the credential
-- holds, while the transaction was authenticated for events only.
CREATE POLICY wa_read_auth ON wa.event AS RESTRICTIVE FOR SELECT TO wa_gateway, wa_app
	USING (type NOT LIKE 'auth.%' OR wa.holds_permission('manage'));

SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.event', 'wa.ticket', 'wa.realtime',
	'wa.webhook_lane', 'wa.delivery');

-- Which cluster wrote what is nobody's secret and nobody's business.
ALTER TABLE wa.event_epoch ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.event_epoch TO wa_owner USING (true);

-- wa.claim_webhooks() looks for work in every organization.
CREATE POLICY wa_claim_all ON wa.webhook FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.webhook_lane TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.delivery FOR SELECT TO wa_claim USING (true);
-- wa.delivery_stats() looks for events that are held up, in every organization.
CREATE POLICY wa_claim_all ON wa.event FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.org FOR SELECT TO wa_claim USING (true);

-- Who holds which lanes, when one is due again, and which of an organization are due now.
-- The first two do not lead with the organization: nobody but wa_claim may read the table.
-- (wa.protect() would refuse it with them.)
CREATE INDEX webhook_lane_held ON wa.webhook_lane (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX webhook_lane_until ON wa.webhook_lane (due_at) WHERE due_at > '-infinity';
CREATE INDEX webhook_lane_due ON wa.webhook_lane (org_id, lease_until NULLS FIRST, webhook_id) WHERE due_at = '-infinity';
