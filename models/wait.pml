/*
 * How processes wait for a word of shared memory, and are woken: src/sync/wait-point.ts, and whoever changes such a word.
 * Waiters take what two posters make; one of them may be killed.
 *
 * The state that an attempt looks at and the word that changes are two variables here. Where they are one (a semaphore's
 * count, a ring's position), two steps below fall into one, which leaves fewer interleavings.
 *
 * Wake-ups without sleepers can be saved in two ways: FLAG, a word that a sleeper sets to 1 and sleeps at, for places with
 * one waiter; and GENERATION, a word whose lowest bit a sleeper sets and that the waker counts up, for any number.
 *
 * holds                                              three waiters, one killed at any step; each change wakes all
 * holds  -DGENERATION                                the same; a change wakes all if the generation's bit is set
 * holds  -DFLAG -DONE_WAITER                         one waiter, for whom a change may be too little; it sleeps at its flag
 * fails  -DBROKEN_WORD_AFTER_ATTEMPT       assertion a waiter reads the word after its attempt
 * fails  -DBROKEN_WORD_BEFORE_STATE        assertion a poster changes the word before the state
 * fails  -DBROKEN_WAKE_ONE                 assertion a poster wakes one, who is killed before its retry
 * fails  -DGENERATION -DBROKEN_NOT_COUNTED assertion the waker clears the bit, and counts nothing
 * fails  -DFLAG                            assertion a flag for many: one sets it again before another, who missed it, sleeps
 * fails  -DFLAG -DONE_WAITER -DBROKEN_APART assertion the waiter sets its flag, but sleeps at the word that changes
 * fails  -DFLAG -DONE_WAITER -DBROKEN_FLAG_AFTER_LOOK assertion the waiter sets its flag after its last look
 * fails  -DFLAG -DONE_WAITER -DBROKEN_CLEARED_LATE assertion the waker wakes first, and clears the flag afterwards
 * fails  -DKILLED_POSTER                   assertion a limit: who is killed between change and wake wakes nobody
 */
#ifdef ONE_WAITER
#define NEEDED 2
#else
#define NEEDED 1
#endif

byte available; /* what an attempt takes from */
byte word;      /* changes with each post; its wrapping after 2^32 changes is not modelled */
byte sleepers;  /* FLAG: 1 if a sleeper may be there. GENERATION: that in bit 0, and a count above */
bit asleep[3];
bit killed[3];
bit posterKilled;

#if defined(GENERATION) || defined(FLAG) && !defined(BROKEN_APART)
#define EXPECTED_STILL (sleepers == expected)
#else
#define EXPECTED_STILL (word == expected)
#endif

/* What the waiter does before its last look, to be able to sleep afterwards. */
inline prepare() {
#if defined(GENERATION)
  d_step { sleepers = sleepers | 1; expected = sleepers }
#elif defined(FLAG)
  sleepers = 1;
  expected = 1;
#else
  expected = word;
#endif
}

/* futex(2): the comparison and the start of the sleep are one step. */
inline sleepWhileExpected() {
  atomic {
    if
    :: EXPECTED_STILL -> asleep[me] = 1
    :: else
    fi;
    expected = 0
  }
end: /* to sleep for ever is no error by itself: see the monitor */
  asleep[me] == 0
}

inline attempt() {
  d_step {
    if
    :: available >= NEEDED -> available = available - NEEDED; got = 1
    :: else
    fi
  }
}

proctype waiter(byte me) {
  byte expected;
  bit got;
  {
    do
    ::
#if defined(BROKEN_WORD_AFTER_ATTEMPT) || defined(BROKEN_FLAG_AFTER_LOOK)
      attempt();
      if :: got -> break :: else fi;
      prepare();
#elif defined(BROKEN_APART)
      prepare();
      expected = word;
      attempt();
      if :: got -> break :: else fi;
#else
      prepare();
      attempt();
      if :: got -> break :: else fi;
#endif
      sleepWhileExpected()
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; expected = 0; got = 0 } }
}

inline wakeAll() { d_step { asleep[0] = 0; asleep[1] = 0; asleep[2] = 0 } }

inline wake() {
#if defined(BROKEN_WAKE_ONE)
  atomic {
    if
    :: asleep[0] -> asleep[0] = 0
    :: asleep[1] -> asleep[1] = 0
    :: asleep[2] -> asleep[2] = 0
    :: else
    fi
  }
#elif defined(BROKEN_CLEARED_LATE)
  if
  :: sleepers -> wakeAll(); sleepers = 0
  :: else
  fi
#elif defined(GENERATION)
  /* A compare-and-swap that fails means that another waker counted, and wakes. */
  d_step {
    found = sleepers;
    if
    :: found & 1 ->
#ifdef BROKEN_NOT_COUNTED
      sleepers = 0
#else
      sleepers = found + 1
#endif
    :: else
    fi
  };
  if
  :: found & 1 -> found = 0; wakeAll()
  :: else -> found = 0
  fi
#elif defined(FLAG)
  d_step { found = sleepers; sleepers = 0 };
  if
  :: found -> found = 0; wakeAll()
  :: else
  fi
#else
  wakeAll()
#endif
}

proctype poster(byte posts) {
  byte found;
  {
    do
    :: posts > 0 ->
      posts--;
#ifdef BROKEN_WORD_BEFORE_STATE
      word++;
      available++;
#else
      available++;
      word++;
#endif
      wake()
    :: else -> break
    od
  } unless { atomic { posterKilled -> posts = 0; found = 0 } }
}

/* Kills one of the waiters, which are all alike, at any moment or never. */
proctype killer() {
  if :: killed[0] = 1 :: skip fi;
#ifdef KILLED_POSTER
  posterKilled = 1
#endif
}

/* When nobody can go on, nobody sleeps beside what it waits for. */
proctype monitor() {
  timeout -> assert(available < NEEDED || !(asleep[0] || asleep[1] || asleep[2]))
}

init {
  atomic {
    run waiter(0);
#ifdef ONE_WAITER
    run poster(3);
#else
    run waiter(1);
    run waiter(2);
    run poster(1);
    run poster(1);
#endif
    run killer();
    run monitor()
  }
}
