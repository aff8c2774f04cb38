/* A sequence lock: a writer of two words, and a reader that tries again; where AGAIN is 0 it does not. */
#include "check.h"
#ifndef TIMES
#define TIMES 2
#endif
#ifndef AGAIN
#define AGAIN 1
#endif
#define V printf("V %d %d %d %d %d\n", seq, a, b, seen_a, seen_b)
#define F if :: done == 2 -> printf("F %d %d %d %d %d\n", seq, a, b, seen_a, seen_b) :: else fi
int seq, a, b, seen_a, seen_b;
byte done;

active proctype writer() {
	byte n = 1; byte pc;
	do
	:: d_step { pc == 0 -> seq++; pc = 1; V }
	:: d_step { pc == 1 -> a = n; pc = 2; V }
	:: d_step { pc == 2 -> b = n; pc = 3; V }
	:: d_step { pc == 3 -> seq++;
		if
		:: n == TIMES -> n = 0; pc = 9; done++
		:: else -> n++; pc = 0
		fi;
		V; if :: pc == 9 -> F :: else fi }
	od
}

active proctype reader() {
	int s, x; byte pc;
	do
	:: d_step { pc == 0 -> s = seq; if :: s & 1 -> s = 0 :: else -> pc = 1 fi; if :: !AGAIN -> s = 0 :: else fi; V }
	:: d_step { pc == 1 -> x = a; pc = 2; V }
	:: d_step { pc == 2 -> seen_a = x; x = 0; pc = 3; V }
	:: d_step { pc == 3 -> x = b; pc = 4; V }
	:: d_step { pc == 4 -> seen_b = x; x = 0; pc = (AGAIN -> 5 : 6); V }
	:: d_step { pc == 5 -> pc = (s == seq -> 6 : 0); s = 0; V }
	:: d_step { pc == 6 -> x = seen_a; pc = 7; V }
	:: d_step { pc == 7 -> CHECK(x == seen_b); x = 0; pc = 9; done++; V; F }
	od
}
