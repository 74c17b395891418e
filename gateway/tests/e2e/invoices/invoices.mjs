/*
 * invoices.mjs
 *		The application in Node, with the package "pg".
 *
 *	node invoices.mjs add NUMBER TOTAL | pay NUMBER | remove NUMBER | list
 *
 * The key is in INVOICE_KEY, the database in the variables of libpq (PGHOST, ...).  Prints the
 * invoices concerned as JSON, one a line.  A refusal ends with exit code 1 and the error's
 * SQLSTATE and message.
 *
 * Queries have no "name", so that the driver prepares nothing that a pool in transaction mode
 * would lose.
 */
import pg from 'pg';

const pool = new pg.Pool({ max: 4 });

/* Runs work(query) in one transaction that acts with a key and has the permissions that it needs. */
export async function withKey(key, needs, work)
{
	const client = await pool.connect();

	try
	{
		await client.query('BEGIN');
		await client.query('SELECT wa.authenticate_for($1, $2)', [key, needs]);

		const result = await work(async (sql, values) => (await client.query(sql, values)).rows);

		await client.query('COMMIT');
		return result;
	}
	catch (error)
	{
		await client.query('ROLLBACK');
		throw error;
	}
	finally
	{
		client.release();
	}
}

/*
 * What each command needs.  A change with a condition, or with RETURNING, reads as well.  No
 * statement names the organization: it is the key's.
 */
const commands = {
	list: [['invoices:read'], 'SELECT number, total, paid FROM invoice ORDER BY number'],
	add: [['invoices:write', 'invoices:read'], 'INSERT INTO invoice (number, total) VALUES ($1, $2) RETURNING number, total, paid'],
	pay: [['invoices:write', 'invoices:read'], 'UPDATE invoice SET paid = true WHERE number = $1 RETURNING number, total, paid'],
	remove: [['invoices:remove', 'invoices:read'], 'DELETE FROM invoice WHERE number = $1 RETURNING number, total, paid'],
};

const [command, ...values] = process.argv.slice(2);
const [needs, sql] = commands[command];

try
{
	for (const row of await withKey(process.env.INVOICE_KEY, needs, (query) => query(sql, values)))
		console.log(JSON.stringify(row));
}
catch (error)
{
	console.error(`${error.code} ${error.message}`);
	process.exitCode = 1;
}
await pool.end();
