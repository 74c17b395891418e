/*
 * receivers.mjs
 *		The receivers of webhooks that measurements of deliveries share: one process (receiver.c)
 *		that listens on all addresses of the loopback, so that each webhook has an address of its
 *		own.  RECEIVER is the path of its program.
 */
import { spawn } from 'node:child_process';
import readline from 'node:readline';

export class Receivers
{
	static async start()
	{
		const receivers = new Receivers();

		receivers.process = spawn(process.env.RECEIVER, { stdio: ['pipe', 'pipe', 'inherit'] });
		receivers.lines = readline.createInterface({ input: receivers.process.stdout })[Symbol.asyncIterator]();
		receivers.port = Number((await receivers.lines.next()).value);
		return receivers;
	}

	/* What came since the last call. */
	async tell()
	{
		this.process.stdin.write('\n');
		const [requests, connections, median, most, worst] = (await this.lines.next()).value.split(' ').map(Number);

		return { requests, connections, median, most, worst };
	}

	stop()
	{
		this.process.stdin.end();
	}
}
