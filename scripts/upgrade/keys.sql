-- Prints what each key may see and do, and what is possible without a key, for an
-- application with the login "app".  An error is a result: its code is printed.  Nothing is
-- changed.
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate

SELECT 'BEGIN', format('SELECT %L AS key, wa.authenticate(%L) IS NOT NULL AS accepted', name, secret),
	'SELECT wa.current_permissions()',
	'SELECT string_agg(label, '','' ORDER BY label) AS sessions FROM wa.session',
	'SELECT count(*) AS messages, md5(string_agg(body, '','' ORDER BY id)) FROM wa.message',
	'SELECT string_agg(note, '','' ORDER BY id) AS entries FROM public.entry',
	'SELECT string_agg(note, '','') AS invoices FROM public.invoice',
	'SELECT string_agg(note, '','') AS open_partition FROM public.entry_1',
	'SELECT string_agg(note, '','') AS closed_partition FROM public.entry_2',
	'ROLLBACK'
FROM (SELECT name, secret FROM public.known UNION ALL SELECT 'nobody', NULL) k ORDER BY name \gexec

-- Each of these is the last statement of its transaction, because all but the last two are
-- refused.
SELECT 'BEGIN', format('SELECT %L AS key, wa.authenticate(%L) IS NOT NULL AS accepted', k.name, k.secret), attempt, 'ROLLBACK'
FROM public.known k CROSS JOIN unnest(ARRAY[
	'SELECT * FROM wa.api_key', 'SELECT secret FROM wa.webhook', 'SELECT wa.act_for(wa.current_org())',
	'INSERT INTO public.invoice SELECT wa.uuid7(), 2, ''of another organization''',
	'INSERT INTO public.invoice VALUES (wa.current_org(), 2, ''of this one'')',
	'SELECT count(*) AS events, max(ordinal) > 0 AS places FROM wa.read_events(max => 100)']) WITH ORDINALITY a (attempt, place)
WHERE k.name IN ('reads ours', 'all of ours', 'test of ours', 'all of theirs') ORDER BY k.name, place \gexec
