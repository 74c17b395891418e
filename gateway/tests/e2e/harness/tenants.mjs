/*
 * tenants.mjs
 *		Organizations with keys, sessions, chats and messages, made in SQL.
 *
 * "db" is an administrator's connection (a superuser, whom row security does not bind).
 */
import { refuseOthers } from './options.mjs';

export const ALL = ['read', 'send', 'manage', 'events'];

/* An id as callers see it. */
export function publicId(db, prefix, uuid)
{
	return db.value('SELECT wa.typeid($1, $2::uuid)', [prefix, uuid]);
}

export async function createOrg(db, name)
{
	const uuid = await db.value('SELECT wa.create_org($1)', [name]);

	return { uuid, id: await publicId(db, 'org', uuid) };
}

let keys = 0;

/* Returns { uuid, id, secret, name }.  "sessions" are the ids of the only ones that it reaches. */
export async function createKey(db, org, permissions = ALL, { name = `key ${++keys}`, expiresAt = null, sessions = null, test = false, ...others } = {})
{
	refuseOthers(others);

	const [made] = await db.sql(
		"SELECT k.id, wa.typeid('key', k.id) AS public, k.secret FROM wa.create_key($1, $2, $3, $4, wa.from_session_ids($5::text[]), test => $6) AS k",
		[org.uuid, name, `{${permissions.join(',')}}`, expiresAt, sessions && `{${sessions.join(',')}}`, test]);

	return { uuid: made.id, id: made.public, secret: made.secret, name };
}

let people = 0;

/* A person with an account, and a member where an organization is given. */
export async function createPerson(db, { org, role = 'owner', name = `Person ${++people}`, email = `person-${++people}@example.com`, ...others } = {})
{
	refuseOthers(others);

	const [made] = await db.sql('SELECT p.id, p.initial_password FROM wa.create_user($1, $2) AS p', [email, name]);
	const person = { uuid: made.id, id: await publicId(db, 'usr', made.id), email, name, password: made.initial_password };

	if (org)
		await addMember(db, org, person, role);
	return person;
}

export async function addMember(db, org, person, role)
{
	await db.sql('SELECT wa.add_member($1, $2, $3)', [org.uuid, person.uuid, role]);
}

/*
 * Without send limits, unless "limited" asks for the defaults: tests send more than those allow.
 * The connectors that run leave one that is "held" alone.
 */
export async function createSession(db, org, { status = 'working', label = null, connector = 'none', limited = false, held = false, ...others } = {})
{
	refuseOthers(others);

	const [made] = await db.sql(`
		INSERT INTO wa.session (org_id, status, label, connector, lease_owner, lease_until)
		VALUES ($1, $2, $3, $4, $5::text, CASE WHEN $5::text IS NOT NULL THEN now() + interval '1 hour' END)
		RETURNING id, wa.typeid('sess', id) AS public`, [org.uuid, status, label, connector, held ? 'the test' : null]);

	if (!limited)
		await db.sql('UPDATE wa.session SET rate_per_min = 0, rate_per_hour = 0 WHERE id = $1', [made.id]);
	return { uuid: made.id, id: made.public, org, label };
}

export async function createChat(db, session, jid, { activeAt = null, ...others } = {})
{
	refuseOthers(others);
	await db.sql(`
		INSERT INTO wa.chat (org_id, session_id, jid, type, active_at)
		VALUES ($1, $2, $3, wa.chat_type($3), COALESCE($4::timestamptz, now()))`,
		[session.org.uuid, session.uuid, jid, activeAt]);
	return { jid, session };
}

export async function createMessage(db, chat, body, { direction = 'in', ...others } = {})
{
	refuseOthers(others);

	const { session } = chat;
	const [made] = await db.sql(`
		INSERT INTO wa.message (org_id, session_id, chat_jid, direction, type, body, status)
		VALUES ($1, $2, $3, $4, 'text', $5, 'delivered')
		RETURNING id, wa.typeid('msg', id) AS public`,
		[session.org.uuid, session.uuid, chat.jid, direction, body]);

	return { uuid: made.id, id: made.public, chat, body };
}

/* An organization with one of everything. */
export async function createTenant(db, name, { jid = '15551230001@s.whatsapp.net', ...others } = {})
{
	refuseOthers(others);

	const org = await createOrg(db, name);
	const key = await createKey(db, org);
	const session = await createSession(db, org, { label: `session of ${name}` });
	const chat = await createChat(db, session, jid);
	const message = await createMessage(db, chat, `message of ${name}`);

	return { org, key, session, chat, message };
}
