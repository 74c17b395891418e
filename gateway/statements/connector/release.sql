SELECT wa.connector_release($1)
