-- An application of invoices: a table of one's own under the keys of the gateway, and the
-- login that the application's processes use.  Run by a superuser, or by the owner of the
-- database who is in wa_admin.
CREATE SCHEMA shop;

CREATE TABLE shop.invoice (
	org_id uuid NOT NULL DEFAULT wa.current_org(),
	id     uuid NOT NULL DEFAULT wa.uuid7(),
	number text NOT NULL,
	total  integer NOT NULL CHECK (total >= 0),
	paid   boolean NOT NULL DEFAULT false,
	PRIMARY KEY (org_id, id),
	UNIQUE (org_id, number)
);

-- The application has permissions of its own, so that its keys need none of the gateway's.
-- People may give two of them to keys; only administrators give the third.
SELECT wa.define_permission('invoices:read', 'Sees invoices', grantable => true);
SELECT wa.define_permission('invoices:write', 'Adds and pays invoices', grantable => true);
SELECT wa.define_permission('invoices:remove', 'Removes invoices');
SELECT wa.protect('shop.invoice', read => 'invoices:read', write => 'invoices:write', delete => 'invoices:remove');

CREATE ROLE shop LOGIN IN ROLE wa_app;
-- The functions of the extension need no search path.
ALTER ROLE shop SET search_path = shop;
GRANT USAGE ON SCHEMA shop TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.invoice TO shop;
