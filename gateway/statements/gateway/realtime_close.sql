-- $1 the socket's credential.  Runs without a credential, because that may be worth nothing by now.
SELECT wa.close_socket($1::wa.secret)
