/* Checks are on in the run that gives the verdict, and off where states are counted: there all must go on. */
#ifdef CHECKED
#define CHECK(x) assert(x)
#else
#define CHECK(x) skip
#endif
