SELECT COALESCE(jsonb_agg(jsonb_build_object('name', k.name, 'capabilities', k.capabilities) ORDER BY k.place), '[]') AS connectors
FROM wa.list_connectors() WITH ORDINALITY AS k (name, capabilities, place)
