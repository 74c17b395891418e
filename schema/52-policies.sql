-- Row security of our own tables.  Those that other roles than wa_owner read are protected by
-- the same function that others use for their tables.  Test keys may use them, because what
-- belongs to a session is restricted by 57-policies-sessions.sql.
SELECT wa.protect('wa.session', 'org_id', 'read', 'manage', test_keys => true);
SELECT wa.protect('wa.session_pairing', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.session_credentials', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.session_wanted', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.chat', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.contact', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.media', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.media_bytes', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.media_room', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.media_fetch', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.message', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.message_action', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.session_rate', 'org_id', 'read', 'send', test_keys => true);
SELECT wa.protect('wa.idempotency', 'org_id', 'send', 'send', test_keys => true);
SELECT wa.protect('wa.webhook', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.org_limits', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.key_policy', 'org_id', 'manage', 'manage', test_keys => true);
SELECT wa.protect('wa.key_warning', 'org_id', 'manage', 'manage', test_keys => true);

-- Function bodies run as wa_owner, to which row security applies because it is forced: they
-- see the rows that the restrictive policy allows.  The function has checked the permission.
CREATE FUNCTION wa.put_owner_policies(condition text, VARIADIC targets regclass[]) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	target regclass;
BEGIN
	FOREACH target IN ARRAY targets LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
		EXECUTE format('CREATE POLICY wa_owner_open ON %s TO wa_owner USING (true)', target);
		EXECUTE format('CREATE POLICY wa_owner_org ON %s AS RESTRICTIVE TO wa_owner USING (%s)', target, condition);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.put_owner_policies(text, regclass[]) IS
	'for install and update scripts: forces row security on tables and restricts their owner to the rows of a condition';

-- Only the bound organization.
SELECT wa.put_owner_policies('org_id = wa.require_org()', 'wa.session', 'wa.session_pairing', 'wa.chat', 'wa.contact',
	'wa.media', 'wa.media_bytes', 'wa.media_room', 'wa.media_fetch', 'wa.message', 'wa.message_action', 'wa.session_rate');

-- All organizations if none is bound, otherwise only the bound one.  Housekeeping, and
-- functions that write an event where no organization is bound, name the organization
-- themselves.  Organizations, keys and the audit log are managed by administrators, who have
-- no key.  People sign in before they act for an organization.  In a transaction that acts
-- for one, wa_owner sees only that organization's members, and the sign-in that it acts by.
SELECT wa.put_owner_policies('wa.current_org() IS NULL OR org_id = wa.current_org()', 'wa.idempotency', 'wa.session_wanted', 'wa.session_credentials', 'wa.webhook', 'wa.org_limits',
	'wa.key_policy', 'wa.key_warning', 'wa.api_key', 'wa.audit', 'wa.member', 'wa.user_token', 'wa.invitation');
SELECT wa.put_owner_policies('wa.current_org() IS NULL OR id = wa.current_org()', 'wa.org');
SELECT wa.put_owner_policies('wa.current_org() IS NULL OR (user_id = wa.current_user_id() AND id = wa.current_sign_in())', 'wa.sign_in');
SELECT wa.put_owner_policies('wa.current_org() IS NULL', 'wa.device');
SELECT wa.put_owner_policies('wa.current_org() IS NULL
		OR EXISTS (SELECT FROM wa.member m WHERE m.org_id = wa.current_org() AND m.user_id = app_user.id)', 'wa.app_user');

-- Administrators read the columns of these tables that they are granted.
CREATE POLICY wa_admin_read ON wa.org FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.org_limits FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.key_policy FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.api_key FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.audit FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.app_user FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.member FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.scanner_key FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.own_permission FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.connector_capability FOR SELECT TO wa_admin USING (true);
CREATE POLICY wa_admin_read ON wa.connector_key FOR SELECT TO wa_admin USING (true);

-- The claim functions look for work in every organization.
CREATE POLICY wa_claim_all ON wa.session TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.session_pairing FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.session_wanted FOR SELECT TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.session_credentials TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.media TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.media_bytes TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.media_room TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.media_fetch TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.message TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.message_action TO wa_claim USING (true);
