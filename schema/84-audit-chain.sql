-- The chain of each organization's audit log.
--
-- Every entry gets a sequence number and a hash, which covers the entry and the hash before
-- it.  So whoever has a copy of one hash can prove that nothing up to that entry was changed,
-- removed or put in between, also by a superuser.
--
-- Entries are added by transactions that do not wait for each other, and linked later, by
-- housekeeping.  The unique constraint on the sequence decides between two that link at once.
-- An entry that has no place yet is protected by the grants and triggers only, like every
-- other row; but so is an entry whose hash nobody has copied.

-- RFC 8785 (JSON Canonicalization Scheme), for objects whose names are ASCII, and numbers
-- that JavaScript writes without an exponent.  The audit log has no others.
CREATE FUNCTION wa.canonical_json(value jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	CASE jsonb_typeof(value)
		WHEN 'object' THEN
			RETURN (SELECT concat('{', string_agg(to_json(m.key)::text || ':' || wa.canonical_json(m.value), ',' ORDER BY m.key COLLATE "C"), '}')
				FROM jsonb_each(value) m);
		WHEN 'array' THEN
			RETURN (SELECT concat('[', string_agg(wa.canonical_json(e.value), ',' ORDER BY e.place), ']')
				FROM jsonb_array_elements(value) WITH ORDINALITY e (value, place));
		WHEN 'number' THEN
			RETURN trim_scale(value::numeric)::text;
		ELSE
			RETURN value::text;
	END CASE;
END $$;
COMMENT ON FUNCTION wa.canonical_json(jsonb) IS
	'JSON as RFC 8785 writes it: members in the order of their names, no blanks';

-- Each field as a netstring (its length in bytes, a colon, the bytes, a comma), so that no
-- two entries have the same input.
CREATE FUNCTION wa.netstrings(VARIADIC fields text[]) RETURNS bytea
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$
	SELECT convert_to(string_agg(concat(octet_length(convert_to(f.field, 'UTF8')), ':', f.field, ','), '' ORDER BY f.place), 'UTF8')
	FROM (SELECT COALESCE(n.field, '') AS field, n.place FROM unnest(fields) WITH ORDINALITY n (field, place)) f
$$;
COMMENT ON FUNCTION wa.netstrings(text[]) IS
	'texts in UTF-8, each as a netstring: its length in bytes, a colon, the bytes and a comma; NULL as the empty text';

CREATE FUNCTION wa.audit_hash(previous bytea, entry wa.audit, sequence bigint) RETURNS bytea
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT sha256(wa.netstrings('wa_apikeys audit 1', encode(previous, 'hex'), wa.typeid('org', entry.org_id), sequence::text,
		wa.typeid('aud', entry.id), wa.epoch_ms(entry.at)::text, entry.actor, entry.actor_name, entry.action,
		wa.audit_subject(entry.action, entry.subject), wa.canonical_json(entry.detail)))
$$;
COMMENT ON FUNCTION wa.audit_hash(bytea, wa.audit, bigint) IS
	'for function bodies: the SHA-256 of an audit entry at a place of its organization''s chain. Its input are these '
	'fields in UTF-8, each as a netstring: the text `wa_apikeys audit 1`, the hash before it in hex (empty for the '
	'first), organization, sequence, id, time in milliseconds, actor, actor''s name, action, subject, and detail as '
	'RFC 8785 writes it; what is NULL is empty';

-- Whoever comes second at a row or at a sequence number leaves the organization to the first.
CREATE FUNCTION wa.link_audit_of(org uuid, max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
	SET lock_timeout = '10ms'
AS $$
DECLARE
	head record;
	entry wa.audit;
	linked integer := 0;
BEGIN
	SELECT COALESCE(h.sequence, 0) AS sequence, h.hash INTO head FROM wa.audit_head(org) h;
	FOR entry IN
		SELECT a.* FROM wa.audit a WHERE a.org_id = org AND a.sequence IS NULL ORDER BY a.id LIMIT max
	LOOP
		head.sequence := head.sequence + 1;
		head.hash := wa.audit_hash(head.hash, entry, head.sequence);
		UPDATE wa.audit a SET sequence = head.sequence, hash = head.hash
		WHERE a.org_id = org AND a.id = entry.id AND a.sequence IS NULL;
		IF NOT FOUND THEN
			RAISE lock_not_available;
		END IF;
		linked := linked + 1;
	END LOOP;
	RETURN linked;
EXCEPTION WHEN lock_not_available OR unique_violation THEN
	RETURN 0;
END $$;
COMMENT ON FUNCTION wa.link_audit_of(uuid, integer) IS
	'for function bodies: gives an organization''s audit entries that have no place in the chain the next ones, and returns how many; none while another transaction does';

-- Organizations take turns with 100 entries each, until nothing is left or max are linked.
CREATE FUNCTION wa.link_audit(max integer) RETURNS integer
	LANGUAGE plpgsql STRICT
AS $$
DECLARE
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	place constant wa.housekeeping_place := wa.take_place('audit');
	org uuid := place.org_id;
	next_org uuid;
	is_round_idle boolean := false;
	linked integer := 0;
	more integer;
BEGIN
	FOR turn IN 1..500 LOOP
		next_org := (SELECT a.org_id FROM wa.audit a WHERE a.org_id > org AND a.sequence IS NULL ORDER BY a.org_id LIMIT 1);
		IF next_org IS NOT NULL THEN
			more := wa.link_audit_of(next_org, LEAST(max - linked, 100));
			is_round_idle := is_round_idle AND more = 0;
			linked := linked + more;
		ELSIF is_round_idle THEN
			EXIT;
		ELSE
			is_round_idle := true;
		END IF;
		org := COALESCE(next_org, nobody);
		EXIT WHEN linked >= max;
	END LOOP;
	PERFORM wa.put_place('audit', org, place.webhook_id);
	RETURN linked;
END $$;
COMMENT ON FUNCTION wa.link_audit(integer) IS
	'for wa.housekeep(): gives audit entries their places in the chains of their organizations, and returns how many';

CREATE FUNCTION wa.verify_audit(org wa.org_id, sequence bigint DEFAULT NULL, hash bytea DEFAULT NULL)
	RETURNS TABLE (place bigint, problem text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	entry wa.audit;
	last bigint := 0;
	previous bytea;
BEGIN
	PERFORM wa.refuse_unknown_org(org);
	FOR entry IN
		SELECT a.* FROM wa.audit a WHERE a.org_id = org AND a.sequence IS NOT NULL ORDER BY a.sequence
	LOOP
		place := entry.sequence;
		IF entry.sequence > last + 1 THEN
			problem := format('%s entries before it are missing', entry.sequence - last - 1);
			RETURN NEXT;
		ELSIF entry.hash <> wa.audit_hash(previous, entry, entry.sequence) THEN
			problem := 'its hash is not that of the entry and of the hash before it';
			RETURN NEXT;
		END IF;
		IF entry.sequence = verify_audit.sequence AND entry.hash <> verify_audit.hash THEN
			problem := 'its hash is not the one that was kept';
			RETURN NEXT;
		END IF;
		last := entry.sequence;
		previous := entry.hash;
	END LOOP;
	IF verify_audit.sequence > last THEN
		place := verify_audit.sequence;
		problem := format('%s entries up to it are missing', verify_audit.sequence - last);
		RETURN NEXT;
	END IF;
END $$;
COMMENT ON FUNCTION wa.verify_audit(wa.org_id, bigint, bytea) IS
	'computes an organization''s chain of audit entries anew, and returns what is wrong with it, by sequence; no row: '
	'nothing was changed, removed or put in between. Whoever can write to the table can also write a whole chain '
	'anew, which a `sequence` and `hash` that were kept elsewhere (`wa.audit_head()`) show. `P0002`';
