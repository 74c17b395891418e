"""The application in Python, with psycopg 3.

    python3 invoices.py add NUMBER TOTAL | pay NUMBER | remove NUMBER | list

The key is in INVOICE_KEY, the database in the variables of libpq (PGHOST, ...).  Prints the
invoices concerned as JSON, one a line.  A refusal ends with exit code 1 and the error's
SQLSTATE and message.
"""
import contextlib
import json
import os
import sys

import psycopg
from psycopg.rows import dict_row

# What each command needs.  A change with a condition, or with RETURNING, reads as well.  No
# statement names the organization: it is the key's.
COMMANDS = {
    "list": (["invoices:read"], "SELECT number, total, paid FROM invoice ORDER BY number"),
    "add": (["invoices:write", "invoices:read"], "INSERT INTO invoice (number, total) VALUES (%s, %s) RETURNING number, total, paid"),
    "pay": (["invoices:write", "invoices:read"], "UPDATE invoice SET paid = true WHERE number = %s RETURNING number, total, paid"),
    "remove": (["invoices:remove", "invoices:read"], "DELETE FROM invoice WHERE number = %s RETURNING number, total, paid"),
}


@contextlib.contextmanager
def with_key(connection, key, needs):
    """A transaction that acts with a key and has the permissions that it needs."""
    with connection.transaction():
        connection.execute("SELECT wa.authenticate_for(%s, %s)", (key, needs))
        yield connection


def main(command, *values):
    needs, sql = COMMANDS[command]
    # The driver would prepare a statement that is repeated, under a name that a pool in
    # transaction mode loses.
    with psycopg.connect(autocommit=True, row_factory=dict_row, prepare_threshold=None) as connection:
        try:
            with with_key(connection, os.environ["INVOICE_KEY"], needs):
                rows = connection.execute(sql, values).fetchall()
        except psycopg.Error as error:
            sys.exit(f"{error.sqlstate} {error.diag.message_primary}")
    for row in rows:
        print(json.dumps(row))


main(*sys.argv[1:])
