SELECT wa.connector_presence($1, $2, $3, $4)
