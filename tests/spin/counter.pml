/* Increments by load and compare and swap. */
#include "check.h"
#ifndef THREADS
#define THREADS 2
#endif
#ifndef TIMES
#define TIMES 3
#endif
#define V printf("V %d\n", word)
#define F if :: done == THREADS -> printf("F %d\n", word) :: else fi
int word;
byte done;

active [THREADS] proctype thread() {
	int old; byte left = TIMES; byte pc;
	do
	:: d_step { pc == 0 -> old = word; pc = 1; V }
	:: d_step { pc == 1 ->
		if
		:: word == old -> word = old + 1; left--; pc = (left -> 0 : 9)
		:: else -> pc = 0
		fi;
		old = 0; V;
		if :: pc == 9 -> done++; CHECK(done < THREADS || word == THREADS * TIMES); F :: else fi }
	od
}
