/* Increments by load and store under a spin lock; without it where LOCKED is 0. */
#include "check.h"
#ifndef THREADS
#define THREADS 2
#endif
#ifndef TIMES
#define TIMES 2
#endif
#ifndef LOCKED
#define LOCKED 1
#endif
#define V printf("V %d %d\n", lock, word)
#define F if :: done == THREADS -> printf("F %d %d\n", lock, word) :: else fi
int lock, word;
byte done;

active [THREADS] proctype thread() {
	int old; byte left = TIMES; byte pc = (LOCKED -> 0 : 1);
	do
	:: d_step { pc == 0 && lock == 0 -> lock = 1; pc = 1; V }
	:: d_step { pc == 1 -> old = word; pc = 2; V }
	:: d_step { pc == 2 -> word = old + 1; old = 0;
		if
		:: LOCKED -> pc = 3
		:: else -> left--; pc = (left -> 1 : 9)
		fi;
		V; if :: pc == 9 -> done++; CHECK(done < THREADS || word == THREADS * TIMES); F :: else fi }
	:: d_step { pc == 3 -> lock = 0; left--; pc = (left -> 0 : 9);
		V; if :: pc == 9 -> done++; CHECK(done < THREADS || word == THREADS * TIMES); F :: else fi }
	od
}
