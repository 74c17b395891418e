-- Row security of events and deliveries, as in schema/52-policies.sql.
--
-- Nobody has a grant on tickets and sockets, which are read through functions.  An event is
-- also written where no organization is bound (an administrator revokes a key in psql, a
-- connector's claim fails an action), and housekeeping has no bound organization.  The
-- functions then name the organization themselves.
SELECT wa.protect('wa.event', 'org_id', 'events', 'events', test_keys => true);
SELECT wa.protect('wa.webhook_lane', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.delivery', 'org_id', 'manage', 'manage', test_keys => true);

-- A reader of auth.* events can take a session over.  So these events need a permission that
-- the credential has, even though the transaction was authenticated for events only.
CREATE POLICY wa_read_auth ON wa.event AS RESTRICTIVE FOR SELECT TO wa_gateway, wa_app
	USING (type NOT LIKE 'auth.%' OR wa.holds_permission('manage'));

SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.event', 'wa.ticket', 'wa.realtime',
	'wa.webhook_lane', 'wa.delivery');

-- Only wa_owner reads which cluster wrote what.
ALTER TABLE wa.event_epoch ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_owner_open ON wa.event_epoch TO wa_owner USING (true);

-- wa.claim_webhooks() looks for work in every organization.
CREATE POLICY wa_claim_all ON wa.webhook FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.webhook_lane TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.delivery FOR SELECT TO wa_claim USING (true);
-- wa.delivery_stats() looks for delayed events in every organization.
CREATE POLICY wa_claim_all ON wa.event FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.org FOR SELECT TO wa_claim USING (true);

-- Indexes for: which lanes an owner holds, when a lane is due again, and which lanes of an
-- organization are due now.  The first two do not begin with the organization, but only
-- wa_claim may read the table.  (wa.protect() would refuse the table with them.)
CREATE INDEX webhook_lane_held ON wa.webhook_lane (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX webhook_lane_until ON wa.webhook_lane (due_at) WHERE due_at > '-infinity';
CREATE INDEX webhook_lane_due ON wa.webhook_lane (org_id, lease_until NULLS FIRST, webhook_id) WHERE due_at = '-infinity';
