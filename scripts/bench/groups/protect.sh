# shellcheck shell=bash
#
# wa.self_check(), which every program runs at its start, with many protected tables.

TABLES=$(pick 1500 20)
script check "unbound :count" "self_check"

load wa_gateway_login few -n "$(pick 5 2)" -w 0 -- check
query >/dev/null <<-SQL
	CREATE SCHEMA app;
	DO \$\$
	BEGIN
		FOR n IN 1 .. $TABLES LOOP
			EXECUTE format('CREATE TABLE app.%I (org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id))', 'table_' || n);
			PERFORM wa.protect(format('app.%I', 'table_' || n));
			IF n % 100 = 0 THEN
				COMMIT;
			END IF;
		END LOOP;
	END \$\$;
SQL
query -c "VACUUM ANALYZE"
load wa_gateway_login many -n "$(pick 5 2)" -w 0 -- check

heading "wa.self_check(), before each start"
row check_few "without tables of an application" "$(milliseconds few_check_p50)" ms
row check_many "with $TABLES protected tables" "$(milliseconds many_check_p50)" ms "<= 500"
