/* SRCU: readers count themselves at an index, an updater scans both. Where FLIP is 0 it scans one. */
#include "check.h"
#ifndef THREADS
#define THREADS 2
#endif
#ifndef FLIP
#define FLIP 1
#endif
#define V printf("V %d %d %d %d %d %d %d\n", index, locks[0], locks[1], unlocks[0], unlocks[1], gone, freed)
#define F if :: done == THREADS + 1 -> printf("F %d %d %d %d %d %d %d\n", index, locks[0], locks[1], unlocks[0], unlocks[1], gone, freed) :: else fi
int index, locks[2], unlocks[2], gone, freed;
byte done;

active proctype updater() {
	int i, u; byte scans = (FLIP -> 2 : 1); byte pc;
	do
	:: d_step { pc == 0 -> gone = 1; pc = 1; V }
	:: d_step { pc == 1 -> i = 1 - index; pc = 2; V }
	:: d_step { pc == 2 -> u = unlocks[i]; pc = 3; V }
	:: d_step { pc == 3 ->
		if
		:: locks[i] == u -> scans--; pc = (scans -> 4 : 5); if :: pc == 5 -> i = 0 :: else fi
		:: else -> pc = 2
		fi;
		u = 0; V }
	:: d_step { pc == 4 -> index = i; i = 1 - i; pc = 2; V }
	:: d_step { pc == 5 -> freed = 1; pc = 9; done++; V; F }
	od
}

active [THREADS] proctype reader() {
	int i; byte pc;
	do
	:: d_step { pc == 0 -> i = index; pc = 1; V }
	:: d_step { pc == 1 -> locks[i]++; pc = 2; V }
	:: d_step { pc == 2 -> pc = (gone -> 4 : 3); V }
	:: d_step { pc == 3 -> CHECK(!freed); pc = 4; V }
	:: d_step { pc == 4 -> unlocks[i]++; i = 0; pc = 9; done++; V; F }
	od
}
