-- These policies hide a deleted session and everything that belongs to it from everybody but
-- wa_claim, whose functions remove it.  The list of an organization's deleted sessions is
-- nearly always empty.  It is read once in a query that finds any row.

SELECT wa.protect('wa.deleted_session', 'org_id', 'read', 'manage', test_keys => true);
SELECT wa.put_owner_policies('org_id = wa.require_org()', 'wa.deleted_session');
CREATE POLICY wa_claim_all ON wa.deleted_session TO wa_claim USING (true);

-- This one checks the row itself, so that a transaction that has waited for a lock on it sees
-- the deletion.
CREATE POLICY wa_not_deleted ON wa.session AS RESTRICTIVE TO wa_gateway, wa_app, wa_owner USING (deleted_at IS NULL);

-- What function bodies add is not compared with the list: they have locked the session
-- against deletion before (wa.find_session()).
DO $$
DECLARE
	hidden constant text := 'session_id <> ALL (ARRAY(SELECT d.id FROM wa.deleted_session d))';
	target text;
BEGIN
	FOREACH target IN ARRAY ARRAY['wa.chat', 'wa.contact', 'wa.media_fetch', 'wa.message', 'wa.message_action'] LOOP
		EXECUTE pg_catalog.format('CREATE POLICY wa_not_deleted ON %s AS RESTRICTIVE TO wa_gateway, wa_app USING (%s)', target, hidden);
		EXECUTE pg_catalog.format('CREATE POLICY wa_owner_not_deleted ON %s AS RESTRICTIVE TO wa_owner USING (%s) WITH CHECK (true)',
			target, hidden);
	END LOOP;
END $$;

-- wa_claim can delete only what is hidden, and files.
CREATE POLICY wa_claim_all ON wa.chat TO wa_claim USING (true);
CREATE POLICY wa_claim_all ON wa.contact TO wa_claim USING (true);
CREATE POLICY wa_claim_deleted ON wa.session AS RESTRICTIVE FOR DELETE TO wa_claim USING (deleted_at IS NOT NULL);
CREATE POLICY wa_claim_deleted ON wa.chat AS RESTRICTIVE FOR DELETE TO wa_claim
	USING (EXISTS (SELECT FROM wa.deleted_session d WHERE d.org_id = chat.org_id AND d.id = chat.session_id));
CREATE POLICY wa_claim_deleted ON wa.contact AS RESTRICTIVE FOR DELETE TO wa_claim
	USING (EXISTS (SELECT FROM wa.deleted_session d WHERE d.org_id = contact.org_id AND d.id = contact.session_id));
CREATE POLICY wa_claim_deleted ON wa.message AS RESTRICTIVE FOR DELETE TO wa_claim
	USING (EXISTS (SELECT FROM wa.deleted_session d WHERE d.org_id = message.org_id AND d.id = message.session_id));
CREATE POLICY wa_claim_deleted ON wa.message_action AS RESTRICTIVE FOR DELETE TO wa_claim
	USING (EXISTS (SELECT FROM wa.deleted_session d WHERE d.org_id = message_action.org_id AND d.id = message_action.session_id));
-- A file that no message carries is not hidden; wa.free_media() has looked.
CREATE POLICY wa_claim_deleted ON wa.media AS RESTRICTIVE FOR DELETE TO wa_claim
	USING (unused_at <= now() OR EXISTS (SELECT FROM wa.media_fetch f JOIN wa.deleted_session d ON d.org_id = f.org_id AND d.id = f.session_id
		WHERE f.org_id = media.org_id AND f.media_id = media.id));
