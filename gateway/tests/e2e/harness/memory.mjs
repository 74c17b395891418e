/*
 * memory.mjs
 *		What a running program has in its memory: all that it can write to, read by root.
 *
 * A secret is looked for by pieces, so that half of one that was left behind in a stack or
 * in the middle of a freed block is found as well.
 */
import fs from 'node:fs';
import path from 'node:path';
import { PROGRAMS } from './processes.mjs';

/* Why memory cannot be searched here, or false. */
export function memoryIsClosed()
{
	if (process.getuid() !== 0)
		return 'reading the memory of a process that lets nobody look into it takes root';
	if (fs.readFileSync(path.join(PROGRAMS, 'wa-gateway')).includes('__asan_init'))
		return 'the address sanitizer keeps what is freed as it is';
	return false;
}

/* Bytes in a row of a secret that are a find, and how far apart the pieces begin. */
const PIECE = 16;
const STEP = 8;

/* The mask shows so much of a credential behind its prefix. */
const SHOWN = 5;

function piecesOf(secret)
{
	const random = Buffer.from(secret.slice(secret.indexOf('_') + 1 + (/^(wa|rt_)/.test(secret) ? SHOWN : 0)));
	const pieces = [];

	for (let at = 0; at + PIECE <= random.length; at += STEP)
		pieces.push(random.subarray(at, at + PIECE));
	pieces.push(random.subarray(Math.max(0, random.length - PIECE)));
	return pieces;
}

/* The mappings that the process can write to: { name, from, to }. */
function writableMappings(pid)
{
	return fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
		.map((line) => /^([0-9a-f]+)-([0-9a-f]+) rw..\s+\S+\s+\S+\s+\S+\s*(.*)$/.exec(line))
		.filter((match) => match !== null)
		.map(([, from, to, name]) => ({ name, from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) }));
}

/* All writable memory of a process: { name, from, bytes }. */
export function readMemory(pid)
{
	const file = fs.openSync(`/proc/${pid}/mem`, 'r');

	try
	{
		return writableMappings(pid).map(({ name, from, to }) =>
		{
			const bytes = Buffer.alloc(Number(to - from));
			const read = fs.readSync(file, bytes, 0, bytes.length, from);

			return { name, from, bytes: bytes.subarray(0, read) };
		});
	}
	finally
	{
		fs.closeSync(file);
	}
}

/*
 * Which of the secrets are in the memory of a process; "secrets" is a Map from what each is
 * to its text.  Each find says where, and what is around it.
 */
export function findInMemory(pid, secrets)
{
	const mappings = readMemory(pid);
	const found = [];

	for (const [what, secret] of secrets)
	{
		for (const { name, from, bytes } of mappings)
		{
			const at = Math.max(...piecesOf(secret).map((piece) => bytes.indexOf(piece)));

			if (at >= 0)
				found.push(`${what}: ${name || 'anonymous'} at ${(from + BigInt(at)).toString(16)}: ` +
					JSON.stringify(bytes.toString('latin1', Math.max(0, at - 60), at + 60)));
		}
	}
	return found;
}
