-- Checks that the database works on the new server and continues after the data of the old
-- one.  To be run by a superuser.  The first failed check raises an error.
\set ON_ERROR_STOP on

DO $$
DECLARE
	flaws constant text := (SELECT string_agg(name || ': ' || detail, E'\n') FROM wa.self_check() WHERE NOT passed);
BEGIN
	ASSERT flaws IS NULL, flaws;
	ASSERT (SELECT count(*) FROM wa.self_check()) > 10, 'the self check looks at something';
END $$;

-- Events: a reader who has read up to the last one gets only the new ones.  A reader who
-- starts at the beginning gets all in the old order.  The new events are in an epoch of the
-- new server.
DO $$
DECLARE
	org constant uuid := (SELECT id FROM wa.org WHERE name = 'Ours');
	told constant uuid[] := (SELECT array_agg(id ORDER BY epoch, ordinal, id) FROM wa.event WHERE org_id = org);
	last_epoch constant integer := (SELECT max(epoch) FROM wa.event_epoch);
	changed constant uuid := (SELECT id FROM wa.message WHERE org_id = org ORDER BY id LIMIT 1);
	fresh uuid[];
BEGIN
	ASSERT cardinality(told) > 20, 'there were events';
	UPDATE wa.message SET body = 'edited by the new server' WHERE org_id = org AND id = changed;
	COMMIT;
	UPDATE wa.message SET body = 'edited once more' WHERE org_id = org AND id = changed;
	COMMIT;
	fresh := (SELECT array_agg(id ORDER BY epoch, ordinal, id) FROM wa.event WHERE org_id = org AND NOT id = ANY (told));
	ASSERT cardinality(fresh) = 2, 'both changes were written';
	ASSERT (SELECT bool_and(epoch > last_epoch) FROM wa.event WHERE id = ANY (fresh)), 'in an epoch of their own';
	PERFORM wa.authenticate(secret::wa.secret, 'events') FROM public.known WHERE name = 'all of ours';
	ASSERT (SELECT array_agg(id) FROM wa.read_events(told[cardinality(told)], max => 100)) = fresh, 'behind the last one';
	ASSERT (SELECT array_agg(id) FROM wa.read_events(max => 100)) = told || fresh, 'from the front';
END $$;

-- Deliveries: a worker gets all that wait, signed and in the order of the events, and
-- reports them.
DO $$
DECLARE
	org constant uuid := (SELECT id FROM wa.org WHERE name = 'Ours');
	webhook constant uuid := (SELECT id FROM wa.webhook WHERE org_id = org);
	waiting constant uuid[] := (SELECT array_agg(event_id ORDER BY epoch, ordinal, event_id) FROM wa.delivery WHERE status = 'pending');
	taken uuid[];
BEGIN
	ASSERT (SELECT array_agg(status ORDER BY status) FROM wa.delivery WHERE attempts > 0) = '{delivered,failed}', 'two were tried before';
	ASSERT cardinality(waiting) > 20, 'the others wait';
	ASSERT (SELECT array_agg(webhook_id) FROM wa.claim_webhooks('worker of now', 10, '1 minute')) = ARRAY[webhook], 'the lane is free';
	COMMIT;
	PERFORM wa.act_for(org);
	CREATE TEMPORARY TABLE attempt ON COMMIT PRESERVE ROWS AS
	SELECT * FROM wa.take_deliveries('worker of now', webhook, 100) WITH ORDINALITY;
	taken := (SELECT array_agg(event_id ORDER BY ordinality) FROM attempt WHERE event_id = ANY (waiting));
	ASSERT taken = waiting, 'in the order of the events';
	ASSERT (SELECT bool_and(signature ~ '^v1,' AND envelope ~ '^{"schema":"v1"') FROM attempt), 'signed';
	PERFORM wa.finish_deliveries('worker of now', webhook, jsonb_agg(jsonb_build_object('delivery', id, 'status_code', 200, 'succeeded', true)), false)
	FROM attempt;
	ASSERT NOT EXISTS (SELECT FROM wa.delivery WHERE event_id = ANY (waiting) AND status <> 'delivered'), 'reported';
END $$;

-- Keys can be made and revoked; the audit log of that cannot be changed.
DO $$
DECLARE
	org constant uuid := (SELECT id FROM wa.org WHERE name = 'Ours');
	made record;
BEGIN
	SELECT * INTO made FROM wa.create_key(org, 'made by the new server', '{read}');
	COMMIT;
	PERFORM wa.authenticate(made.secret::wa.secret);
	ASSERT wa.current_org() = org, 'a new key is accepted';
	COMMIT;
	PERFORM wa.revoke_key(made.id);
	COMMIT;
	BEGIN
		PERFORM wa.authenticate(made.secret::wa.secret);
		RAISE assert_failure USING MESSAGE = 'a revoked key is accepted';
	EXCEPTION WHEN invalid_authorization_specification THEN
		NULL;
	END;
	BEGIN
		DELETE FROM wa.audit;
		RAISE assert_failure USING MESSAGE = 'the log can be changed';
	EXCEPTION WHEN insufficient_privilege THEN
		NULL;
	END;
END $$;

-- A partition that is added later is closed, as on the old server.
CREATE TABLE public.entry_3 PARTITION OF public.entry FOR VALUES FROM (20) TO (30);
DO $$
BEGIN
	ASSERT (SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = 'public.entry_3'::regclass), 'a new partition is closed';
	ASSERT (SELECT count(*) FROM wa.labelled_tables() WHERE id = ANY ('{public.invoice,public.entry,public.entry_1}'::regclass[])) = 3, 'labels';
END $$;
