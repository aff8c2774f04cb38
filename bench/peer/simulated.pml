/* The three programs, again and again in one run of `spin -T`, which picks among the executable processes at
   random. PROGRAM is 1, 2 or 3; one d_step is one step; `_nr_pr == 1` says that all threads have ended. */
#if PROGRAM == 1
#define THREADS 2
#define TIMES 5
#define NEW (seen + 1)
#define END 10
#define RIGHT (word == seen)
#elif PROGRAM == 2
#define THREADS 3
#define TIMES 1
#define NEW (seen + 1)
#define END 3
#define RIGHT true
#else
#define THREADS 3
#define TIMES 2
#define NEW (left == 2 -> seen * 4 + number : seen / 4)
#define END 0
#define RIGHT (word == seen)
#endif
#ifndef STOP
#define STOP 0
#endif
int word, executions, steps, broken;

proctype thread(byte number) {
	int seen; byte left = TIMES; bit loaded;
	do
	:: d_step { left && !loaded -> seen = word; loaded = 1; steps++ }
	:: d_step { left && loaded ->
		if
		:: RIGHT -> word = NEW; left--
		:: else
		fi;
		loaded = 0; steps++ }
	:: !left -> break
	od
}

init {
	byte number;
	do
	:: executions < RUNS && !(STOP && broken) ->
		d_step { word = 0; number = 0; executions++ }
		atomic {
			do
			:: number < THREADS -> number++; run thread(number)
			:: else -> break
			od
		}
		_nr_pr == 1;
		if
		:: word != END -> broken++
		:: else
		fi
	:: else -> break
	od;
	printf("tally %d %d %d\n", executions, steps, broken)
}
