/*
 * installation.mjs
 *		A PostgreSQL installation of a test file's own, to put scripts of extensions into.
 *
 * PostgreSQL finds its folders from where its programs lie.  So copies of the programs, and
 * links to everything else, are an installation whose folder of extensions can be added to
 * without touching the one that is tested.
 */
import fs from 'node:fs';
import path from 'node:path';
import { makePlace, postgresFolder } from './processes.mjs';

const PROGRAMS = ['postgres', 'initdb', 'pg_ctl', 'pg_config', 'psql'];

/* The folders that all of these lie in, as a list of names. */
function commonParent(folders)
{
	const [first, ...others] = folders.map((folder) => folder.split('/'));
	const end = first.findIndex((name, place) => others.some((other) => other[place] !== name));

	return first.slice(0, end);
}

function linkAll(from, to, except = [])
{
	fs.mkdirSync(to, { recursive: true });
	for (const name of fs.readdirSync(from).filter((each) => !except.includes(each)))
		fs.symlinkSync(path.join(from, name), path.join(to, name));
}

/*
 * Makes the installation, which is the one of this process and its children from then on.
 * Returns its folder of extensions.
 */
export function makeInstallation()
{
	const [programs, libraries, shared] = ['bindir', 'pkglibdir', 'sharedir'].map(postgresFolder);
	const parent = commonParent([programs, libraries, shared]).join('/') || '/';
	const place = makePlace();
	const ours = (folder) => path.join(place, path.relative(parent, folder));
	const extensions = path.join(ours(shared), 'extension');

	fs.mkdirSync(ours(programs), { recursive: true });
	for (const name of PROGRAMS)
		fs.copyFileSync(path.join(programs, name), path.join(ours(programs), name));
	fs.mkdirSync(path.dirname(ours(libraries)), { recursive: true });
	fs.symlinkSync(libraries, ours(libraries));
	linkAll(shared, ours(shared), ['extension']);
	linkAll(path.join(shared, 'extension'), extensions);
	process.env.PG_CONFIG = path.join(ours(programs), 'pg_config');
	return extensions;
}
