/*
 * version.h
 *		The version of the release; all programs have the same one.
 */
#ifndef PROGRAM_VERSION_H
#define PROGRAM_VERSION_H

#define PROGRAM_VERSION "1.0"

#endif
