/*
 * processes.mjs
 *		Everything that a test starts, and that it ends again.
 *
 * A resource is anything with an end: a process, a cluster, a connection.  Whoever
 * starts one says how it ends with onEnd().  When the test file is done, the ends run,
 * the last one first.  If the file dies before that (a signal, an exception), the same
 * happens as far as it goes without waiting: onEnd() takes a second function for that,
 * which must be synchronous.
 *
 * Processes are ended by their own id, never by name.
 *
 * Our programs run as the unprivileged user that the server runs as, also when the tests are
 * run by root: they need no more, and give up what root could do for them (process.h).
 *
 * Variables of the environment:
 *	WA_ROOT		the checkout, if not the one that this file is in
 *	WA_PROGRAMS	the folder of wa-gateway and wa-sandbox, if not its gateway/
 *	PG_CONFIG	the PostgreSQL to test with
 *	WA_E2E_DIR	a folder that the files of one run share, to save time (cluster.mjs)
 *	WA_SANITIZED=1	the programs are built with sanitizers (sanitizers.mjs)
 *	WA_KEEP=1	keeps the folders of clusters and logs, and says where they are
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { refuseOthers } from './options.mjs';
import { assertNoReports, sanitizerOptions } from './sanitizers.mjs';

export const ROOT = process.env.WA_ROOT ?? fileURLToPath(new URL('../../../..', import.meta.url));
export const SCRIPTS = path.join(ROOT, 'scripts');

export const PROGRAMS = process.env.WA_PROGRAMS ?? path.join(ROOT, 'gateway');

/*
 * How long something is waited for that should have come long ago.  A machine may be many times
 * slower than a desk, and does other work beside the tests: a bound that such a machine meets
 * says that something hangs, and nothing of how long it took.
 */
const UNTIL_SECONDS = 90;
const STOP_SECONDS = 90;
const RUN_MS = 300_000;

const ends = [];

export function onEnd(end, endNow = () => {})
{
	ends.push({ end, endNow });
}

async function endAll()
{
	const failures = [];

	while (ends.length > 0)
	{
		try
		{
			await ends.pop().end();
		}
		catch (error)
		{
			failures.push(error);
		}
	}
	if (failures.length > 0)
		throw failures[0];
	/* now that all programs have ended, and have looked for leaks */
	assertNoReports();
}

after(endAll);

process.on('exit', () =>
{
	while (ends.length > 0)
		ends.pop().endNow();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => process.exit(1));

/*
 * What a child gets of our environment: no settings of ours, so that a test means the
 * same in every shell.
 */
export function environment(more = {})
{
	const kept = Object.fromEntries(Object.entries(process.env)
		.filter(([name]) => !/^(PG(?!_CONFIG)|WA_|NODE_)/.test(name)));

	return { ...kept, LC_ALL: 'C.UTF-8', ...sanitizerOptions(), ...more };
}

let server;

/* The unprivileged user, and a folder with copies of our programs, since the checkout may be closed to him. */
function serverUser()
{
	if (server === undefined)
	{
		const ids = ['-u', '-g'].map((option) => Number(must(path.join(SCRIPTS, 'as-user'), ['id', option])));

		server = { uid: ids[0], gid: ids[1], place: makePlace() };
	}
	return server;
}

/* How a program is started: { file, options }.  "root" starts ours as root, too. */
function startOf(program, env, root)
{
	if (process.getuid() !== 0 || path.dirname(program) !== path.resolve(PROGRAMS) || root)
		return { file: program, options: { env: environment(env) } };

	const { uid, gid } = serverUser();

	return { file: copied(program), options: { env: environment({ HOME: '/', ...env }), uid, gid } };
}

/* The copy of a program of ours that the unprivileged user can run. */
function copied(program)
{
	const file = path.join(serverUser().place, path.basename(program));

	if (!fs.existsSync(file))
		fs.copyFileSync(program, file);
	return file;
}

/*
 * Where a command line of somebody else finds these programs of ours, and the options with which
 * the unprivileged user runs it, if the tests are run by root.
 */
export function forCommands(names)
{
	if (process.getuid() !== 0)
		return { programs: path.resolve(PROGRAMS), options: {} };

	const { uid, gid, place } = serverUser();

	names.forEach((name) => copied(path.join(PROGRAMS, name)));
	return { programs: place, options: { uid, gid } };
}

/* Runs a program to its end.  Returns { code, stdout, stderr }. */
export function run(program, args, { input, env, ...others } = {})
{
	refuseOthers(others);

	const { file, options } = startOf(program, env, false);
	const done = spawnSync(file, args, {
		...options, input: input ?? '', encoding: 'utf8', timeout: RUN_MS, maxBuffer: 256 * 1024 * 1024,
	});

	if (done.error)
		throw done.error;
	return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

/* The same; an exit code other than 0 is an error. */
export function must(program, args, options)
{
	const done = run(program, args, options);

	if (done.code !== 0)
		throw new Error(`${path.basename(program)} ${args.join(' ')}: exit code ${done.code}\n${done.stderr}${done.stdout}`);
	return done.stdout;
}

/*
 * A program in the background.  Its output goes to a file, so that reading it costs this
 * process nothing while it loads the program.  "closed": it has no input, output or errors.
 * "user": forCommands().options.
 */
export class Program
{
	constructor(program, args, { log = '/dev/null', env, root = false, closed = false, user = {}, ...others } = {})
	{
		refuseOthers(others);

		const { file: executable, options } = startOf(program, env, root);
		const file = fs.openSync(log, 'a');

		this.name = path.basename(program);
		this.logFile = log;
		this.child = spawn(...closed ? ['sh', ['-c', 'exec "$0" "$@" <&- >&- 2>&-', executable, ...args]] : [executable, args],
			{ ...options, ...user, stdio: ['ignore', file, file] });
		fs.closeSync(file);
		this.exited = new Promise((resolve) =>
		{
			this.child.on('error', (error) => resolve({ code: null, signal: null, error }));
			this.child.on('exit', (code, signal) => resolve({ code, signal }));
		});
		this.running = true;
		this.exited.then(() => { this.running = false; });
		onEnd(() => this.stop(), () => { this.kill('SIGKILL'); });
	}

	get pid()
	{
		return this.child.pid;
	}

	log()
	{
		return fs.readFileSync(this.logFile, 'utf8');
	}

	kill(signal)
	{
		if (this.running && this.pid !== undefined)
			this.child.kill(signal);
	}

	/* Asks it to end, and kills it when it does not.  Returns { code, signal }. */
	async stop(seconds = STOP_SECONDS)
	{
		this.kill('SIGTERM');

		const timer = setTimeout(() => this.kill('SIGKILL'), seconds * 1000);
		const result = await this.exited;

		clearTimeout(timer);
		return result;
	}
}

/*
 * Asks again and again until it is told something true, and returns that.  What is
 * waited for is said in the error when the time is over.
 */
export async function until(what, ask, { seconds = UNTIL_SECONDS, pauseMs = 15, ...others } = {})
{
	refuseOthers(others);

	const end = performance.now() + seconds * 1000;
	let last;

	for (;;)
	{
		try
		{
			const answer = await ask();

			if (answer)
				return answer;
			last = undefined;
		}
		catch (error)
		{
			last = error;
		}
		if (performance.now() > end)
			throw new Error(`not within ${seconds} s: ${what}`, { cause: last });
		await sleep(pauseMs);
	}
}

/* A new folder that the server's user owns, gone at the end. */
export function makePlace()
{
	const place = fs.mkdtempSync(path.join(fs.existsSync('/var/tmp') ? '/var/tmp' : os.tmpdir(), 'wa_apikeys.'));
	const user = must(path.join(SCRIPTS, 'as-user'), ['id', '-u']).trim();

	if (String(process.getuid()) !== user)
		fs.chownSync(place, Number(user), -1);
	onEnd(() => remove(place), () => remove(place));
	return place;
}

function remove(place)
{
	if (process.env.WA_KEEP)
		console.error(`# kept: ${place}`);
	else
		fs.rmSync(place, { recursive: true, force: true });
}

/* A folder of the PostgreSQL that is tested, as pg_config names it: bindir, sharedir, ... */
export function postgresFolder(name)
{
	return must(process.env.PG_CONFIG ?? 'pg_config', [`--${name}`]).trim();
}

/* A certificate for a name and its key, in a folder of the server's user, who owns both. */
export function makeCertificate(folder, name = 'gateway.test')
{
	const files = { certificate: path.join(folder, 'certificate.pem'), key: path.join(folder, 'key.pem') };

	must(path.join(SCRIPTS, 'as-user'), ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
		'-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', files.key, '-out', files.certificate]);
	return files;
}

/* A program of the PostgreSQL that is tested. */
export function postgresProgram(name)
{
	return path.join(postgresFolder('bindir'), name);
}

/* Is there a process with this number? */
export function isThere(pid)
{
	try
	{
		return process.kill(pid, 0);
	}
	catch
	{
		return false;
	}
}
