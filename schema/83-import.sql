-- Keys that another system issued are taken over by the digests that it keeps of them.  Each
-- row of its table is one JSON object; what a row says is refused rather than changed into
-- something that allows more.

CREATE TYPE wa.foreign_key AS (
	org uuid,
	name text,
	digest bytea,
	prefix text,
	permissions wa.permissions,
	own_permissions text[],
	expires_at timestamptz,
	enabled boolean,
	per_minute integer,
	burst integer,
	test boolean
);
COMMENT ON TYPE wa.foreign_key IS 'for function bodies: a row of another system as the key that it becomes';

CREATE TYPE wa.import_result AS (
	place bigint,
	name text,
	prefix text,
	permissions text[],
	result text,
	key wa.key_id,
	reason text
);
COMMENT ON TYPE wa.import_result IS
	'what became of a row of wa.import_keys(). `place`: its number, from 1. `result`: imported; exists, its digest is known already; expired; refused, '
	'for the `reason`. `key`: the new key, NULL after a dry run';

-- JSON texts one behind the other become one list.
CREATE FUNCTION wa.read_import(keys text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	given jsonb;
BEGIN
	given := CASE WHEN keys ~ E'^\\s*\\[' THEN keys ELSE concat('[', regexp_replace(btrim(keys, E' \t\r\n'), E'\\s*\\n\\s*', ',', 'g'), ']') END;
	IF jsonb_typeof(given) <> 'array' OR jsonb_path_exists(given, 'strict $[*] ? (@.type() != "object")') THEN
		PERFORM wa.refuse_field('keys', 'must be a list of JSON objects, or one on each line');
	END IF;
	RETURN given;
EXCEPTION WHEN invalid_text_representation THEN
	PERFORM wa.refuse_field('keys', 'must be JSON: a list of objects, or an object on each line');
END $$;
COMMENT ON FUNCTION wa.read_import(text) IS 'for function bodies: the rows of an import as one JSON array; raises 22023 for anything else';

-- Rows have the names of columns as the database spells them, or as the program does:
-- rate_limit_max, rateLimitMax.
CREATE FUNCTION wa.fold_members(given jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (SELECT COALESCE(jsonb_object_agg(lower(replace(m.key, '_', '')), m.value), '{}') FROM jsonb_each(given) m WHERE m.value <> 'null');
COMMENT ON FUNCTION wa.fold_members(jsonb) IS 'for function bodies: an object with its names in lower case and without underscores, and without what is null';

-- The names that our own lists have.
CREATE FUNCTION wa.common_members(source text, given jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	CASE source
		WHEN 'list' THEN RETURN given;
		WHEN 'better-auth' THEN RETURN given || jsonb_strip_nulls(jsonb_build_object(
			'digest', given->'key', 'prefix', COALESCE(given->>'start', given->>'prefix', ''),
			'ratelimits', CASE WHEN given->>'ratelimitenabled' NOT IN ('false', '0') OR given->'ratelimitenabled' IS NULL AND given->'ratelimitmax' IS NOT NULL
				THEN jsonb_build_array(jsonb_build_object('limit', given->'ratelimitmax', 'duration', given->'ratelimittimewindow')) END));
		WHEN 'unkey' THEN RETURN given || jsonb_strip_nulls(jsonb_build_object(
			'digest', given->'hash', 'prefix', COALESCE(given->>'start', ''), 'expiresat', given->'expires',
			'remaining', COALESCE(given->'remaining', given->'credits'->'remaining', given->'remainingrequests')));
		ELSE PERFORM wa.refuse_field('source', 'must be better-auth, unkey or list');
	END CASE;
END $$;
COMMENT ON FUNCTION wa.common_members(text, jsonb) IS 'for function bodies: a row with folded names in the terms of a plain list, whichever system it is of; raises 22023 for other systems';

CREATE FUNCTION wa.read_digest(given text) RETURNS bytea
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	base64 constant text := translate("left"(given, 43), '-_', '+/') || '=';
	digest bytea;
BEGIN
	IF given ~ E'^(\\\\x)?[0-9A-Fa-f]{64}$' THEN
		digest := decode("right"(given, 64), 'hex');
	ELSIF given ~ '^([0-9A-Za-z+/]{43}=?|[0-9A-Za-z_-]{43}=?)$' AND encode(decode(base64, 'base64'), 'base64') = base64 THEN
		digest := decode(base64, 'base64');
	ELSE
		PERFORM wa.refuse_field('digest', 'must be a SHA-256 digest in hexadecimal or base64, not the key itself');
	END IF;
	RETURN digest;
END $$;
COMMENT ON FUNCTION wa.read_digest(text) IS 'for function bodies: a SHA-256 digest that is written in hexadecimal, base64 or base64url; raises 22023 for anything else';

-- {"files": ["read"]} is files:read.  A list has the names themselves, and so has a text with
-- commas.  JSON may be within a text.
CREATE FUNCTION wa.foreign_permissions(given jsonb) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	CASE jsonb_typeof(given)
		WHEN 'object' THEN
			RETURN ARRAY(SELECT r.key || ':' || a.value FROM jsonb_each(given) r, jsonb_array_elements_text(r.value) a ORDER BY 1);
		WHEN 'array' THEN
			RETURN ARRAY(SELECT jsonb_array_elements_text(given));
		WHEN 'string' THEN
			RETURN CASE WHEN given#>>'{}' ~ E'^\\s*[\\[{]' THEN wa.foreign_permissions((given#>>'{}')::jsonb)
				ELSE string_to_array(replace(given#>>'{}', ' ', ''), ',') END;
		ELSE PERFORM wa.refuse_field('permissions', 'must be names');
	END CASE;
EXCEPTION WHEN invalid_text_representation OR invalid_parameter_value THEN
	PERFORM wa.refuse_field('permissions', 'must be names');
END $$;
COMMENT ON FUNCTION wa.foreign_permissions(jsonb) IS 'for function bodies: the names of the permissions of another system; raises 22023 for what has none';

CREATE FUNCTION wa.read_permissions(given jsonb, names jsonb, absent text[]) RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	theirs constant text[] := NULLIF(wa.foreign_permissions(given), '{}');
	unknown constant text := (SELECT t FROM unnest(theirs) t WHERE NOT names ? t AND t <> ALL (enum_range(NULL::wa.permission)::text[])
		AND NOT EXISTS (SELECT FROM wa.own_permission p WHERE p.name = t AND p.dropped_at IS NULL) LIMIT 1);
BEGIN
	IF unknown IS NOT NULL THEN
		PERFORM wa.refuse_field('permissions', format('have %s, which must be given a name of ours', wa.quoted(unknown)));
	END IF;
	IF theirs IS NULL AND absent IS NULL THEN
		PERFORM wa.refuse_field('permissions', 'are missing, and none are given for such keys');
	END IF;
	RETURN CASE WHEN theirs IS NULL THEN absent
		ELSE ARRAY(SELECT COALESCE(names->>t, t) FROM unnest(theirs) t WHERE names->>t IS DISTINCT FROM '') END;
END $$;
COMMENT ON FUNCTION wa.read_permissions(jsonb, jsonb, text[]) IS
	'for function bodies: the permissions of a key of another system, of both kinds. `names`: ours for theirs, an empty one for what is left out; `absent`: for a key that has none; raises 22023 otherwise';

-- A time in milliseconds, as JavaScript counts it, or as PostgreSQL reads it.
CREATE FUNCTION wa.read_foreign_time(given jsonb) RETURNS timestamptz
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
BEGIN
	RETURN CASE WHEN given#>>'{}' ~ '^[0-9]{1,15}$' THEN to_timestamp((given#>>'{}')::numeric / 1000)
		ELSE (given#>>'{}')::timestamptz END;
EXCEPTION WHEN data_exception THEN
	PERFORM wa.refuse_field('expiresAt', 'must be a time');
END $$;
COMMENT ON FUNCTION wa.read_foreign_time(jsonb) IS 'for function bodies: a time of another system; raises 22023 for anything else';

-- So many requests in so many milliseconds become requests a minute, never more than those.
CREATE FUNCTION wa.read_foreign_rate(given jsonb, OUT per_minute integer, OUT burst integer)
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	requests constant numeric := given->0->>'limit';
	milliseconds constant numeric := given->0->>'duration';
BEGIN
	IF requests IS NULL AND milliseconds IS NULL THEN
		RETURN;
	END IF;
	per_minute := LEAST(floor(requests * 60000 / NULLIF(milliseconds, 0)), 1000000);
	burst := LEAST(requests, 1000000, 60 * per_minute);
	IF jsonb_array_length(given) > 1 THEN
		PERFORM wa.refuse_field('rateLimit', 'is more than one, and a key can have only one');
	ELSIF COALESCE(per_minute, 0) < 1 THEN
		PERFORM wa.refuse_field('rateLimit', format('of %s requests in %s ms is none that a key can have', requests, milliseconds));
	END IF;
EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
	PERFORM wa.refuse_field('rateLimit', 'must be a number of requests and one of milliseconds');
END $$;
COMMENT ON FUNCTION wa.read_foreign_rate(jsonb) IS
	'for function bodies: the rate of a key of another system, a list of one `limit` in one `duration` in milliseconds; raises 22023 for what cannot be requests a minute';

-- What a key begins with, as far as it is shown: five characters behind wa_ or wa_test_.
CREATE FUNCTION wa.shown_prefix(given text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN "left"(given, CASE WHEN given LIKE 'wa\_test\_%' THEN 13 ELSE 8 END);
COMMENT ON FUNCTION wa.shown_prefix(text) IS 'for function bodies: the beginning of a key of another system, as far as it is stored';

-- A word that is not understood must not make a key of the other kind.
CREATE FUNCTION wa.read_test(given jsonb) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF jsonb_typeof(given) <> 'boolean' THEN
		PERFORM wa.refuse_field('test', 'must be true or false');
	END IF;
	RETURN COALESCE(given::boolean, false);
END $$;
COMMENT ON FUNCTION wa.read_test(jsonb) IS 'for function bodies: whether a row is a test key, false for NULL; raises 22023 for what is not true or false';

CREATE FUNCTION wa.read_foreign_key(given jsonb, org uuid, names jsonb, absent text[], with_rates boolean) RETURNS wa.foreign_key
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key wa.foreign_key;
	ours text[];
BEGIN
	key.org := COALESCE((given->>'organizationid')::wa.org_id, org::wa.org_id);
	key.name := COALESCE(NULLIF(btrim(given->>'name'), ''), 'imported key');
	key.digest := wa.read_digest(given->>'digest');
	key.prefix := wa.shown_prefix(COALESCE(given->>'prefix', 'wa_'));
	-- What a key begins with says whether it can ever be accepted.
	IF key.prefix = '' THEN
		PERFORM wa.refuse_field('start', 'must be what the key begins with, because only keys that begin with wa_ are accepted');
	ELSIF key.prefix !~ '^wa_' THEN
		PERFORM wa.refuse_field('prefix', format('is %s, but only keys that begin with wa_ are accepted', wa.quoted(key.prefix)));
	END IF;
	IF given ? 'remaining' THEN
		PERFORM wa.refuse_field('remaining', 'limits the number of uses, which a key cannot have');
	END IF;
	ours := wa.read_permissions(given->'permissions', names, absent);
	key.permissions := ARRAY(SELECT o FROM unnest(ours) o WHERE o NOT LIKE '%:%')::wa.permissions;
	key.own_permissions := ARRAY(SELECT o FROM unnest(ours) o WHERE o LIKE '%:%');
	key.expires_at := wa.read_foreign_time(given->'expiresat');
	key.enabled := COALESCE(given->>'enabled', 'true') NOT IN ('false', '0');
	key.test := wa.read_test(given->'test');
	IF with_rates THEN
		SELECT COALESCE(r.per_minute, (given->>'requestsperminute')::integer), COALESCE(r.burst, (given->>'burst')::integer)
		INTO key.per_minute, key.burst FROM wa.read_foreign_rate(COALESCE(given->'ratelimits', '[]')) r;
	END IF;
	RETURN key;
END $$;
COMMENT ON FUNCTION wa.read_foreign_key(jsonb, uuid, jsonb, text[], boolean) IS
	'for function bodies: a row in common terms as the key that it becomes; raises 22023 for what cannot be one';

-- Where names need not differ, the second key of a name gets the number of its row.
CREATE FUNCTION wa.import_named(key wa.foreign_key, place bigint) RETURNS uuid
	LANGUAGE plpgsql
AS $$
DECLARE
	broken_constraint text;
	number constant text := format(' (%s)', place);
BEGIN
	RETURN wa.import_key(key.org, key.name, key.digest, key.permissions, key.expires_at, key.prefix,
						 per_minute => key.per_minute, burst => key.burst, own_permissions => key.own_permissions, test => key.test);
EXCEPTION WHEN unique_violation THEN
	GET STACKED DIAGNOSTICS broken_constraint = CONSTRAINT_NAME;
	IF broken_constraint <> 'api_key_live_name' THEN
		RAISE;
	END IF;
	RETURN wa.import_key(key.org, "left"(key.name, 100 - char_length(number)) || number, key.digest, key.permissions, key.expires_at, key.prefix,
						 per_minute => key.per_minute, burst => key.burst, own_permissions => key.own_permissions, test => key.test);
END $$;
COMMENT ON FUNCTION wa.import_named(wa.foreign_key, bigint) IS
	'for function bodies: imports a key, by its name and its place if a live key has the name';

CREATE FUNCTION wa.import_row(given jsonb, place bigint, org uuid, names jsonb, absent text[], with_rates boolean) RETURNS wa.import_result
	LANGUAGE plpgsql
AS $$
DECLARE
	key wa.foreign_key;
	result wa.import_result;
	broken_constraint text;
BEGIN
	result.place := place;
	result.name := "left"(given->>'name', 100);
	result.prefix := wa.shown_prefix(given->>'prefix');
	key := wa.read_foreign_key(given, org, names, absent, with_rates);
	result.name := key.name;
	result.prefix := key.prefix;
	result.permissions := key.permissions::text[] || key.own_permissions;
	result.result := 'expired';
	IF EXISTS (SELECT FROM wa.api_key k WHERE k.digest = key.digest) THEN
		result.result := 'exists';
	ELSIF key.expires_at IS NULL OR key.expires_at > clock_timestamp() THEN
		result.key := wa.import_named(key, place);
		result.name := (SELECT k.name FROM wa.api_key k WHERE k.org_id = key.org AND k.id = result.key::uuid);
		result.result := 'imported';
		IF NOT key.enabled THEN
			PERFORM wa.disable_key(result.key);
		END IF;
	END IF;
	RETURN result;
EXCEPTION WHEN data_exception OR unique_violation OR no_data_found OR configuration_limit_exceeded THEN
	GET STACKED DIAGNOSTICS broken_constraint = CONSTRAINT_NAME;
	result.result := CASE broken_constraint WHEN 'api_key_digest_key' THEN 'exists' ELSE 'refused' END;
	result.reason := CASE result.result WHEN 'refused' THEN SQLERRM END;
	result.key := NULL;
	RETURN result;
END $$;
COMMENT ON FUNCTION wa.import_row(jsonb, bigint, uuid, jsonb, text[], boolean) IS
	'for function bodies: imports one row in common terms, or says why not';

CREATE FUNCTION wa.import_keys(source text, org wa.org_id, keys text, permissions text[] DEFAULT NULL,
							   names jsonb DEFAULT '{}', with_rates boolean DEFAULT true, dry_run boolean DEFAULT false,
							   test boolean DEFAULT false) RETURNS SETOF wa.import_result
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	results wa.import_result[] := '{}';
	kind constant jsonb := CASE WHEN test THEN '{"test": true}' ELSE '{}' END;
	given jsonb;
	place bigint;
BEGIN
	PERFORM wa.refuse_under_key();
	PERFORM ARRAY(SELECT p FROM unnest(permissions) p WHERE p NOT LIKE '%:%')::wa.permissions;
	PERFORM wa.read_own_permissions(ARRAY(SELECT p FROM unnest(permissions) p WHERE p LIKE '%:%'), 'permissions', false);
	BEGIN
		FOR given, place IN SELECT r.value, r.ordinality FROM jsonb_array_elements(wa.read_import(keys)) WITH ORDINALITY r LOOP
			given := wa.common_members(source, wa.fold_members(given)) || kind;
			results := results || wa.import_row(given, place, org, names, permissions, with_rates);
		END LOOP;
		IF dry_run THEN
			RAISE EXCEPTION USING ERRCODE = 'WA003';
		END IF;
	EXCEPTION WHEN SQLSTATE 'WA003' THEN
		results := ARRAY(SELECT ROW(r.place, r.name, r.prefix, r.permissions, r.result, NULL, r.reason)::wa.import_result
						 FROM unnest(results) r ORDER BY r.place);
	END;
	RETURN QUERY SELECT * FROM unnest(results);
END $$;
COMMENT ON FUNCTION wa.import_keys(text, wa.org_id, text, text[], jsonb, boolean, boolean, boolean) IS
	'takes over keys that another system issued, by their SHA-256 digests; they go on working as they are. `keys`: its rows as a JSON list, or an '
	'object on each line. `source`: whose rows they are, `better-auth` (table `apikey`), `unkey` (`hash`, `start`, `name`, `expires`, `enabled`, `permissions`, '
	'`ratelimits`) or `list` (`name`, `digest`, `prefix`, `permissions`, `expiresAt`, `enabled`, `requestsPerMinute`, `burst`, `test`). A row may have an '
	'`organizationId`; the others become keys of `org`. `permissions`: of keys that have none. `names`: our names for their permissions, of the four or of `wa.define_permission()`, '
	'such as `{"messages:write": "send"}`, and `""` for what is left out. `with_rates`: whether their rates are taken over. `dry_run`: changes nothing and says what would be done. `test`: all become test keys, which reach sessions of the sandbox only; without it those whose `test` is true do. '
	'A row that cannot be taken over as it is changes nothing, and the result says why. `22023` (`keys`, `source`)';
