-- Deliveries: the operations of a key with manage, and the functions that the worker calls.
--
-- The worker claims webhooks, a lane each, under a lease.  It takes what is due in a lane,
-- oldest first, and reports the results.  When to try again and when to give up is decided
-- here.  If a worker dies, the next one gets its lanes and takes again what had not been
-- reported, so that every event is delivered at least once.  A delivery that was taken and
-- not reported does not count as an attempt, because nobody knows whether there was one.

-- ---- For callers ----

CREATE FUNCTION wa.find_webhook(webhook uuid) RETURNS wa.webhook
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
AS $$
DECLARE
	found_webhook wa.webhook;
BEGIN
	SELECT w.* INTO found_webhook FROM wa.webhook w WHERE w.org_id = wa.require_org() AND w.id = webhook;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'webhook does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_webhook;
END $$;
COMMENT ON FUNCTION wa.find_webhook(uuid) IS
	'for function bodies: a webhook of the bound organization; raises P0002 if there is none';

-- A test is a delivery without an event.  Only this webhook gets it.
CREATE FUNCTION wa.test_webhook(webhook uuid) RETURNS wa.delivery
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('manage');
	target constant wa.webhook := wa.find_webhook(webhook);
	event constant uuid := wa.uuid7();
	place record;
	made wa.delivery;
BEGIN
	IF NOT target.active THEN
		RAISE EXCEPTION 'webhook is not active' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM wa.refuse_more_tests(org);
	place := wa.next_event_position(org);
	IF NOT place.noted THEN
		PERFORM wa.note_epoch(place.epoch, place.ordinal);
	END IF;
	INSERT INTO wa.delivery (org_id, webhook_id, event_id, epoch, ordinal, type, envelope)
	VALUES (org, webhook, event, place.epoch, place.ordinal, 'webhook.test',
			wa.envelope(event, 'webhook.test', NULL, org, clock_timestamp(),
						json_build_object('webhookId', wa.typeid('wh', webhook))::text))
	RETURNING * INTO made;
	made.envelope := NULL;	-- granted to nobody
	RETURN made;
END $$;
COMMENT ON FUNCTION wa.test_webhook(uuid) IS
	'sends an event of type webhook.test to this webhook alone, once; raises 55000 if it is not active, 53400 (`wa.set_org_limit()`: `webhook_tests`); needs manage';

-- The attempts of a delivery.  What succeeds at once, as most do, needs no entry: its row says
-- it all until it is started again.
CREATE FUNCTION wa.add_attempt(earlier jsonb, at timestamptz, status_code integer, error text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN jsonb_array_length(earlier) >= 50 THEN earlier - 0 ELSE COALESCE(earlier, '[]') END
		|| jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('at', wa.epoch_ms(at), 'statusCode', status_code, 'error', error)))
$$;
COMMENT ON FUNCTION wa.add_attempt(jsonb, timestamptz, integer, text) IS
	'for function bodies: earlier attempts of a delivery with one more; without the oldest if they are 50 already';

-- The body is what the key could also receive by a webhook of its own, or by a socket.  It is
-- shown only to who may listen, as a socket shows it.
CREATE FUNCTION wa.read_delivery(webhook uuid, delivery uuid) RETURNS wa.delivery
	LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('manage');
	known wa.delivery;
BEGIN
	PERFORM wa.find_webhook(webhook);
	SELECT d.* INTO known FROM wa.delivery d WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = delivery;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'delivery does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	known.envelope := CASE WHEN wa.holds_permission('events') THEN COALESCE(known.envelope,
		(SELECT e.envelope FROM wa.event e WHERE e.org_id = org AND e.id = known.event_id)) END;
	IF known.status = 'delivered' THEN
		known.earlier := wa.add_attempt(known.earlier, known.updated_at, known.status_code, NULL);
	END IF;
	RETURN known;
END $$;
COMMENT ON FUNCTION wa.read_delivery(uuid, uuid) IS
	'a delivery of a webhook with all its attempts (`earlier`), and with its body (`envelope`) if the key or person has '
	'`events` and the body is kept. Needs `manage`. `P0002`';

CREATE FUNCTION wa.replay_delivery(webhook uuid, delivery uuid) RETURNS wa.delivery
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := wa.org_for_any_key('manage');
	target constant wa.webhook := wa.find_webhook(webhook);
	known wa.delivery;
BEGIN
	SELECT d.* INTO known FROM wa.delivery d
	WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = delivery FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'delivery does not exist' USING ERRCODE = 'no_data_found';
	END IF;
	IF NOT target.active THEN
		RAISE EXCEPTION 'webhook is not active' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF known.type = 'webhook.test' AND known.status IN ('delivered', 'dead') THEN
		PERFORM wa.refuse_more_tests(org);
	END IF;
	-- The delivery stores the bytes from here on, because its event may be about to expire.
	IF known.envelope IS NULL THEN
		SELECT e.envelope INTO known.envelope FROM wa.event e WHERE e.org_id = org AND e.id = known.event_id FOR KEY SHARE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'event is not kept any more' USING ERRCODE = 'object_not_in_prerequisite_state';
		END IF;
	END IF;
	-- A delivery that waits for its first attempt has all its attempts left.
	IF known.status <> 'pending' THEN
		UPDATE wa.delivery d
		SET status = 'pending', attempts = 0, next_attempt_at = '-infinity', turn = NULL, status_code = NULL,
			error = NULL, envelope = known.envelope, updated_at = clock_timestamp(),
			earlier = CASE known.status WHEN 'delivered' THEN wa.add_attempt(d.earlier, d.updated_at, d.status_code, NULL) ELSE d.earlier END
		WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = delivery
		RETURNING * INTO known;
	END IF;
	PERFORM wa.wake(org);
	known.envelope := NULL;	-- granted to nobody
	RETURN known;
END $$;
COMMENT ON FUNCTION wa.replay_delivery(uuid, uuid) IS
	'delivers once more what was delivered, given up or waits to be tried again, with all its attempts anew; raises 55000 if the event is not kept or the webhook not active; needs manage';

-- ---- For the worker ----

-- The time of the next attempt is noted in the lane, where a claim finds it without looking
-- at the waiting deliveries.  This also runs for the rows of a dump, when there are no lanes
-- yet.
CREATE FUNCTION wa.note_due() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
AS $$
BEGIN
	IF NEW.status = 'delivered' OR NEW.next_attempt_at = 'infinity' THEN
		RETURN NULL;
	END IF;
	PERFORM FROM wa.webhook_lane l
	WHERE l.org_id = NEW.org_id AND l.webhook_id = NEW.webhook_id AND l.due_at <= NEW.next_attempt_at;
	IF NOT FOUND THEN
		INSERT INTO wa.webhook_lane AS l (org_id, webhook_id, due_at) VALUES (NEW.org_id, NEW.webhook_id, NEW.next_attempt_at)
		ON CONFLICT (org_id, webhook_id) DO UPDATE SET due_at = LEAST(l.due_at, EXCLUDED.due_at);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION wa.note_due() IS 'trigger: notes in the lane of a delivery when it may be tried again';
-- A short condition: it is read from its text for each statement that writes events.
CREATE TRIGGER delivery_made_due AFTER INSERT ON wa.delivery
	FOR EACH ROW WHEN (NEW.next_attempt_at > '-infinity')
	EXECUTE FUNCTION wa.note_due();
COMMENT ON TRIGGER delivery_made_due ON wa.delivery IS 'notes in its lane when it may be tried again: of a dump';
CREATE TRIGGER delivery_put_off AFTER UPDATE OF next_attempt_at ON wa.delivery
	FOR EACH ROW WHEN (NEW.next_attempt_at <> OLD.next_attempt_at AND NEW.next_attempt_at > '-infinity'
		AND NEW.next_attempt_at < 'infinity' AND NEW.status <> 'delivered')
	EXECUTE FUNCTION wa.note_due();
COMMENT ON TRIGGER delivery_put_off ON wa.delivery IS 'notes in its lane when it may be tried again: after a failure';
-- A restore may have disabled all other triggers.
ALTER TABLE wa.delivery ENABLE ALWAYS TRIGGER delivery_made_due;

CREATE FUNCTION wa.random_uuid(low uuid, high uuid) RETURNS uuid
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	first constant bigint := ('x' || left(replace(low::text, '-', ''), 15))::bit(60)::bigint;
	last constant bigint := ('x' || left(replace(high::text, '-', ''), 15))::bit(60)::bigint;
BEGIN
	RETURN rpad(lpad(to_hex(first + floor(random() * (last - first + 1))::bigint), 15, '0'), 32, '0')::uuid;
END $$;
COMMENT ON FUNCTION wa.random_uuid(uuid, uuid) IS 'for function bodies: any place between two ids';

-- Ids begin with the time, and organizations are often made many at a time.  At a random place
-- between the first id and the last, the one behind the longest pause would nearly always be
-- next.  So the place is that of a random row, from about four random pages of the table.
CREATE FUNCTION wa.random_organization() RETURNS uuid
	LANGUAGE sql
AS $$
	SELECT o.id
	FROM wa.org o TABLESAMPLE SYSTEM (LEAST(100, 400.0 * current_setting('block_size')::integer / GREATEST(pg_relation_size('wa.org'), 1)))
	ORDER BY random() LIMIT 1
$$;
COMMENT ON FUNCTION wa.random_organization() IS
	'for wa.due_organizations(): any organization; NULL if there is none, and sometimes otherwise';

-- Both functions start at a random place and go around once.  If more than "max" wait, each
-- has its chance.
CREATE FUNCTION wa.due_organizations(max integer) RETURNS SETOF uuid
	LANGUAGE plpgsql STRICT ROWS 10
AS $$
DECLARE
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	start constant uuid := COALESCE(wa.random_organization(), nobody);
	org uuid := start;
	around boolean := false;
	left_over integer := max;
BEGIN
	WHILE left_over > 0 LOOP
		org := LEAST(
			(SELECT d.org_id FROM wa.delivery d
			 WHERE d.status <> 'delivered' AND d.next_attempt_at = '-infinity' AND d.org_id > org ORDER BY d.org_id LIMIT 1),
			(SELECT l.org_id FROM wa.webhook_lane l WHERE l.due_at = '-infinity' AND l.org_id > org ORDER BY l.org_id LIMIT 1));
		EXIT WHEN around AND (org IS NULL OR org > start);
		IF org IS NULL THEN
			around := true;
			org := nobody;
		ELSE
			left_over := left_over - 1;
			RETURN NEXT org;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.due_organizations(integer) IS
	'for wa.claim_webhooks(): organizations that have something to deliver now, at most so many';

CREATE FUNCTION wa.new_lanes(org uuid, max integer) RETURNS SETOF uuid
	LANGUAGE plpgsql STRICT ROWS 10
AS $$
DECLARE
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	low constant uuid := (
		SELECT d.webhook_id FROM wa.delivery d
		WHERE d.org_id = org AND d.status <> 'delivered' AND d.next_attempt_at = '-infinity' ORDER BY d.webhook_id LIMIT 1);
	high constant uuid := (
		SELECT d.webhook_id FROM wa.delivery d
		WHERE d.org_id = org AND d.status <> 'delivered' AND d.next_attempt_at = '-infinity' ORDER BY d.webhook_id DESC LIMIT 1);
	start uuid;
	webhook uuid;
	around boolean := false;
	left_over integer := max;
BEGIN
	-- Most organizations have one webhook.
	IF low = high THEN
		RETURN NEXT low;
		RETURN;
	END IF;
	start := wa.random_uuid(low, high);
	webhook := start;
	WHILE start IS NOT NULL AND left_over > 0 LOOP
		webhook := (
			SELECT d.webhook_id FROM wa.delivery d
			WHERE d.org_id = org AND d.status <> 'delivered' AND d.next_attempt_at = '-infinity' AND d.webhook_id > webhook
			ORDER BY d.webhook_id LIMIT 1);
		EXIT WHEN around AND (webhook IS NULL OR webhook > start);
		IF webhook IS NULL THEN
			around := true;
			webhook := nobody;
		ELSE
			left_over := left_over - 1;
			RETURN NEXT webhook;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.new_lanes(uuid, integer) IS
	'for wa.claim_webhooks(): webhooks of the organization for which something was never tried, at most so many';

-- Deliveries that were never tried are found along their index, one webhook after the other.
-- For those that are due again the time is noted in their lanes.  Both need a bounded number
-- of looks, shared among the organizations that have something, however much waits.  A
-- delivery that was never tried must be below the horizon.  Otherwise it could overtake one
-- that commits late.  A lane that somebody has locked is left for the next claim, because its
-- organization must not delay the others.
--
-- A worker has few lanes, and a lane whose receiver does not answer is busy for seconds.  So
-- organizations take turns.  The last places ("share") go only to organizations of which the
-- owner holds fewer lanes than that, so that others are served beside one with many webhooks.
CREATE FUNCTION wa.claim_webhooks(owner text, max integer, lease interval)
	RETURNS TABLE (org_id uuid, webhook_id uuid, lease_until timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	share constant integer := 32;
	orgs_max constant integer := 250;
	looks_max constant integer := GREATEST(4 * max, orgs_max);
	at constant timestamptz := clock_timestamp();
	orgs uuid[];
BEGIN
	PERFORM wa.check_lease(owner, max, lease);
	PERFORM wa.observe_writers();
	WITH again AS (
		SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
		WHERE l.due_at > '-infinity' AND l.due_at <= at ORDER BY l.due_at LIMIT 1000
		FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE wa.webhook_lane l SET due_at = '-infinity'
	FROM again WHERE l.org_id = again.org_id AND l.webhook_id = again.webhook_id;
	orgs := ARRAY(SELECT o FROM wa.due_organizations(orgs_max) o);
	IF orgs = '{}' THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH held AS MATERIALIZED (
		SELECT l.org_id, count(*) AS lanes FROM wa.webhook_lane l
		WHERE l.lease_owner = claim_webhooks.owner AND l.lease_until > at
		GROUP BY l.org_id), looked AS MATERIALIZED (
		SELECT o.org_id, w.webhook_id, w.is_noted
		FROM unnest(orgs) o (org_id) CROSS JOIN LATERAL (
			SELECT n AS webhook_id, false AS is_noted FROM wa.new_lanes(o.org_id, looks_max / cardinality(orgs)) n
			UNION ALL
			(SELECT l.webhook_id, true FROM wa.webhook_lane l
			WHERE l.org_id = o.org_id AND l.due_at = '-infinity' AND (l.lease_until IS NULL OR l.lease_until <= at)
			ORDER BY l.lease_until NULLS FIRST, l.webhook_id LIMIT looks_max / cardinality(orgs))) w), lane AS MATERIALIZED (
		SELECT looked.org_id, looked.webhook_id, bool_or(looked.is_noted) AS is_noted FROM looked
		GROUP BY looked.org_id, looked.webhook_id), free AS MATERIALIZED (
		SELECT lane.org_id, lane.webhook_id, lane.is_noted, l.webhook_id IS NULL AS is_new, l.lease_until,
			(SELECT w.active FROM wa.webhook w WHERE w.org_id = lane.org_id AND w.id = lane.webhook_id) AS active,
			(SELECT d.next_attempt_at FROM wa.delivery d
			 WHERE d.org_id = lane.org_id AND d.webhook_id = lane.webhook_id AND d.status <> 'delivered'
				AND d.next_attempt_at > '-infinity' AND d.next_attempt_at < 'infinity'
			 ORDER BY d.next_attempt_at LIMIT 1) AS again_at,
			EXISTS (
				SELECT FROM wa.delivery d CROSS JOIN wa.event_horizon(lane.org_id) horizon
				WHERE d.org_id = lane.org_id AND d.webhook_id = lane.webhook_id AND d.status <> 'delivered'
					AND d.next_attempt_at = '-infinity' AND (d.epoch, d.ordinal) < (horizon.epoch, horizon.ordinal)) AS has_new
		FROM lane LEFT JOIN wa.webhook_lane l ON l.org_id = lane.org_id AND l.webhook_id = lane.webhook_id
		WHERE l.lease_until IS NULL OR l.lease_until <= at), idle AS (
		SELECT l.org_id, l.webhook_id, CASE WHEN free.active THEN free.again_at END AS again_at
		FROM free CROSS JOIN LATERAL (
			SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
			WHERE l.org_id = free.org_id AND l.webhook_id = free.webhook_id AND l.due_at = '-infinity'
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) l
		WHERE free.is_noted AND NOT (COALESCE(free.active, false) AND (free.has_new OR free.again_at <= at))), put_off AS (
		UPDATE wa.webhook_lane l SET due_at = idle.again_at
		FROM idle WHERE l.org_id = idle.org_id AND l.webhook_id = idle.webhook_id), due AS (
		SELECT free.*, COALESCE((SELECT h.lanes FROM held h WHERE h.org_id = free.org_id), 0)
			+ row_number() OVER (PARTITION BY free.org_id ORDER BY free.lease_until NULLS FIRST, free.webhook_id) AS nth
		FROM free WHERE free.active AND (free.has_new OR free.again_at <= at)), ranked AS (
		-- The organization that was served least recently comes first.
		SELECT due.*, row_number() OVER (ORDER BY due.nth, due.lease_until NULLS FIRST, due.org_id, due.webhook_id) AS rank
		FROM due), offered AS MATERIALIZED (
		SELECT ranked.* FROM ranked WHERE ranked.nth <= share OR ranked.rank <= max - share
		ORDER BY ranked.rank LIMIT max), made AS (
		INSERT INTO wa.webhook_lane AS l (org_id, webhook_id, lease_owner, lease_until, turn)
		SELECT offered.org_id, offered.webhook_id, claim_webhooks.owner, at + lease, 1 FROM offered
		WHERE offered.is_new
		ON CONFLICT DO NOTHING
		RETURNING l.org_id, l.webhook_id, l.lease_until), known AS (
		SELECT l.org_id, l.webhook_id
		FROM offered CROSS JOIN LATERAL (
			SELECT l.org_id, l.webhook_id FROM wa.webhook_lane l
			WHERE l.org_id = offered.org_id AND l.webhook_id = offered.webhook_id
				AND (l.lease_until IS NULL OR l.lease_until <= at)
			LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) l), taken AS (
		UPDATE wa.webhook_lane l
		SET lease_owner = claim_webhooks.owner, lease_until = at + lease, turn = l.turn + 1
		FROM known WHERE l.org_id = known.org_id AND l.webhook_id = known.webhook_id
		RETURNING l.org_id, l.webhook_id, l.lease_until)
	SELECT * FROM made UNION ALL SELECT * FROM taken;
END $$;
COMMENT ON FUNCTION wa.claim_webhooks(text, integer, interval) IS
	'takes the lease of webhooks that have something to deliver now and that nobody delivers to; organizations take turns, those first that were served least recently, and the last 32 places go to those that hold fewer than 32';

-- A worker must learn that something has changed, in order to claim it.  It learns which
-- organizations have changed only for lanes that it has claimed.
CREATE FUNCTION wa.wait_for_deliveries(owner text, seen bigint, timeout_ms integer)
	RETURNS TABLE (generation bigint, org_id uuid)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	change constant record := wa.wait_for_change(seen, timeout_ms);
BEGIN
	RETURN QUERY
	SELECT change.generation, NULL::uuid
	UNION ALL
	SELECT DISTINCT change.generation, l.org_id FROM wa.webhook_lane l
	WHERE l.lease_owner = owner AND l.lease_until > clock_timestamp()
		AND (change.everybody OR l.org_id = ANY (change.orgs));
END $$;
COMMENT ON FUNCTION wa.wait_for_deliveries(text, bigint, integer) IS
	'waits, at most 5 seconds, until anything has changed since the generation that was seen (0: at once); the first row has no organization, the others are those that changed among the organizations of webhooks that the owner holds; raises 55000 without preload';

-- NULL if the owner does not hold the lane, or not any more.  Here and below a lane is found
-- by its key, whatever the statistics say: the index of what an owner holds has all its lanes.
CREATE FUNCTION wa.lane_turn(owner text, webhook uuid) RETURNS integer
	LANGUAGE plpgsql
AS $$
BEGIN
	RETURN (SELECT l.turn FROM wa.webhook_lane l
		WHERE l.org_id = wa.require_org() AND l.webhook_id = webhook AND (l.lease_owner = owner) IS TRUE
			AND l.lease_until > clock_timestamp());
END $$;
COMMENT ON FUNCTION wa.lane_turn(text, uuid) IS
	'for function bodies: which claim of the lane the owner holds, NULL if none';

CREATE FUNCTION wa.renew_lane(owner text, webhook uuid, lease interval) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM wa.check_lease(owner, 1, lease);
	UPDATE wa.webhook_lane l SET lease_until = clock_timestamp() + lease
	WHERE l.org_id = wa.require_org() AND l.webhook_id = webhook AND (l.lease_owner = owner) IS TRUE
		AND l.lease_until > clock_timestamp()
		AND EXISTS (SELECT FROM wa.webhook w WHERE w.org_id = l.org_id AND w.id = l.webhook_id);
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.renew_lane(text, uuid, interval) IS
	'holds a webhook for longer; false if its lease has run out, or is another''s, or the webhook is gone';

CREATE FUNCTION wa.release_lane(owner text, webhook uuid) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE wa.webhook_lane l
	SET lease_owner = NULL, lease_until = clock_timestamp(), due_at = (
		SELECT d.next_attempt_at FROM wa.delivery d
		WHERE d.org_id = l.org_id AND d.webhook_id = l.webhook_id AND d.status <> 'delivered'
			AND d.next_attempt_at > '-infinity' AND d.next_attempt_at < 'infinity'
		ORDER BY d.next_attempt_at LIMIT 1)
	WHERE l.org_id = wa.require_org() AND l.webhook_id = webhook AND (l.lease_owner = owner) IS TRUE;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION wa.release_lane(text, uuid) IS
	'gives a webhook back; what was taken and not reported can be taken again; false if the owner did not hold it';

CREATE FUNCTION wa.lane_target(owner text, webhook uuid)
	RETURNS TABLE (url text, custom_headers jsonb)
	LANGUAGE plpgsql SECURITY DEFINER ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT w.url, w.custom_headers FROM wa.webhook w
	WHERE w.org_id = wa.require_org() AND w.id = webhook AND w.active AND wa.lane_turn(owner, webhook) IS NOT NULL;
END $$;
COMMENT ON FUNCTION wa.lane_target(text, uuid) IS
	'where to deliver to, and with which header fields, for the worker that holds the webhook; no row if it is not held, gone or not active';

-- Signatures are made here, so that whoever delivers does not need a secret.
CREATE FUNCTION wa.webhook_hmac(secret text, body text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_webhook_hmac';
COMMENT ON FUNCTION wa.webhook_hmac(text, text) IS
	'for function bodies: `X-Webhook-Hmac`, the HMAC-SHA512 of the body, as UTF-8, in hex, keyed with the text of the '
	'secret';

CREATE FUNCTION wa.webhook_signature(secret text, id text, seconds bigint, body text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'wa_webhook_signature';
COMMENT ON FUNCTION wa.webhook_signature(text, text, bigint, text) IS
	'for function bodies: a signature of `webhook-signature` as Standard Webhooks defines it: `v1,` and the '
	'HMAC-SHA256 of `id.seconds.body`, as UTF-8, in base64, keyed with what the secret holds in base64 behind '
	'`whsec_`, or with its text; if that text is base64, a second one keyed with what it holds';

-- The rows of what was delivered a short while ago are still in the index of the deliveries
-- that were never tried, because an older snapshot may need them.  Whoever takes many
-- batches says after which delivery to go on, so that no batch reads them again.
CREATE FUNCTION wa.take_deliveries(owner text, webhook uuid, max integer, after uuid DEFAULT NULL)
	RETURNS TABLE (id uuid, event_id uuid, session_id uuid, envelope text, signed_ms bigint, hmac text, signature text,
				   is_new boolean)
	LANGUAGE plpgsql SECURITY DEFINER ROWS 20
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET lock_timeout = '10ms'
AS $$
#variable_conflict use_column
DECLARE
	org constant uuid := wa.require_org();
	at constant timestamptz := clock_timestamp();
	turn_now constant integer := wa.lane_turn(owner, webhook);
	hook wa.webhook;
	seen wa.delivery;
BEGIN
	PERFORM wa.check_lease(owner, max, interval '1 second');
	SELECT w.* INTO hook FROM wa.webhook w WHERE w.org_id = org AND w.id = webhook AND w.active;
	IF NOT FOUND OR turn_now IS NULL THEN
		RETURN;
	END IF;
	-- Not by an expression in the query: row security would keep it from the index.
	SELECT d.* INTO seen FROM wa.delivery d WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = after;
	IF NOT FOUND THEN
		seen.epoch := -1;
		seen.ordinal := 0;
		seen.event_id := '00000000-0000-0000-0000-000000000000';
	END IF;
	PERFORM wa.observe_writers();
	-- Half of the places are for deliveries that were tried before, so that neither kind
	-- waits for the other one to be finished.  Each row is found by itself: a join may read
	-- all deliveries of the webhook, and all events, if statistics are old.  What somebody has
	-- locked is due again at the next taking: to wait for it would delay all other webhooks.
	RETURN QUERY
	WITH due AS (
		(SELECT d.ctid AS place FROM wa.delivery d
		WHERE d.org_id = org AND d.webhook_id = webhook AND d.status <> 'delivered'
			AND d.next_attempt_at > '-infinity' AND d.next_attempt_at <= at
			AND d.turn IS DISTINCT FROM turn_now
		ORDER BY d.next_attempt_at, d.epoch, d.ordinal, d.event_id LIMIT (max + 1) / 2)
		UNION ALL
		(SELECT d.ctid FROM wa.delivery d CROSS JOIN wa.event_horizon(org) horizon
		WHERE d.org_id = org AND d.webhook_id = webhook AND d.status <> 'delivered'
			AND d.next_attempt_at = '-infinity' AND (d.epoch, d.ordinal) < (horizon.epoch, horizon.ordinal)
			AND (d.epoch, d.ordinal, d.event_id) > (seen.epoch, seen.ordinal, seen.event_id)
			AND d.turn IS DISTINCT FROM turn_now
		ORDER BY d.next_attempt_at, d.epoch, d.ordinal, d.event_id LIMIT max)
		LIMIT max), taken AS (
		UPDATE wa.delivery d SET turn = turn_now
		WHERE d.ctid = ANY (ARRAY(
			SELECT free.place FROM due CROSS JOIN LATERAL (
				SELECT l.ctid AS place FROM wa.delivery l WHERE l.ctid = due.place FOR NO KEY UPDATE SKIP LOCKED) free))
		RETURNING d.*, wa.epoch_ms(clock_timestamp()) AS signed_ms), attempt AS (
		SELECT t.*, wa.typeid('evt', t.event_id) AS public_id,
			-- An event of another session, from before the webhook was given this one, is none of the
			-- receiver's, whose address may have changed with it.
			CASE WHEN hook.session_id IS NOT NULL AND t.session_id IS DISTINCT FROM hook.session_id AND t.type <> 'webhook.test' THEN NULL
				WHEN t.envelope IS NULL THEN e.envelope ELSE t.envelope END AS body
		FROM taken t LEFT JOIN LATERAL (
			SELECT e.envelope FROM wa.event e WHERE e.org_id = org AND e.id = t.event_id LIMIT 1) e ON true)
	SELECT a.id, a.event_id, a.session_id, a.body, a.signed_ms, wa.webhook_hmac(hook.secret, a.body),
		wa.webhook_signature(hook.secret, a.public_id, a.signed_ms / 1000, a.body) || COALESCE(' ' || CASE
			WHEN hook.previous_secret_until > clock_timestamp()
			THEN wa.webhook_signature(hook.previous_secret, a.public_id, a.signed_ms / 1000, a.body) END, ''),
		a.next_attempt_at = '-infinity'
	FROM attempt a
	ORDER BY a.epoch, a.ordinal, a.event_id;
END $$;
COMMENT ON FUNCTION wa.take_deliveries(text, uuid, integer, uuid) IS
	'takes what is due in an active webhook that the owner holds, in the order of the events, with the signatures of '
	'an attempt that is made now: `signed_ms` is their time (`X-Webhook-Timestamp`, and in seconds '
	'`webhook-timestamp`), `hmac` goes as `X-Webhook-Hmac`, `signature` as `webhook-signature`; NULL where the event '
	'is not kept any more, or is of a session that the webhook was for before. What it has taken in this turn already it does not get again. Fewer than half of "max" '
	'means that nothing more is due. `is_new`: it was never tried; the last of these may be given as "after" to the '
	'next call, which then looks for new ones behind it only, and does not find one that was replayed meanwhile';

-- A fifth more or less, so that deliveries that failed together are not tried again together.
CREATE FUNCTION wa.delivery_pause(policy text, delay_seconds integer, attempts integer) RETURNS interval
	LANGUAGE sql STRICT PARALLEL SAFE
AS $$
	SELECT (0.8 + 0.4 * random()) * LEAST(interval '1 hour', interval '1 second' * delay_seconds * CASE policy
		WHEN 'exponential' THEN power(2, LEAST(attempts, 12) - 1)
		WHEN 'linear' THEN attempts
		ELSE 1 END)
$$;
COMMENT ON FUNCTION wa.delivery_pause(text, integer, integer) IS
	'for function bodies: how long to wait after so many failed attempts, about an hour at most';

-- Without URL and headers, which may contain a credential of the receiver: listening to
-- events needs less than seeing webhooks.
CREATE FUNCTION wa.tell_disabled(disabled wa.webhook) RETURNS uuid
	LANGUAGE sql STRICT
AS $$
	SELECT wa.emit(disabled.org_id, 'webhook.disabled', disabled.session_id, json_strip_nulls(json_build_object(
		'id', wa.typeid('wh', disabled.id), 'organizationId', wa.typeid('org', disabled.org_id),
		'sessionId', wa.typeid('sess', disabled.session_id), 'active', false, 'createdAt', wa.epoch_ms(disabled.created_at),
		'updatedAt', wa.epoch_ms(disabled.updated_at), 'disabledAt', wa.epoch_ms(disabled.disabled_at),
		'disabledReason', disabled.disabled_reason))::text)
$$;
COMMENT ON FUNCTION wa.tell_disabled(wa.webhook) IS
	'for function bodies: writes the event that a webhook gets nothing any more, and returns its id';

-- A webhook that is bound to a session is deleted with it, and those who listen are told.
CREATE FUNCTION wa.end_webhooks_of(session uuid) RETURNS void
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	reason constant text := 'its session was deleted';
	ended wa.webhook;
BEGIN
	FOR ended IN
		DELETE FROM wa.webhook w WHERE w.org_id = org AND w.session_id = session RETURNING *
	LOOP
		PERFORM wa.note(org, 'webhook.disabled', ended.id, jsonb_build_object('reason', reason));
		ended.active := false;
		ended.disabled_at := clock_timestamp();
		ended.disabled_reason := reason;
		PERFORM wa.tell_disabled(ended);
	END LOOP;
END $$;
COMMENT ON FUNCTION wa.end_webhooks_of(uuid) IS
	'for function bodies: deletes the webhooks of a session, with an event and a note for each';

-- The circuit breaker: a receiver that fails 20 times in a row, over at least an hour, gets
-- nothing until somebody activates the webhook again.  Then it gets what it has missed, if
-- that is still kept.  A receiver that answers that it is gone for good (410) is paused at
-- once.
CREATE FUNCTION wa.count_failure(webhook uuid, problem text, gone boolean) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	org constant uuid := wa.require_org();
	failures_max constant integer := 20;
	failing_max constant interval := interval '1 hour';
	lane wa.webhook_lane;
	disabled wa.webhook;
	event uuid;
BEGIN
	UPDATE wa.webhook_lane l
	SET failures = l.failures + 1, failing_since = COALESCE(l.failing_since, clock_timestamp())
	WHERE l.org_id = org AND l.webhook_id = webhook
	RETURNING * INTO lane;
	IF NOT FOUND
		OR NOT gone AND (lane.failures < failures_max OR lane.failing_since > clock_timestamp() - failing_max) THEN
		RETURN;
	END IF;
	UPDATE wa.webhook w
	SET active = false, disabled_at = clock_timestamp(), disabled_reason = problem, updated_at = clock_timestamp()
	WHERE w.org_id = org AND w.id = webhook AND w.active
	RETURNING * INTO disabled;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	PERFORM wa.note(org, 'webhook.disabled', webhook, jsonb_build_object('reason', problem, 'failures', lane.failures));
	event := wa.tell_disabled(disabled);
	-- When the webhook gets what it has missed, this event would not be true any more.
	DELETE FROM wa.delivery d WHERE d.org_id = org AND d.webhook_id = webhook AND d.event_id = event;
END $$;
COMMENT ON FUNCTION wa.count_failure(uuid, text, boolean) IS
	'for function bodies: counts a failed attempt, and pauses the webhook, with an event and a note, when there were too many in a row for too long, or the receiver says that it is gone';

-- What an attempt is worth is decided by these two: one failure, or successes that were
-- reported one after the other.
CREATE FUNCTION wa.finish_failure(webhook uuid, delivery uuid, turn_now integer, status_code integer, problem text,
								  retry_after integer)
	RETURNS text
	LANGUAGE plpgsql
AS $$
DECLARE
	org constant uuid := wa.require_org();
	gone constant boolean := COALESCE(finish_failure.status_code = 410, false);
	reason constant text := COALESCE(finish_failure.problem, CASE WHEN gone THEN 'gone, ' ELSE '' END || 'status ' || finish_failure.status_code, 'no answer');
	-- At most as long as a pause of our own can be: the receiver may be mistaken.
	asked constant interval := interval '1 second' * LEAST(GREATEST(COALESCE(retry_after, 0), 0), 3600);
	known wa.delivery;
	target wa.webhook;
	new_status text := 'failed';
BEGIN
	SELECT d.* INTO known FROM wa.delivery d
	WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = delivery AND d.status <> 'delivered' FOR NO KEY UPDATE;
	IF NOT FOUND OR known.turn IS NULL OR turn_now IS NULL OR known.turn <> turn_now THEN
		RETURN NULL;
	END IF;
	SELECT w.* INTO target FROM wa.webhook w WHERE w.org_id = org AND w.id = webhook;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF known.type = 'webhook.test' OR gone OR known.attempts + 1 >= target.retry_attempts THEN
		new_status := 'dead';
	END IF;
	UPDATE wa.delivery d
	SET status = new_status, attempts = d.attempts + 1, status_code = finish_failure.status_code, turn = NULL,
		updated_at = clock_timestamp(), error = reason,
		earlier = wa.add_attempt(d.earlier, clock_timestamp(), finish_failure.status_code, finish_failure.problem),
		next_attempt_at = CASE new_status WHEN 'dead' THEN 'infinity'
			ELSE clock_timestamp() + GREATEST(asked, wa.delivery_pause(target.retry_policy, target.retry_delay_seconds, known.attempts + 1)) END
	WHERE d.org_id = org AND d.webhook_id = webhook AND d.id = delivery;
	IF known.type <> 'webhook.test' THEN
		PERFORM wa.count_failure(webhook, reason, gone);
	END IF;
	RETURN new_status;
END $$;
COMMENT ON FUNCTION wa.finish_failure(uuid, uuid, integer, integer, text, integer) IS
	'for wa.finish_deliveries(): notes an attempt that failed, and returns failed or dead; NULL if it does not count';

CREATE FUNCTION wa.finish_successes(webhook uuid, results integer[], deliveries uuid[], status_codes integer[])
	RETURNS integer[]
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	org constant uuid := wa.require_org();
	counted integer[];
BEGIN
	WITH done AS (
		UPDATE wa.delivery d
		SET status = 'delivered', attempts = d.attempts + 1, turn = NULL,
			status_code = status_codes[array_position(deliveries, d.id)], updated_at = clock_timestamp(), error = NULL
		-- Each row is found by itself, as in wa.take_deliveries().
		WHERE d.ctid = ANY (ARRAY(
				SELECT p.ctid FROM unnest(deliveries) u (id) CROSS JOIN LATERAL (
					SELECT o.ctid FROM wa.delivery o WHERE o.org_id = org AND o.webhook_id = webhook AND o.id = u.id LIMIT 1) p))
			AND d.status <> 'delivered' AND d.turn IS NOT NULL
			AND EXISTS (SELECT FROM wa.webhook w WHERE w.org_id = org AND w.id = webhook)
		RETURNING results[array_position(deliveries, d.id)] AS n)
	SELECT array_agg(done.n) INTO counted FROM done;
	IF counted IS NOT NULL THEN
		UPDATE wa.webhook_lane l SET failures = 0, failing_since = NULL
		WHERE l.org_id = org AND l.webhook_id = webhook AND l.failures > 0;
	END IF;
	RETURN COALESCE(counted, '{}');
END $$;
COMMENT ON FUNCTION wa.finish_successes(uuid, integer[], uuid[], integer[]) IS
	'for wa.finish_deliveries(): notes attempts that succeeded, and returns the numbers of those results that count';

-- The results are in the order in which the attempts ended, because the breaker counts the
-- failures since the last success.  Successes between two failures are one update.  A success
-- counts whoever reports it, unless the delivery was started again since.  A failure counts
-- only from the worker whose turn it is.
CREATE FUNCTION wa.finish_deliveries(owner text, webhook uuid, results jsonb, release boolean)
	RETURNS text[]
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET lock_timeout = '10ms'
AS $$
DECLARE
	org constant uuid := wa.require_org();
	turn_now constant integer := wa.lane_turn(owner, webhook);
	results_max constant integer := 256;
	row record;
	result integer;
	statuses text[];
BEGIN
	IF jsonb_typeof(results) IS DISTINCT FROM 'array' OR jsonb_array_length(results) NOT BETWEEN 1 AND results_max THEN
		PERFORM wa.refuse_field('results', 'must be an array of 1 to 256');
	END IF;
	statuses := array_fill(NULL::text, ARRAY[jsonb_array_length(results)]);
	FOR row IN
		WITH said AS (
			SELECT r.*, COALESCE(r.succeeded, false) AS good, row_number() OVER (PARTITION BY r.delivery ORDER BY r.n) AS nth
			FROM ROWS FROM (jsonb_to_recordset(results)
				AS (delivery uuid, status_code integer, problem text, succeeded boolean, retry_after integer))
				WITH ORDINALITY r (delivery, status_code, problem, succeeded, retry_after, n)), part AS (
			SELECT s.*, count(*) FILTER (WHERE NOT s.good) OVER (ORDER BY s.n) AS part FROM said s WHERE s.nth = 1)
		SELECT min(p.n) FILTER (WHERE NOT p.good)::integer AS failed,
			min(p.problem) FILTER (WHERE NOT p.good) AS problem,
			min(p.status_code) FILTER (WHERE NOT p.good) AS status_code,
			min(p.retry_after) FILTER (WHERE NOT p.good) AS retry_after,
			-- There is no min(uuid).
			(array_agg(p.delivery) FILTER (WHERE NOT p.good))[1] AS delivery,
			array_agg(p.n::integer) FILTER (WHERE p.good) AS good,
			array_agg(p.delivery) FILTER (WHERE p.good) AS deliveries,
			array_agg(p.status_code) FILTER (WHERE p.good) AS status_codes,
			-- The organization sees this text as ours, so it must contain no links and no line breaks.
			bool_and(p.problem IS NULL OR p.problem ~ '^[A-Za-z0-9 ,'']{1,100}$') AS plain
		FROM part p GROUP BY p.part ORDER BY p.part
	LOOP
		IF NOT row.plain THEN
			PERFORM wa.refuse_field('problem', 'must be plain words of at most 100 characters');
		END IF;
		IF row.failed IS NOT NULL THEN
			statuses[row.failed] := wa.finish_failure(webhook, row.delivery, turn_now, row.status_code, row.problem, row.retry_after);
		END IF;
		FOREACH result IN ARRAY COALESCE(wa.finish_successes(webhook, row.good, row.deliveries, row.status_codes), '{}') LOOP
			statuses[result] := 'delivered';
		END LOOP;
	END LOOP;
	IF release THEN
		PERFORM wa.release_lane(owner, webhook);
	END IF;
	RETURN statuses;
END $$;
COMMENT ON FUNCTION wa.finish_deliveries(text, uuid, jsonb, boolean) IS
	'reports what became of up to 256 attempts, in the order in which they ended: an array of objects with `delivery`, '
	'`status_code`, `problem` (plain words, that is letters, digits, blanks, commas and apostrophes, for why it failed), '
	'`succeeded` and `retry_after`. Returns for each, in the same order, delivered, failed (to be tried again, not before '
	'the seconds that the receiver asks for, an hour at most) or dead; NULL if that is not the owner''s to say any more, '
	'or was said before in the same call. The status 410 ends the webhook. "release" gives the webhook back as '
	'wa.release_lane() does. Raises `22023`, and notes nothing, if a problem is not plain, or there are too many results, and `55P03` while somebody else has one of these deliveries locked';

-- Reads at most 10,000 rows of each index of open deliveries: a number that grows without
-- bound is bad enough at that size.  Events are held up only in organizations for which a
-- transaction writes events.  A transaction without a slot holds up every organization; this
-- is seen in those that have something to deliver.
CREATE FUNCTION wa.delivery_stats(OUT pending bigint, OUT failed bigint, OUT dead bigint, OUT oldest_seconds bigint,
								  OUT paused bigint, OUT held_seconds bigint)
	LANGUAGE plpgsql STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	counted_max constant integer := 10000;
BEGIN
	PERFORM wa.observe_writers();
	WITH open AS (
		(SELECT n.org_id, n.webhook_id, n.status, n.created_at FROM wa.delivery n
		WHERE n.status <> 'delivered' AND n.next_attempt_at = '-infinity'
		ORDER BY n.org_id, n.webhook_id, n.epoch, n.ordinal, n.event_id LIMIT counted_max)
		UNION ALL
		(SELECT t.org_id, t.webhook_id, t.status, t.created_at FROM wa.delivery t
		WHERE t.status <> 'delivered' AND t.next_attempt_at > '-infinity'
		ORDER BY t.org_id, t.webhook_id, t.next_attempt_at, t.epoch, t.ordinal, t.event_id LIMIT counted_max)
	), lane AS (
		SELECT o.org_id, o.webhook_id, count(*) FILTER (WHERE o.status = 'pending') AS pending,
			count(*) FILTER (WHERE o.status = 'failed') AS failed, count(*) FILTER (WHERE o.status = 'dead') AS dead,
			min(o.created_at) FILTER (WHERE o.status <> 'dead') AS oldest
		FROM open o GROUP BY o.org_id, o.webhook_id)
	SELECT COALESCE(sum(l.pending), 0), COALESCE(sum(l.failed), 0), COALESCE(sum(l.dead), 0),
		COALESCE(extract(epoch FROM clock_timestamp() - min(l.oldest)), 0)::bigint
	INTO delivery_stats.pending, delivery_stats.failed, delivery_stats.dead, delivery_stats.oldest_seconds
	FROM lane l
	WHERE (SELECT w.active FROM wa.webhook w WHERE w.org_id = l.org_id AND w.id = l.webhook_id);
	SELECT count(*) INTO paused FROM wa.webhook w WHERE w.disabled_at IS NOT NULL;
	SELECT COALESCE(extract(epoch FROM clock_timestamp() - min(first.created_at)), 0)::bigint INTO held_seconds
	FROM (SELECT w.org_id FROM wa.event_writers() w UNION SELECT o FROM wa.due_organizations(100) o) writer
		CROSS JOIN LATERAL wa.event_horizon(writer.org_id) horizon CROSS JOIN LATERAL (
			SELECT e.created_at FROM wa.event e
			WHERE e.org_id = writer.org_id AND (e.epoch, e.ordinal) >= (horizon.epoch, horizon.ordinal)
			ORDER BY e.epoch, e.ordinal, e.id LIMIT 1) first;
END $$;
COMMENT ON FUNCTION wa.delivery_stats() IS
	'for metrics: how many deliveries of active webhooks, of 10,000 at most that were never tried and of 10,000 that '
	'were, are not delivered, by status, and how old the oldest of these is that is not given up; how many webhooks are paused; and how old the oldest event is that no '
	'reader may see yet, because an older transaction that writes events of its organization is open; looks across '
	'organizations';
