/*
 * plain_connector.mjs
 *		A connector as somebody else would write one, in a language of his own: everything that
 *		docs/connectors.md asks for, and nothing else.  Its far side is far_sides/plain.mjs.
 *
 * WA_TEST_FAULT makes it break one rule; each rule has a fault, so that faults.test.mjs can show
 * that the check of that rule finds it.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sodium from 'libsodium-wrappers';
import pg from 'pg';

const { WA_TEST_DATABASE, WA_TEST_CONNECTOR, WA_TEST_MEDIA_DIR, WA_TEST_KEY_FILE, WA_TEST_FAR_URL, WA_TEST_FAULT } = process.env;
const LEASE = '15 seconds';
const POLL_MS = 30;
const has = (fault) => WA_TEST_FAULT === fault;
const CONNECTOR = has('another_kind') ? 'none' : WA_TEST_CONNECTOR;
const OWNER = has('another_owner') ? 'somebody' : process.env.WA_TEST_OWNER;

/* ---- statements ---- */

const folder = new URL('../../statements/connector/', import.meta.url);
const texts = Object.fromEntries(fs.readdirSync(folder).map((file) =>
	[path.basename(file, '.sql'), `/* ${path.basename(file, '.sql')} */\n${fs.readFileSync(new URL(file, folder), 'utf8').trimEnd()}`]));
const pool = new pg.Pool({ ...Object.fromEntries(WA_TEST_DATABASE.split(' ').map((word) => word.split('=')).map(([name, value]) => [{ dbname: 'database' }[name] ?? name, value])), max: 3 });

/* Whoever uses a connection that has ended gets an error of his own. */
pool.on('error', () => {});
pool.on('connect', (client) => client.on('error', () => {}));
/* A Date has no microseconds, and the times of credentials have to be given back as they are. */
pg.types.setTypeParser(1184, String);

/*
 * Two statements without a Sync between them, and so in one transaction: the first binds it to an
 * organization, and the answer is that of the second.  A sealed login can begin none itself.
 */
class Pair
{
	constructor(first, second)
	{
		this.statements = [first, second];
		this.result = new pg.Result(null, pg.types);
		this.completed = 0;
		this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
	}

	submit(connection)
	{
		for (const { text, values } of this.statements)
		{
			connection.parse({ text, name: '' });
			connection.bind({ values, valueMapper: asText });
			if (text === this.statements[1].text)
				connection.describe({ type: 'P', name: '' });
			connection.execute({});
		}
		connection.sync();
	}

	handleRowDescription(message)
	{
		this.result.addFields(message.fields);
	}

	handleDataRow(message)
	{
		if (this.completed === 1)
			this.result.addRow(this.result.parseRow(message.fields));
	}

	handleCommandComplete()
	{
		this.completed++;
	}

	handleReadyForQuery()
	{
		this.resolve(this.result.rows);
	}

	handleError(error)
	{
		this.reject(error);
	}
}

function asText(value)
{
	return Buffer.isBuffer(value) || value === null ? value : String(value);
}

/* Work of one organization, or of none (null). */
async function ask(org, name, values)
{
	const client = await pool.connect();
	let broken = true;

	try
	{
		const rows = org === null ? (await client.query(texts[name], values)).rows
			: await client.query(new Pair({ text: texts.act_for, values: [org, 1] }, { text: texts[name], values })).done;

		broken = false;
		return rows;
	}
	finally
	{
		client.release(broken);
	}
}

/* What fails because the database is away is done again. */
async function again(work)
{
	for (;;)
		try
		{
			return await work();
		}
		catch (error)
		{
			/* an error of the server has a severity */
			if (has('gives_up') || error.severity && !/^(08|40|53|57P)/.test(error.code))
				throw error;
			await sleep(100);
		}
}

let firstOrg = null;

const inName = (org) => has('one_organization') ? firstOrg ??= org : org;

async function report(org, reports)
{
	if (reports.length === 0)
		return;
	for (const row of await again(() => ask(inName(org), 'report', [JSON.stringify(reports)])))
		if (row.error_code)
			console.error(row.error_code, row.error);
}

/* ---- sessions ---- */

const sessions = new Map();		/* by id: since when it has its credentials, or "" */

function typeid(prefix, uuid)
{
	const digits = '0123456789abcdefghjkmnpqrstvwxyz';
	const number = BigInt(`0x${uuid.replaceAll('-', '')}`);

	return `${prefix}_${Array.from({ length: 26 }, (_, i) => digits[Number((number >> BigInt(5 * (25 - i))) & 31n)]).join('')}`;
}

/* The credentials of a session, or null if they are not its own. */
async function open({ org_id: org, session_id: session })
{
	const secret = Buffer.from(fs.readFileSync(WA_TEST_KEY_FILE, 'utf8'), 'base64');
	const [row] = await again(() => ask(null, 'credentials', [CONNECTOR, OWNER, [session]]));

	await sodium.ready;

	const opened = JSON.parse(Buffer.from(sodium.crypto_box_seal_open(row.sealed, sodium.crypto_scalarmult_base(secret), secret)).toString());

	const isOwn = opened.organizationId === typeid('org', org) || has('any_credentials');
	const isNamed = opened.phoneNumberId === row.phone_number_id || has('any_number');

	return isOwn && isNamed ? opened : null;
}

async function connect(row)
{
	const credentials = row.credentials_at ? await open(row) : { phoneNumberId: String(15551000000 + Number(`0x${row.session_id.slice(-6)}`)) };
	const [status, reason] = credentials ? ['working', null] : ['failed', 'the credentials are those of another organization'];

	await again(() => ask(inName(row.org_id), 'session', [row.session_id, OWNER, status, credentials && `1${credentials.phoneNumberId}`.slice(0, 15), null, null, null, reason, row.credentials_at]));
}

async function renew()
{
	const rows = await again(() => ask(null, 'sessions', [CONNECTOR, OWNER, 100, LEASE]));
	const ids = new Set(rows.map((row) => row.session_id));

	[...sessions.keys()].filter((id) => !ids.has(id)).forEach((id) => sessions.delete(id));
	for (const row of rows)
	{
		const given = row.credentials_at ?? '';

		if (row.status === 'working' && (sessions.get(row.session_id)?.given === given || !row.credentials_at || has('old_credentials')))
		{
			sessions.set(row.session_id, { org: row.org_id, given });
			continue;
		}
		if (has('old_credentials') && sessions.has(row.session_id))
			continue;
		sessions.set(row.session_id, { org: row.org_id, given });
		await connect(row);
	}
}

/* ---- messages ---- */

const far = (target, options) => fetch(WA_TEST_FAR_URL + target, options);
const at = () => new Date().toISOString();

async function send(message)
{
	const about = { message: message.message_id, at: at() };

	if (message.maybe_sent && !has('sends_blindly'))
	{
		const found = await far(`/sent/${message.message_id}`);

		if (found.ok)
			return { report: 'sent', ...about, wa_message_id: (await found.json()).id };
	}

	const answer = await far('/send', { method: 'POST', body: JSON.stringify({
		session: message.session_id, id: message.message_id, to: message.chat_jid.split('@')[0], text: message.body }) });
	const json = await answer.json();

	if (answer.ok || has('refused_is_sent'))
		return { report: 'sent', ...about, wa_message_id: json.id ?? 'none' };
	return { report: 'failed', ...about, error: json.error, ...has('no_attempt') ? {} : { attempt: message.attempt } };
}

let ended = false;

async function claim()
{
	const messages = await again(() => ask(null, 'claim', [CONNECTOR, OWNER, 20, LEASE]));

	if (has('out_of_order'))
		messages.reverse();
	for (const message of messages)
		await report(message.org_id, [await send(message)]);
	for (const action of has('no_actions') ? [] : await again(() => ask(null, 'actions', [CONNECTOR, OWNER, 20, LEASE])))
		await report(action.org_id, [{ report: 'action_done', action: action.action_id, at: at(), ...action.type === 'forward' ? { wa_message_id: `F${action.action_id}` } : {} }]);
}

/* ---- what is received ---- */

let after = 0;

async function receive()
{
	for (const message of await (await far(`/inbound?after=${after}`)).json())
	{
		const session = sessions.get(message.session);

		if (session)
			await report(session.org, [{ report: 'receive', session: message.session, wa_message_id: has('new_ids') ? `${message.id}-${message.n}` : message.id,
				chat_jid: `${message.from}@s.whatsapp.net`, sender_jid: `${message.from}@s.whatsapp.net`, at: at(),
				...message.file ? { type: 'document', media: { reference: '/file', mimetype: 'text/plain', filename: 'file.txt' } } : { type: 'text', body: message.text } }]);
		after = message.n;
	}
}

function store(file, bytes)
{
	const parts = path.dirname(file);
	const written = `${file}.${process.pid}`;

	fs.mkdirSync(parts, { recursive: true });

	const fd = fs.openSync(written, 'w', 0o600);

	fs.writeSync(fd, bytes);
	fs.fsyncSync(fd);
	fs.closeSync(fd);
	fs.renameSync(written, file);

	const folder_fd = fs.openSync(parts, 'r');

	fs.fsyncSync(folder_fd);
	fs.closeSync(folder_fd);
}

async function fetchFiles()
{
	for (const file of await again(() => ask(null, 'media', [CONNECTOR, OWNER, 10, LEASE])))
	{
		const bytes = Buffer.from(await (await far(file.reference)).arrayBuffer());
		const digest = createHash('sha256').update(bytes).digest();
		const name = path.join(WA_TEST_MEDIA_DIR, typeid('org', file.org_id), digest.toString('hex').slice(0, 2), digest.toString('hex'));

		if (!has('early_report'))
			store(name, bytes);
		await again(() => ask(inName(file.org_id), 'media_stored', [file.media_id, OWNER, file.attempt, digest, bytes.length, 'text/plain']));
		if (has('early_report'))
			await sleep(500).then(() => store(name, bytes));
	}
}

/* ---- its round ---- */

async function repeat(work)
{
	while (!ended)
	{
		await work();
		await sleep(POLL_MS);
	}
}

process.on('SIGTERM', () => { ended = true; });
await renew();
await Promise.all([renew, claim, receive, fetchFiles].map(repeat));
if (!has('keeps_leases'))
	await again(() => ask(null, 'release', [OWNER]));
await pool.end();
