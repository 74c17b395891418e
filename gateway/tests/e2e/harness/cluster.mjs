/*
 * cluster.mjs
 *		PostgreSQL clusters of a test's own, made by scripts/cluster.
 *
 * A cluster listens on a unix socket in a folder of its own and is gone at the end of the
 * test file.  A *database* here is what Wire.open() and the programs need to get in:
 * { host, port, database, cluster }.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { SCRIPTS, isThere, makePlace, must, onEnd, postgresProgram, run, until } from './processes.mjs';
import { Wire } from './wire.mjs';

export const GATEWAY_LOGIN = 'wa_gateway_login';
export const SANDBOX_LOGIN = 'wa_sandbox_login';
export const WORKER_LOGIN = 'wa_worker_login';

const PORT = 5432;

export class Cluster
{
	/*
	 * Settings are lines of postgresql.conf; a later one counts.  "template" is the data
	 * folder of a cluster that is stopped, to begin with a copy of.
	 */
	constructor(settings = [], template = null)
	{
		this.place = makePlace();
		this.data = path.join(this.place, 'data');
		this.host = path.join(this.place, 'socket');
		this.port = PORT;
		if (template)
			this.copy(template);
		else
			must(path.join(SCRIPTS, 'cluster'), ['init', this.place, 'fast']);
		this.configure(['max_wal_size = 256MB', `unix_socket_directories = '${this.host}'`, ...settings]);
		onEnd(() => this.crash(), () => this.crash());
		this.start();
	}

	copy(template)
	{
		const asUser = path.join(SCRIPTS, 'as-user');

		must(asUser, ['mkdir', '-m', '0700', this.host]);
		must(asUser, ['cp', '-R', '-p', template, this.data]);
	}

	configure(settings)
	{
		fs.appendFileSync(path.join(this.data, 'postgresql.conf'), settings.join('\n') + '\n');
	}

	start()
	{
		must(path.join(SCRIPTS, 'cluster'), ['start', this.place]);
	}

	stop()
	{
		run(path.join(SCRIPTS, 'cluster'), ['stop', this.place]);
	}

	/* Without a checkpoint: nobody needs the data any more. */
	crash()
	{
		run(path.join(SCRIPTS, 'as-user'), [postgresProgram('pg_ctl'), 'stop', '--silent', '--wait',
			'--mode=immediate', `--pgdata=${this.data}`]);
	}

	/*
	 * Kills the postmaster, and others of its processes that could not notice, and starts it
	 * again: the rest notice by themselves, and keep the next one from starting until then.
	 */
	async kill(others = [])
	{
		const postmaster = Number(fs.readFileSync(path.join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);

		for (const pid of [postmaster, ...others])
			process.kill(pid, 'SIGKILL');
		await until('the server is gone', () => !isThere(postmaster));
		await until('the server is back', () => { this.start(); return true; }, { pauseMs: 200 });
	}

	where(database, user = 'postgres')
	{
		return { host: this.host, port: this.port, database, user };
	}

	/* What a client program of PostgreSQL needs to get in. */
	environment(database, user = 'postgres')
	{
		return { PGHOST: this.host, PGPORT: String(this.port), PGUSER: user, PGDATABASE: database };
	}

	/* Runs psql, pg_dump and the like; returns their output. */
	program(name, database, args, { user, ...options } = {})
	{
		return must(postgresProgram(name), args, { ...options, env: this.environment(database, user) });
	}

	psql(database, sql, options)
	{
		return this.program('psql', database, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
			{ ...options, input: sql }).trim();
	}

	createDatabase(database)
	{
		this.psql('postgres', `CREATE DATABASE ${database}`);
	}

	/* The extension, and the logins of the programs, as `make run` makes them. */
	prepare(database)
	{
		this.program('psql', database, ['-X', '-q', '-f', path.join(SCRIPTS, 'logins.sql')]);
	}

	/* A connection of an administrator, or of somebody else. */
	open(database, user, options)
	{
		return Wire.open(this.where(database, user), options);
	}
}

/*
 * A hot standby of a cluster, by streaming.  The cluster needs wal_level = replica and
 * max_wal_senders.  Programs and Wire get into it as into a cluster.
 */
export class Standby
{
	constructor(primary)
	{
		const asUser = path.join(SCRIPTS, 'as-user');

		this.place = makePlace();
		this.data = path.join(this.place, 'data');
		this.host = path.join(this.place, 'socket');
		this.port = primary.port;
		must(asUser, ['mkdir', '-m', '0700', this.host]);
		must(asUser, [postgresProgram('pg_basebackup'), '--pgdata', this.data, '--host', primary.host,
			'--port', String(primary.port), '--username', 'postgres', '--write-recovery-conf', '--checkpoint=fast', '--no-sync']);
		onEnd(() => this.control(run, 'stop', '--mode=immediate'), () => this.control(run, 'stop', '--mode=immediate'));
		this.control(must, 'start', `--log=${path.join(this.place, 'standby.log')}`,
			`--options=-c unix_socket_directories=${this.host}`);
	}

	control(how, ...args)
	{
		how(path.join(SCRIPTS, 'as-user'), [postgresProgram('pg_ctl'), '--silent', '--wait', `--pgdata=${this.data}`, ...args]);
	}

	/* It becomes a primary of its own, and takes writes. */
	promote()
	{
		this.control(must, 'promote');
	}

	open(database, user = 'postgres', options)
	{
		return Wire.open({ host: this.host, port: this.port, database, user }, options);
	}
}

/*
 * Making a cluster takes longer than most tests.  Where the runner gives all files a folder
 * (scripts/e2e does), the first file leaves a copy of a prepared cluster there for the others.
 */
function template()
{
	const folder = process.env.WA_E2E_DIR;
	const kept = folder && path.join(folder, 'template');

	if (!kept)
		return null;
	if (!fs.existsSync(kept))
	{
		const first = new Cluster();

		first.createDatabase('wa');
		first.prepare('wa');
		first.stop();
		try
		{
			fs.renameSync(first.data, kept);
		}
		catch (error)
		{
			/* another file was faster, or the folder is on another disk */
			if (!fs.existsSync(kept))
				must('cp', ['-R', '-p', first.data, kept]);
		}
	}
	return kept;
}

/* A cluster with the prepared database "wa". */
export function prepareCluster(settings)
{
	const copied = template();
	const cluster = new Cluster(settings, copied);

	if (!copied)
	{
		cluster.createDatabase('wa');
		cluster.prepare('wa');
	}
	return cluster;
}
