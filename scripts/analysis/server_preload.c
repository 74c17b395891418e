/*
 * server_preload.c
 *		Loaded into the server before its libraries for runs with AddressSanitizer: turns
 *		translations off.
 *
 * With AddressSanitizer the server hangs at its start, waiting for a lock of gettext.  The
 * tests need no translations, since they are in English.
 */
char *bindtextdomain(const char *domain, const char *folder);
char *textdomain(const char *domain);
char *gettext(const char *text);
char *dgettext(const char *domain, const char *text);
char *dcgettext(const char *domain, const char *text, int category);
char *ngettext(const char *one, const char *many, unsigned long count);
char *dngettext(const char *domain, const char *one, const char *many, unsigned long count);
char *dcngettext(const char *domain, const char *one, const char *many, unsigned long count,
				 int category);

char *
bindtextdomain(const char *domain, const char *folder)
{
	(void) domain;
	return (char *) folder;
}

char *
textdomain(const char *domain)
{
	return (char *) domain;
}

char *
gettext(const char *text)
{
	return (char *) text;
}

char *
dgettext(const char *domain, const char *text)
{
	(void) domain;
	return (char *) text;
}

char *
dcgettext(const char *domain, const char *text, int category)
{
	(void) category;
	return dgettext(domain, text);
}

char *
ngettext(const char *one, const char *many, unsigned long count)
{
	return (char *) (count == 1 ? one : many);
}

char *
dngettext(const char *domain, const char *one, const char *many, unsigned long count)
{
	(void) domain;
	return ngettext(one, many, count);
}

char *
dcngettext(const char *domain, const char *one, const char *many, unsigned long count, int category)
{
	(void) category;
	return dngettext(domain, one, many, count);
}
