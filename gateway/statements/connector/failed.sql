SELECT wa.connector_failed($1, $2, $3)
