/*
 * cloud.mjs
 *		What a test of wa-cloud needs: a key pair of the connector, and sessions with credentials.
 */
import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import sodium from 'libsodium-wrappers';
import { makePlace } from './processes.mjs';

/* Writes a file that only the user may read as whom programs run. */
export function writePrivate(folder, name, text, mode = 0o600)
{
	const file = path.join(folder, name);
	const { uid } = fs.statSync(folder);

	fs.writeFileSync(file, text, { mode });
	fs.chownSync(file, uid, -1);
	return file;
}

/* Adds a key of the connector, and returns the path of its secret half. */
export async function addConnectorKey(db)
{
	await sodium.ready;

	const pair = sodium.crypto_box_keypair();
	const file = writePrivate(makePlace(), 'key', `${Buffer.from(pair.privateKey).toString('base64')}\n`);

	await db.sql("SELECT wa.add_connector_key('cloud', $1)", [`\\x${Buffer.from(pair.publicKey).toString('hex')}`]);
	return file;
}

const digits = () => String(randomInt(10 ** 13, 10 ** 14));

/* Credentials that nobody else has. */
export function makeCredentials(more = {})
{
	const id = digits();

	return { phoneNumberId: id, wabaId: digits(), appId: digits(), accessToken: `EAAtoken${id}`, appSecret: `secret${id}`, verifyToken: `verify${id}`, ...more };
}

/* Makes a session with its credentials, by the API. */
export async function createCloudSession(client, key, credentials)
{
	const { status, json } = await client.post('/api/v1/sessions', key, { connector: 'cloud', credentials });

	if (status !== 201)
		throw new Error(JSON.stringify(json));
	return json;
}
