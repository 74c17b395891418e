-- $1 message or action, $2 owner
SELECT wa.connector_attachment($1, $2)
