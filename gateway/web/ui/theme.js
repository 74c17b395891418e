/*
 * theme.js
 *		Light or dark: as the system has it, unless the person chooses otherwise in this browser.
 *
 * It runs before the first page is painted (index.html).
 */
const KEY = 'theme';

export const THEMES = [['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];

/* Storage may be forbidden.  Then a choice holds until the page is loaded anew. */
export function chosenTheme()
{
	try
	{
		const theme = localStorage.getItem(KEY);

		return THEMES.some(([each]) => each === theme) ? theme : 'system';
	}
	catch
	{
		return 'system';
	}
}

function show(theme)
{
	document.documentElement.style.colorScheme = theme === 'system' ? '' : theme;
}

export function chooseTheme(theme)
{
	show(theme);
	try
	{
		if (theme === 'system')
			localStorage.removeItem(KEY);
		else
			localStorage.setItem(KEY, theme);
	}
	catch
	{
		/* as said above */
	}
}

show(chosenTheme());
