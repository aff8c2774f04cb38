/* Requests that set a bit and queue the work once, and the work that calls back for each bit. PENDING is bit 0. */
#include "check.h"
#ifndef THREADS
#define THREADS 2
#endif
#ifndef TIMES
#define TIMES 2
#endif
#ifndef CLEAR
#define CLEAR 1
#endif
#define V printf("V %d %d %d %d\n", mask, work, called[0], called[1])
#define F if :: done == THREADS && stopped -> printf("F %d %d %d %d\n", mask, work, called[0], called[1]) :: else fi
int mask, work, called[2];
byte done, stopped;

active [THREADS] proctype tracer() {
	byte left = TIMES; byte pc; byte old;
	do
	:: d_step { pc == 0 ->
		if
		:: mask & (2 << _pid) -> left--; pc = (left -> 0 : 9)
		:: else -> pc = 1
		fi;
		if :: pc == 9 -> done++ :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 1 -> old = mask; mask = mask | 1 | (2 << _pid);
		if
		:: old & 1 -> left--; pc = (left -> 0 : 9)
		:: else -> pc = 2
		fi;
		old = 0;
		if :: pc == 9 -> done++ :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 2 -> work = 1; left--; pc = (left -> 0 : 9);
		if :: pc == 9 -> done++ :: else fi; V; if :: pc == 9 -> F :: else fi }
	od
}

active proctype worker() {
	byte bits, t; byte left = TIMES; byte pc;
	do
	:: d_step { pc == 0 -> 
		if
		:: work == 1 -> work = 0; pc = 1
		:: else -> left--; pc = (left -> 0 : 9)
		fi;
		if :: pc == 9 -> stopped = 1 :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 1 -> bits = mask & ~1; mask = mask & ~1; CHECK(bits);
		if
		:: bits -> t = (bits & 2 -> 0 : 1); pc = 2
		:: else -> left--; pc = (CLEAR -> 3 : (left -> 0 : 9))
		fi;
		if :: pc == 9 -> stopped = 1 :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 2 -> called[t]++; bits = bits & ~(2 << t);
		if
		:: bits -> t = 1
		:: else -> t = 0; left--; pc = (CLEAR -> 3 : (left -> 0 : 9))
		fi;
		if :: pc == 9 -> stopped = 1 :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 3 -> mask = mask & 1; pc = (left -> 0 : 9);
		if :: pc == 9 -> stopped = 1 :: else fi; V; if :: pc == 9 -> F :: else fi }
	od
}
