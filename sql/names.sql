-- Names: what is one, how it is stored, and which look alike.  One rule for
-- organizations, people, keys and sessions; an address obeys it as well.
\set superuser :USER
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE FUNCTION public.points(t text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN c ~ '^[ -~]$' THEN c ELSE format('<%s>', upper(to_hex(ascii(c)))) END, '' ORDER BY place)
	FROM regexp_split_to_table(t, '') WITH ORDINALITY s (c, place)
$$;
-- What is stored of what was typed.
SELECT what, points(typed) AS typed, points(wa.clean_name(typed)) AS stored, wa.is_name(typed) AS as_it_stands
FROM (VALUES
	(1, 'plain', 'Shop server'), (2, 'blanks around and between', '  Shop   server '),
	(3, 'other blanks', E'\u00A0Shop\u3000\u2003server\u202F'), (4, 'decomposed', E'Cafe\u0301'), (5, 'composed', E'Caf\u00E9'),
	(6, 'ångström sign', E'\u212B'), (7, 'hangul of parts', E'\u1112\u1161\u11AB'), (8, 'two marks in another order', E'a\u0301\u0323')) v (place, what, typed)
ORDER BY place;
-- What stays as it is: scripts that need joiners, emoji, marks, signs that enclose.
SELECT what, points(name) AS name, wa.name_problem(name) IS NULL AS accepted
FROM (VALUES
	(1, 'family', E'\U0001F468\u200D\U0001F469\u200D\U0001F467'), (2, 'red heart', E'\u2764\uFE0F'), (3, 'with skin', E'\U0001F469\U0001F3FD\u200D\U0001F680'),
	(4, 'rainbow flag', E'\U0001F3F3\uFE0F\u200D\U0001F308'), (5, 'keycap', E'1\uFE0F\u20E3'), (6, 'flag', E'\U0001F1E9\U0001F1EA'), (7, 'heart as text', E'\u2764\uFE0E'),
	(8, 'persian with a non-joiner', E'\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645'), (9, 'sinhala with a joiner', E'\u0DC1\u0DCA\u200D\u0DBB\u0DD3'),
	(10, 'devanagari with a non-joiner', E'\u0915\u094D\u200C\u0937'), (11, 'arabic number sign', E'\u0600\u0661'), (12, 'thai', E'\u0E01\u0E33\u0E41\u0E1E\u0E07'),
	(13, 'hebrew with points', E'\u05E9\u05C1\u05B8\u05DC\u05D5\u05B9\u05DD'), (14, 'tibetan', E'\u0F56\u0F66\u0F92\u0FB2\u0F74\u0F56\u0F66')) v (place, what, name)
ORDER BY place;
-- What is refused, and why: everywhere with the same words.
SELECT what, wa.clean_name(name) IS NULL AS refused, wa.is_name(name) AS as_it_stands, wa.name_problem(name)
FROM (VALUES
	(1, 'nothing', ''), (2, 'blanks', '   '), (3, 'other blanks', E'\u00A0\u3000'), (4, '101 characters', repeat('x', 101)), (5, 'a line break', E'a\nb'),
	(6, 'a control', E'a\u0007'), (7, 'C1', E'a\u0085b'), (8, 'zero width space', E'Olga\u200B'), (9, 'word joiner', E'a\u2060b'), (10, 'byte order mark', E'\uFEFFa'),
	(11, 'soft hyphen', E'a\u00ADb'), (12, 'right to left override', E'\u202EaglO'), (13, 'isolate', E'\u2066a\u2069'), (14, 'mark of direction', E'a\u200F'),
	(15, 'hangul filler', E'\u3164'), (16, 'half width filler', E'\uFFA0'), (17, 'jamo fillers', E'\u115F\u1160'), (18, 'grapheme joiner', E'a\u034Fb'),
	(19, 'joiner between letters', E'a\u200Db'), (20, 'non-joiner between letters', E'a\u200Cb'), (21, 'joiner at the end', E'\U0001F468\u200D'), (22, 'selector behind a letter', E'a\uFE0F'),
	(23, 'another selector', E'\u2764\uFE00'), (24, 'ideographic selector', E'\u845B\U000E0100'), (25, 'tag', E'a\U000E0061'), (26, 'mongolian', E'a\u180E'),
	(27, 'braille blank', E'\u2800'), (28, 'line separator', E'a\u2028b'), (29, 'annotation', E'\uFFF9a'), (30, 'private', E'\uE000'), (31, 'noncharacter', E'\uFFFE'),
	(32, 'unassigned', E'\u0378'), (33, 'a mark alone', E'\u0301'), (34, 'a mark behind a blank', E'a \u0301'), (35, 'marks upon marks', E'a' || repeat(E'\u0321', 5)),
	(36, 'musical format', E'\U0001D173'), (37, 'shorthand format', E'\U0001BCA0')) v (place, what, name)
ORDER BY place;
-- Characters count before and after; one that becomes many in a comparison does no harm.
SELECT char_length(wa.clean_name(repeat(E'e\u0301', 50))) AS composed, wa.name_problem(repeat(E'e\u0301', 51)) AS typed, wa.name_problem(repeat(E'\U0001D15E', 51)) AS decomposed;
SELECT char_length(wa.name_skeleton(repeat(E'\uFDFA', 100))) AS skeleton, char_length(wa.clean_name(repeat(E'\U0001F600', 100))) AS emoji;

-- Everywhere a name comes in: the same answer.
SELECT * FROM error_of(E'SELECT wa.create_org(''Ac\u200Bme'')');
SELECT * FROM error_of(E'SELECT wa.create_user(''n@names.example'', ''\u202EaglO'', ''correct horse'')');
SELECT wa.create_org(E'  Cafe\u0301\u00A0 Paris ') AS names \gset
SELECT points(name) FROM wa.org WHERE id = :'names';
SELECT id AS nora FROM wa.create_user(E'No\u0308ra@names.example', E'No\u0308ra', 'correct horse') \gset
SELECT points(name) AS name, points(email) AS email FROM wa.app_user WHERE id = :'nora';
SELECT * FROM error_of(format('SELECT wa.create_key(%L, E''key\uFEFF'', ''{read}'')', :'names'));
SELECT secret FROM wa.create_key(:'names', 'all', '{read,manage}') \gset
SELECT * FROM error_of(E'SELECT wa.create_user(''o\u200Blga@names.example'', ''Olga'', ''correct horse'')');
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT error_of($$SELECT wa.create_session(E'phone\u2028')$$);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT error_of($$SELECT wa.create_session('   ')$$);
SELECT wa.authenticate(:'secret') IS NOT NULL \; SELECT points((wa.create_session(E' Bu\u0308ro ')).label) AS label, (wa.create_session()).label AS none;
-- An account is found however its address was typed, and is there once.
SELECT * FROM error_of(E'SELECT wa.create_user(''N\u00D6RA@names.example'', ''Nora'', ''correct horse'')');
SELECT wa.add_member(:'names', :'nora', 'owner');
SELECT user_id = :'nora' AS signed_in FROM wa.sign_in(E'no\u0308ra@names.example', 'correct horse', '192.0.2.7', 'x');
SELECT cookie FROM wa.sign_in(E'n\u00F6ra@names.example', 'correct horse', '192.0.2.7', 'x') \gset
SELECT token FROM wa.mint_user_token(:'cookie') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT error_of($$SELECT wa.invite_member(E'No\u0308ra@names.example', 'member')$$);
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT error_of($$SELECT wa.invite_member(E'a\u2060b@names.example', 'member')$$);
-- People, organizations and sessions may share a name; what tells them apart stands beside it.
SELECT count(*) FROM (SELECT wa.create_org('Same') UNION ALL SELECT wa.create_org('Same')) s;
SELECT count(*) FROM wa.create_user('nora2@names.example', E'N\u00F6ra', 'correct horse');

-- Keys are found, and revoked, by their name: of two that live none looks like the other.
SELECT count(*) FROM wa.create_key(:'names', 'paypal 10', '{read}');
SELECT what, error_of(format('SELECT wa.create_key(%L, %L, ''{read}'')', :'names', name))
FROM (VALUES (1, 'case', 'PayPal 10'), (2, 'cyrillic', E'p\u0430yp\u0430l 10'), (3, 'digit for letter', 'paypa1 10'), (4, 'letters for digits', 'paypal lo'),
	(5, 'full width', E'\uFF50aypal 10'), (6, 'blanks', E' paypal\u00A0\u00A010'), (7, 'mathematical', E'\U0001D429aypal 10')) v (place, what, name)
ORDER BY place;
SELECT count(*) AS made FROM (VALUES ('paypal 20'), ('paypals 10'), ('pay pal 10'), (E'pa\u00FFpal 10')) v (name), wa.create_key(:'names', name, '{read}');
-- ... also when one is renamed, and not when the other one has ended.
SELECT id AS other FROM wa.create_key(:'names', 'other', '{read}') \gset
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT error_of(format($$SELECT wa.update_api_key(%L, E'p\u0430ypal 10')$$, :'other'));
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'other', 'OTHER') = :'other' AS renamed;
SELECT wa.revoke_key(:'names', E'  Paypal   10 ') AS revoked;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'other', E'p\u0430ypal 10') = :'other' AS renamed;
UPDATE wa.api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE id = :'other';
SELECT count(*) AS made FROM wa.create_key(:'names', 'paypal 10', '{read}');
-- In another organization it is another matter.
SELECT count(*) AS made FROM fixture f, wa.create_key(f.value::uuid, 'paypal 10', '{read}') WHERE f.name = 'acme';
-- A name that another release of Unicode took stays the key's: it stands in no change's
-- way, and the key is revoked by it.
SELECT id AS aged FROM wa.create_key(:'names', 'aged', '{read}') \gset
UPDATE wa.api_key SET name = E'a\u200Bged' WHERE id = :'aged';
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT wa.update_api_key(:'aged', permissions => '{send}') = :'aged' AS changed;
SELECT wa.authenticate(:'token') IS NOT NULL \; SELECT error_of(format($$SELECT wa.update_api_key(%L, E'a\u200Bged')$$, :'aged'));
SELECT wa.revoke_key(:'names', E' A\u200Bged ') AS revoked;
-- A rotated key's successor is named as it is.
SELECT count(*) AS rotated FROM wa.keys k, wa.rotate_key(k.id) WHERE k.org_id = :'names' AND k.name = 'paypal 20';
SELECT wa.clean_name(NULL), wa.name_problem(NULL), wa.is_name(NULL), wa.name_skeleton(NULL), wa.name_skeleton(E'\u200B'), wa.clean_email(repeat('x', 255));
