SELECT wa.sign_out($1::wa.secret)
