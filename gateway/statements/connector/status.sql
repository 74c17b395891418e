SELECT wa.connector_status($1, $2, $3, $4)
