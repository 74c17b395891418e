/*
 * qr.js
 *		Draws a QR code.
 *
 * It is dark on white in both colour schemes, with the quiet zone of four modules that
 * cameras need.
 */
import { html } from './html.js';
import { qrcode } from '../vendor/qrcode.js';

const QUIET = 4;

function darkModules(code)
{
	const count = code.getModuleCount();
	let path = '';

	for (let row = 0; row < count; row++)
	{
		for (let column = 0; column < count; column++)
		{
			if (code.isDark(row, column))
				path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
		}
	}
	return path;
}

export function QrPicture({ text, label })
{
	const code = qrcode(0, 'M');

	code.addData(text);
	code.make();

	const size = code.getModuleCount() + 2 * QUIET;

	return html`
		<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${label} shape-rendering="crispEdges">
			<rect width=${size} height=${size} fill="#fff" />
			<path d=${darkModules(code)} fill="#000" />
		</svg>`;
}
