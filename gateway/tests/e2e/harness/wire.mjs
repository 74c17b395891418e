/*
 * wire.mjs
 *		PostgreSQL's protocol, version 3, spoken by hand.
 *
 * Attacks on the protocol need a client that sends what no library would send.  The same
 * client is the administrator of the tests, so that they need no package.
 *
 * Wire.open() makes a connection.  sql() is for ordinary work: rows as objects, values as
 * text, errors thrown as WireError.  send() and receive() are for the rest: messages made
 * with "message", answers up to the next ReadyForQuery, nothing thrown.
 */
import net from 'node:net';
import { onEnd } from './processes.mjs';

/* Fields of an error by their letter. */
const FIELDS = {
	S: 'severity', C: 'code', M: 'message', D: 'detail', H: 'hint', W: 'context', c: 'column', n: 'constraint',
	q: 'internalQuery', p: 'internalPosition', P: 'position', s: 'schema', t: 'table', d: 'dataType', F: 'file', L: 'line', R: 'routine',
};

export class WireError extends Error
{
	constructor(fields)
	{
		super(`${fields.severity} ${fields.code}: ${fields.message}`);
		Object.assign(this, fields);
		this.text = fields.message;
	}
}

/* ---- making messages ---- */

const int16 = (number) => { const out = Buffer.alloc(2); out.writeInt16BE(number); return out; };
const int32 = (number) => { const out = Buffer.alloc(4); out.writeInt32BE(number); return out; };
const text = (string) => Buffer.concat([Buffer.from(string), Buffer.from([0])]);

/* A message of any type, and with any body. */
export function frame(type, ...parts)
{
	const body = Buffer.concat(parts);

	return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

/* A string is sent in text format, a Buffer in binary, null as NULL. */
function values(list)
{
	const formats = list.map((value) => int16(Buffer.isBuffer(value) ? 1 : 0));
	const data = list.map((value) =>
	{
		if (value === null)
			return int32(-1);

		const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));

		return Buffer.concat([int32(bytes.length), bytes]);
	});

	return Buffer.concat([int16(list.length), ...formats, int16(list.length), ...data]);
}

export const message = {
	query: (sql) => frame('Q', text(sql)),
	parse: (name, sql, types = []) => frame('P', text(name), text(sql), int16(types.length), ...types.map(int32)),
	bind: (statement, list = [], portal = '') =>
		frame('B', text(portal), text(statement), values(list), int16(0)),
	describe: (kind, name) => frame('D', Buffer.from(kind), text(name)),
	execute: (portal = '', rows = 0) => frame('E', text(portal), int32(rows)),
	close: (kind, name) => frame('C', Buffer.from(kind), text(name)),
	sync: () => frame('S'),
	flush: () => frame('H'),
	copyData: (data) => frame('d', Buffer.from(data)),
	copyDone: () => frame('c'),
	copyFail: (why) => frame('f', text(why)),
	functionCall: (oid, list) => frame('F', int32(oid), values(list), int16(0)),
	terminate: () => frame('X'),
};

/* The first message of a connection, which has no type. */
export function startup(options, version = 3 << 16)
{
	const pairs = Object.entries(options).flatMap(([name, value]) => [text(name), text(value)]);
	const body = Buffer.concat([int32(version), ...pairs, Buffer.from([0])]);

	return Buffer.concat([int32(body.length + 4), body]);
}

/* ---- reading messages ---- */

function readStrings(body)
{
	return body.toString('utf8').split('\0');
}

function readFields(body)
{
	const fields = {};

	for (const part of readStrings(body))
	{
		if (part !== '' && FIELDS[part[0]])
			fields[FIELDS[part[0]]] = part.slice(1);
	}
	return fields;
}

function readColumns(body)
{
	const names = [];
	let at = 2;

	for (let i = body.readInt16BE(0); i > 0; i--)
	{
		const end = body.indexOf(0, at);

		names.push(body.toString('utf8', at, end));
		at = end + 19;
	}
	return names;
}

function readRow(body)
{
	const row = [];
	let at = 2;

	for (let i = body.readInt16BE(0); i > 0; i--)
	{
		const length = body.readInt32BE(at);

		at += 4;
		row.push(length < 0 ? null : body.toString('utf8', at, at + length));
		at += Math.max(length, 0);
	}
	return row;
}

/* The values by their columns, if those are the ones that were described. */
function named(row, columns)
{
	return columns?.length === row.length ? Object.fromEntries(row.map((value, i) => [columns[i], value])) : row;
}

/* ---- a connection ---- */

export class Wire
{
	/*
	 * Connects and logs in.  "where" has a unix socket's folder, a port, a user and a
	 * database; everything in "options" goes into the startup packet.
	 */
	static async open({ user, database, ...where }, options = {})
	{
		const wire = Wire.connect(where);
		const { error } = await wire.exchange(startup({ user, database, ...options }));

		if (error)
		{
			wire.socket.destroy();
			throw error;
		}
		onEnd(() => wire.close(), () => wire.socket.destroy());
		return wire;
	}

	/* A connection on which nothing has been said. */
	static connect({ host, port })
	{
		return new Wire(net.connect(`${host}/.s.PGSQL.${port}`));
	}

	constructor(socket)
	{
		this.socket = socket;
		this.input = Buffer.alloc(0);
		this.messages = [];
		this.waiting = [];
		this.ended = false;
		this.before = Promise.resolve();
		socket.on('data', (data) => this.take(data));
		socket.on('error', () => {});
		socket.on('close', () =>
		{
			this.ended = true;
			this.wake();
		});
	}

	take(data)
	{
		this.input = this.input.length > 0 ? Buffer.concat([this.input, data]) : data;
		while (this.input.length >= 5)
		{
			const length = 1 + this.input.readInt32BE(1);

			if (this.input.length < length)
				break;
			this.messages.push({ type: String.fromCharCode(this.input[0]), body: this.input.subarray(5, length) });
			this.input = this.input.subarray(length);
		}
		this.wake();
	}

	wake()
	{
		while (this.waiting.length > 0 && (this.messages.length > 0 || this.ended))
			this.waiting.shift()(this.messages.shift() ?? null);
	}

	/* The next message of the server; null when the connection is over. */
	next()
	{
		return new Promise((resolve) =>
		{
			this.waiting.push(resolve);
			this.wake();
		});
	}

	send(...messages)
	{
		this.socket.write(Buffer.concat(messages));
	}

	/*
	 * Everything up to the next ReadyForQuery (or the end of the connection):
	 * { rows, commands, errors, error, types, status }.  "types" are the letters of all
	 * messages in their order.
	 */
	async receive()
	{
		const got = { rows: [], commands: [], errors: [], error: null, types: '', status: null };
		let columns = null;

		for (;;)
		{
			const { type, body } = await this.next() ?? { type: null };

			if (type === null)
				break;
			got.types += type;
			if (type === 'T')
				columns = readColumns(body);
			else if (type === 'D')
				got.rows.push(named(readRow(body), columns));
			else if (type === 'C')
				got.commands.push(readStrings(body)[0]);
			else if (type === 'E')
				got.errors.push(new WireError(readFields(body)));
			else if (type === 'K')
				this.backend = { pid: body.readInt32BE(0), key: body.subarray(4) };
			else if (type === 'V')
				got.value = body.readInt32BE(0) < 0 ? null : body.subarray(4);
			else if (type === 'Z')
			{
				got.status = String.fromCharCode(body[0]);
				break;
			}
		}
		got.error = got.errors[0] ?? null;
		return got;
	}

	async exchange(...messages)
	{
		this.send(...messages);
		return await this.receive();
	}

	/* One statement with parameters in the unnamed statement and portal. */
	async execute(sql, list = [])
	{
		return await this.exchange(message.parse('', sql), message.bind('', list), message.describe('P', ''),
			message.execute(), message.sync());
	}

	/*
	 * Rows of a statement, or of the last of several without parameters; an error is thrown.
	 * Calls at the same time are run one after the other.
	 */
	sql(sql, list = [])
	{
		const got = this.before.then(() => (list.length > 0 ? this.execute(sql, list) : this.exchange(message.query(sql))));

		this.before = got.catch(() => {});
		return got.then(({ error, status, rows }) =>
		{
			if (error)
				throw error;
			if (status === null)
				throw new Error('the server closed the connection');
			return rows;
		});
	}

	/* The one value of the one row. */
	async value(sql, list = [])
	{
		const rows = await this.sql(sql, list);

		return rows.length > 0 ? Object.values(rows[0])[0] : undefined;
	}

	async close()
	{
		if (this.ended)
			return;
		this.socket.end(message.terminate());
		await new Promise((resolve) =>
		{
			this.socket.on('close', resolve);
			this.socket.resume();
		});
	}
}
