SELECT COALESCE(jsonb_agg(jsonb_build_object('name', p.name, 'description', p.description) ORDER BY p.place), '[]') AS permissions
FROM wa.list_permissions() WITH ORDINALITY AS p (name, description, place)
