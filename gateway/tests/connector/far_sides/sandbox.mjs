/*
 * sandbox.mjs
 *		The far side of wa-sandbox, which invents its telephones itself.
 *
 * They answer each text that they get with the same text, so the answers say what was accepted,
 * and how often.
 */
export default {
	connector: 'sandbox',
	open: (stage) => new Telephones(stage),
};

class Telephones
{
	refused = '15550000000';
	slow = true;
	environment = { WA_SANDBOX_STEP_MS: '20', WA_SANDBOX_POLL_MS: '20' };

	constructor(stage)
	{
		this.stage = stage;
	}

	/* What is claimed is reported so much later. */
	hold()
	{
		this.environment.WA_SANDBOX_STEP_MS = '3000';
	}

	release()
	{
		this.environment.WA_SANDBOX_STEP_MS = '20';
	}

	async accepted(session)
	{
		const answers = await this.stage.db.sql(`
			SELECT m.chat_jid, m.body FROM wa.message m WHERE m.session_id = $1 AND m.direction = 'in' AND m.type = 'text' ORDER BY m.id`, [session.uuid]);

		return answers.map((answer) => ({ to: answer.chat_jid.split('@')[0], text: answer.body }));
	}

	/* Its telephones only ever answer. */
	async receive(session, what)
	{
		await this.stage.send(session, what.file ? 'send a picture' : what.text);
	}
}
