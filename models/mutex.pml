/*
 * The mutex that survives its owner: native/mutex.c. Three processes take it, twice the first; any two of them are
 * killed at any step, and who owns it may also end its thread alone. Process numbers do not come again here.
 *
 * holds                                       no two inside, each abandonment told to the next owner and to nobody else
 * fails  -DBROKEN_PLAIN_TAKE        assertion an owner is put in by a load and a store
 * fails  -DBROKEN_PLAIN_RELEASE     deadlock  the word is given up by a load and a store: a waiter's bit is lost between
 * fails  -DBROKEN_ABANDONED_IGNORED assertion who takes a free word does not look at the bit that a thread's end left
 * fails  -DBROKEN_NO_WATCH          deadlock  who sleeps does not watch the owner's process
 * fails  -DBROKEN_ONLY_TAKES_OVER   deadlock  told of the owner's end, a waiter takes over from it or sleeps on: the owner
 *                                             was killed between the word's change and the wake-up
 */
#define PROCESSES 3
#define WAITERS 4
#define ABANDONED 8
#define OWNER(value) ((value) & 3)

byte word; /* the owner's 64 bits: a process's number from 1, and the two bits */
bit asleep[PROCESSES + 1];
bit killed[PROCESSES + 1]; /* process 0 is nobody, and lives */

/* What is claimed, and stands in no memory. */
bit inside[PROCESSES + 1];
bit dirty; /* the last owner did not give it up */

#define OTHER_INSIDE(i) (inside[i] && !killed[i] && me != i)

/* A compare-and-swap that takes the mutex; what it found otherwise. */
inline swapOwner() {
  d_step {
#ifdef BROKEN_PLAIN_TAKE
    if
    :: true ->
#else
    if
    :: word == found ->
#endif
      word = me | (found & WAITERS);
#ifdef BROKEN_ABANDONED_IGNORED
      told = OWNER(found) != 0;
#else
      told = OWNER(found) != 0 || (found & ABANDONED) != 0;
#endif
      assert(told == dirty);
      dirty = 0;
      told = 0;
      found = 0;
      taken = 1
    :: else -> found = word
    fi
  }
}

inline take() {
  taken = 0;
  found = word;
  do
  :: taken -> break
  :: !taken && (OWNER(found) == 0 || killed[OWNER(found)]) -> swapOwner()
  :: !taken && OWNER(found) != 0 && !killed[OWNER(found)] ->
    d_step {
      if
      :: word == found -> word = word | WAITERS; found = word; marked = 1
      :: else -> found = word
      fi
    };
    if
    :: marked ->
      marked = 0;
      /* futex(2): the comparison and the start of the sleep are one step. */
      atomic {
        if
        :: word == found -> asleep[me] = 1
        :: else
        fi
      };
#if defined(BROKEN_NO_WATCH)
      asleep[me] == 0;
#elif defined(BROKEN_ONLY_TAKES_OVER)
      (asleep[me] == 0 || killed[OWNER(found)] && OWNER(word) == OWNER(found));
#else
      (asleep[me] == 0 || killed[OWNER(found)]);
#endif
      asleep[me] = 0;
      found = word
    :: else
    fi
  od
}

inline wakeAll() { d_step { asleep[1] = 0; asleep[2] = 0; asleep[3] = 0 } }

inline release() {
  if
  :: /* given up */
#ifdef BROKEN_PLAIN_RELEASE
    found = word;
    word = 0;
#else
    d_step { found = word; word = 0 }
#endif
  :: me == 2 -> /* or left behind by a thread that ends, in a process that goes on */
    d_step { found = word; word = ABANDONED; dirty = 1 }
  fi;
  if
  :: found & WAITERS -> found = 0; wakeAll()
  :: else -> found = 0
  fi
}

proctype user(byte me; byte times) {
  byte found;
  bit taken, told, marked;
  {
    do
    :: times > 0 ->
      times--;
      take();
      inside[me] = 1;
      assert(!(OTHER_INSIDE(1) || OTHER_INSIDE(2) || OTHER_INSIDE(3)));
      inside[me] = 0;
      release()
    :: else -> break
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; inside[me] = 0; found = 0; taken = 0; marked = 0; times = 0 } }
}

inline kill(i) {
  d_step {
    killed[i] = 1;
    if
    :: OWNER(word) == i -> dirty = 1
    :: else
    fi
  }
}

proctype killer() {
  if :: kill(1) :: skip fi;
  if :: kill(2) :: skip fi
}

init {
  atomic { run user(1, 2); run user(2, 1); run user(3, 1); run killer() }
}
