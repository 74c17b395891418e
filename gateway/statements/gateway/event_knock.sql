-- $1 name of this gateway.  Ends its event_wait.
SELECT wa.knock($1::uuid)
