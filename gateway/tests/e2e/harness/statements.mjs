/*
 * statements.mjs
 *		The registered statements as the programs send them, from the files they are made of.
 */
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './processes.mjs';

const FOLDER = path.join(ROOT, 'gateway', 'statements');

/* The names of a role's statements. */
export function statementNames(role)
{
	return fs.readdirSync(path.join(FOLDER, role)).map((file) => path.basename(file, '.sql')).sort();
}

/* The text of one: its name in a comment, and the file (scripts/statements). */
export function statementText(name, role = 'gateway')
{
	return `/* ${name} */\n${fs.readFileSync(path.join(FOLDER, role, `${name}.sql`), 'utf8').trimEnd()}`;
}
