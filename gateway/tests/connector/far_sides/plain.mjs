/*
 * plain.mjs
 *		A plain far side over HTTP, which plain_connector.mjs talks to.
 *
 *	POST /send					{ session, id, to, text } is accepted, each time: { id }.  400: it is refused
 *	GET /sent/ID				whether the message with our id was accepted: { id }, or 404
 *	GET /inbound?after=N		what was received behind the N-th: [{ n, session, id, from, text, file }]
 *	GET /file					bytes
 */
import { once } from 'node:events';
import http from 'node:http';
import { onEnd } from '../../e2e/harness/processes.mjs';

export const FILE = Buffer.from('the bytes of a file');

export default {
	connector: 'plain',
	open: async () =>
	{
		const far = new PlainFarSide();

		far.server = http.createServer((request, response) => far.answer(request, response));
		far.server.listen(0, '127.0.0.1');
		await once(far.server, 'listening');
		far.environment = { WA_TEST_FAR_URL: `http://127.0.0.1:${far.server.address().port}` };
		onEnd(() => { far.release(); far.server.closeAllConnections(); far.server.close(); });
		return far;
	},
};

class PlainFarSide
{
	refused = '15550000000';
	slow = false;
	sent = [];
	inbound = [];
	waiting = null;

	hold()
	{
		this.waiting = [];
	}

	release()
	{
		const waiting = this.waiting ?? [];

		this.waiting = null;
		waiting.forEach((answer) => answer());
	}

	accepted(session)
	{
		return this.sent.filter((message) => message.session === session.uuid).map(({ to, text }) => ({ to, text }));
	}

	receive(session, { text = '', file = false })
	{
		const n = this.inbound.length + 1;

		this.inbound.push({ n, session: session.uuid, id: `IN${n}`, from: '15553330000', text, file });
	}

	repeat(session)
	{
		const last = this.inbound.findLast((message) => message.session === session.uuid);

		this.inbound.push({ ...last, n: this.inbound.length + 1 });
	}

	/* Each needs a number of its own. */
	credentials(n)
	{
		return { phoneNumberId: `900${n}`, wabaId: '1', appId: '2', accessToken: `token ${n}`.replace(' ', '-'), appSecret: 'secret', verifyToken: 'verify' };
	}

	async answer(request, response)
	{
		const { pathname, searchParams } = new URL(request.url, 'http://far');
		const say = (status, json) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
		let body = '';

		for await (const part of request)
			body += part;
		if (pathname === '/send')
			this.take(JSON.parse(body), say);
		else if (pathname.startsWith('/sent/'))
		{
			const found = this.sent.findIndex((message) => message.id === pathname.slice('/sent/'.length));

			say(found < 0 ? 404 : 200, { id: `OUT${found + 1}` });
		}
		else if (pathname === '/inbound')
			say(200, this.inbound.filter((message) => message.n > Number(searchParams.get('after'))));
		else
			response.end(FILE);
	}

	take(message, say)
	{
		const refused = message.to === this.refused;

		if (!refused)
			this.sent.push(message);

		const id = `OUT${this.sent.length}`;
		const answer = () => say(refused ? 400 : 200, refused ? { error: 'nobody has this number' } : { id });

		if (this.waiting)
			this.waiting.push(answer);
		else
			answer();
	}
}
