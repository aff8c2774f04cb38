/* Treiber's stack: each thread pushes its own node and pops one. Node n is the number n + 1; 0 is none. */
#include "check.h"
#ifndef THREADS
#define THREADS 2
#endif
#ifndef ATOMIC
#define ATOMIC 1
#endif
#define V printf("V %d %d %d %d %d %d %d\n", top, next[0], next[1], next[2], got[0], got[1], got[2])
#define F if :: done == THREADS -> printf("F %d %d %d %d %d %d %d\n", top, next[0], next[1], next[2], got[0], got[1], got[2]) :: else fi
int top, next[3], got[3];
byte done;

active [THREADS] proctype thread() {
	int old, n; byte pc;
	do
	:: d_step { pc == 0 -> old = top; pc = 1; V }
	:: d_step { pc == 1 -> next[_pid] = old; pc = 2; V }
	:: d_step { pc == 2 ->
		if
		:: top == old -> top = _pid + 1; pc = 3
		:: else -> pc = 0
		fi;
		old = 0; V }
	:: d_step { pc == 3 -> old = top; if :: old -> pc = 4 :: else -> pc = 9 fi;
		if :: pc == 9 -> done++ :: else fi; V; if :: pc == 9 -> F :: else fi }
	:: d_step { pc == 4 -> n = next[old - 1]; pc = 5; V }
	:: d_step { pc == 5 ->
		if
		:: top == old || !ATOMIC -> top = n; pc = 6
		:: else -> old = 0; pc = 3
		fi;
		n = 0; V }
	:: d_step { pc == 6 -> got[_pid] = old; old = 0; pc = 9; done++;
		CHECK(!got[0] || (got[0] != got[1] && got[0] != got[2]));
		CHECK(!got[1] || got[1] != got[2]); V; F }
	od
}
