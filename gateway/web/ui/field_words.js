/*
 * field_words.js
 *		What is wrong with a field, as a sentence for people.
 *
 * The gateway's texts are for programs: "must have 1 to 100 characters" goes with the name of a
 * member.  Those that people cause often have words of their own here; any other becomes a
 * sentence with the label of the field.
 */
const WORDS = [
	[/^(is required|must not be empty)$/, () => 'Fill this in.'],
	[/^must have (\d+) to (\d+) characters$/, (least, most) => `Use ${least} to ${most} characters.`],
	[/^must be an email address$/, () => 'Enter an email address, such as ann@example.com.'],
	[/^must be a phone number in E\.164 digits/, () => 'Enter a phone number with country code, such as +1 555 123 4567.'],
	[/^must name at least one permission$/, () => 'Choose at least one permission.'],
	[/^must be a list of 1 to (\d+) sessions$/, (most) => `Choose 1 to ${most} sessions.`],
	[/^must name at least one event type/, () => 'Choose at least one event.'],
	[/^must be in the future$/, () => 'Choose a time that lies ahead.'],
];

export function fieldWords(label, text)
{
	for (const [pattern, words] of WORDS)
	{
		const found = pattern.exec(text);

		if (found)
			return words(...found.slice(1));
	}

	const sentence = /^[a-z]/.test(text) ? `${label} ${text}` : text;

	return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
