/*
 * leaks.mjs
 *		Searches all that a server and our programs write and show for credentials.
 *
 * A credential is found by parts of its random characters, so that neither its prefix nor
 * the mask (the prefix and five characters) counts, and in every form in which the server
 * writes bytes.  Logs are searched from where the last search ended, so that each finding
 * belongs to what was done since; views are searched as they are.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { refuseOthers } from './options.mjs';
import { until } from './processes.mjs';
import { Traces } from './traces.mjs';

/* The server's log in its three formats; the cluster has to be set to write them. */
export const LOGS = ['server.log', 'server.csv', 'server.json'];

const VIEWS = ['pg_stat_activity', 'pg_stat_statements', 'pg_prepared_statements', 'pg_stat_database',
	'wa.keys', 'wa.audit', 'wa.api_key', 'wa.session', 'wa.message'];

/* What the mask shows of a credential; and how many of its other characters in a row are a leak. */
const SHOWN = 5;
const LEAK = 12;

function tracesOf(secret)
{
	const random = Buffer.from(secret.slice(secret.indexOf('_') + 1 + SHOWN));
	const [head, tail] = [random.subarray(0, LEAK), random.subarray(random.length - LEAK)];

	return [
		head, tail,
		Buffer.from(head.toString().toLowerCase()),		/* as an identifier without quotes */
		Buffer.from(head.toString('hex')),
		Buffer.from([...head].join(' ')),				/* as debug_print_plan writes bytes */
		Buffer.from(head.toString('base64').slice(0, -4)),
	];
}

/* The server makes and removes files of its own while they are read; one that is gone is empty. */
function readIfThere(file)
{
	try
	{
		return fs.readFileSync(file);
	}
	catch (error)
	{
		if (error.code !== 'ENOENT')
			throw error;
		return Buffer.alloc(0);
	}
}

export class Leaks
{
	/* db is an administrator's connection, programs are those whose logs are searched. */
	constructor(cluster, db, programs)
	{
		this.cluster = cluster;
		this.db = db;
		this.programs = programs;
		this.secrets = new Map();
		this.notes = [];
		this.read = Object.fromEntries(LOGS.map((name) => [name, 0]));
		this.marks = 0;
	}

	/* Searches for this credential from now on.  Returns it. */
	remember(secret)
	{
		this.secrets.set(secret, tracesOf(secret));
		return secret;
	}

	forget(secret)
	{
		this.secrets.delete(secret);
	}

	/* Something that was answered, to be searched the next time. */
	note(...texts)
	{
		this.notes.push(...texts);
	}

	/* Where one of the credentials stands in one of the places, [name, bytes]; each place once. */
	search(places)
	{
		const traces = new Traces([...this.secrets.values()].flat());
		const found = [];

		for (const [name, content] of places)
		{
			const at = traces.indexIn(content);

			if (at >= 0)
				found.push(`${name}: …${content.toString('latin1', Math.max(0, at - 150), at + 40)}…`);
		}
		return found;
	}

	/* What was added to a log since this was asked for the last time. */
	fresh(name)
	{
		const file = fs.openSync(path.join(this.cluster.data, 'log', name));

		try
		{
			const content = Buffer.alloc(fs.fstatSync(file).size - this.read[name]);

			for (let had = 0; had < content.length;)
				had += fs.readSync(file, content, had, content.length - had, this.read[name] + had);
			this.read[name] += content.length;
			return content;
		}
		finally
		{
			fs.closeSync(file);
		}
	}

	/* All logs since the last time, when everything that was done is in them. */
	async logs()
	{
		const mark = `mark-${++this.marks}-end`;
		const logs = Object.fromEntries(LOGS.map((name) => [name, Buffer.alloc(0)]));

		await this.db.sql(`SELECT '${mark}'`);
		await until('the logs tell of all that was done', () =>
		{
			for (const name of LOGS)
				logs[name] = Buffer.concat([logs[name], this.fresh(name)]);
			return LOGS.every((name) => logs[name].includes(mark));
		});
		return logs;
	}

	/* All places: logs, views and answers. */
	async places(without)
	{
		const logs = await this.logs();
		const joined = logs['server.log'].toString('latin1').replace(/\s+/g, ' ');
		const places = Object.entries(logs);

		/* bytes that are written as numbers come in lines of sixteen */
		places.push(['server.log, its lines joined', Buffer.from(joined, 'latin1')]);
		for (const program of this.programs)
			places.push([program.name, Buffer.from(program.log())]);
		for (const view of VIEWS.filter((name) => !without.includes(name)))
			places.push([view, Buffer.from(JSON.stringify(await this.db.sql(`SELECT v::text FROM ${view} AS v`)))]);
		places.push(['an answer', Buffer.from(this.notes.splice(0).join('\n'))]);
		return places;
	}

	/* Where a credential has leaked since the last time. */
	async find({ without = [], ...others } = {})
	{
		refuseOthers(others);
		return this.search(await this.places(without));
	}

	/*
	 * Nothing has leaked since the last time.  The server's log has to hold the wanted texts:
	 * had nothing been logged, the search would mean nothing.
	 */
	async assertNone(wanted, { without = [], ...others } = {})
	{
		refuseOthers(others);

		const places = await this.places(without);
		const found = this.search(places);

		for (const text of wanted)
			assert.ok(places[0][1].includes(text), `the server has logged: ${text}`);
		if (found.length > 0)
			assert.fail(found.join('\n'));
	}

	/* Where a credential stands in the server's files, other than its logs. */
	findInFiles()
	{
		const files = fs.readdirSync(this.cluster.data, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile() && !LOGS.includes(entry.name))
			.map((entry) => path.join(entry.path, entry.name));

		assert.ok(files.length > 500);
		return this.search(files.map((file) => [file, readIfThere(file)]));
	}
}
