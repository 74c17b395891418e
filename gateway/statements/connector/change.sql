SELECT wa.connector_change($1, $2, $3, $4, $5, $6)
