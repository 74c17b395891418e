/*
 * heap.h
 *		Gives memory that was needed only for a moment back to the system.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

/* Unused bytes that the process may keep, and the least time between two checks. */
#define HEAP_SPARE (16 * 1024 * 1024)
#define HEAP_LOOK_MS 1000

/*
 * Call this regularly; calls within HEAP_LOOK_MS of the last check do nothing.  The C library
 * keeps freed memory when blocks in use lie above it.  Once HEAP_SPARE bytes of it have
 * accumulated, this function tells the C library to give the pages back.
 */
extern void heap_give_back(void);

#endif
