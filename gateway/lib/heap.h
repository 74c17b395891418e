/*
 * heap.h
 *		Memory that was needed for a moment goes back to the system.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

/* What may be kept although nobody uses it; and how often that is looked at. */
#define HEAP_SPARE (16 * 1024 * 1024)
#define HEAP_LOOK_MS 1000

/*
 * To be called now and then, as often as one likes.  The C library keeps what is freed
 * below blocks that are in use; when that has grown by HEAP_SPARE, it is told to give the
 * pages back.
 */
extern void heap_give_back(void);

#endif
