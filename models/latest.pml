/*
 * The latest value of one writer: docs/channel-layout.md. Two slots, three values of two parts each, one reader (readers write
 * nothing, so several are no more than one); the writer is killed at any step, or not, and has a successor.
 *
 * What stands between two fences is stored and loaded in any order here; the rest in its order.
 *
 * holds                                     a reader gets whole values alone, none older than the one before, and the last
 * fails  -DBROKEN_ONE_SLOT        assertion one slot: who reads the newest value meets its writer
 * fails  -DBROKEN_NEWEST_FIRST    assertion the value is made the newest before it is written
 * fails  -DBROKEN_BEGUN_LATE      assertion the slot is marked after the value is written
 * fails  -DBROKEN_CHECK_FIRST     assertion the reader looks at the mark before it copies
 * fails  -DBROKEN_NO_WATCH        assertion the reader sleeps without watching the writer's process
 * fails  -DBROKEN_ROLE_FIRST      assertion the reader reads whom to watch before it reads the word that it sleeps at
 * fails  -DBROKEN_ODD_WHILE_WRITING assertion one value under a word that is odd while it is written: a killed writer leaves it odd
 */
#define VALUES 3
#ifdef BROKEN_ONE_SLOT
#define SLOT(number) 0
#else
#define SLOT(number) ((number) & 1)
#endif

/* In shared memory. */
byte writer; /* the role: 1, then 2 */
byte signal, newest;
byte begun[2];
byte one[2], other[2]; /* the value: its number twice */

/* The system's. Process 3 is the reader. */
bit asleep;
bit killed[3];

inline writeParts() {
  if
  :: one[SLOT(next)] = next; other[SLOT(next)] = next
  :: other[SLOT(next)] = next; one[SLOT(next)] = next
  fi
}

inline tell() {
  signal++;
  asleep = 0
}

proctype write(byte me) {
  byte next;
  {
    if
    :: me == 1
    :: me == 2 -> end_role: killed[1]
    fi;
    writer = me;
    tell();
    next = newest + 1;
    do
    :: next <= VALUES ->
#if defined(BROKEN_ODD_WHILE_WRITING)
      begun[0] = begun[0] | 1;
      one[0] = next;
      other[0] = next;
      newest = next;
      begun[0] = begun[0] + 1;
#else
#ifdef BROKEN_NEWEST_FIRST
      newest = next;
#endif
#ifndef BROKEN_BEGUN_LATE
      begun[SLOT(next)] = next;
#endif
      writeParts();
#ifdef BROKEN_BEGUN_LATE
      begun[SLOT(next)] = next;
#endif
#ifndef BROKEN_NEWEST_FIRST
      newest = next;
#endif
#endif
      tell();
      next++
    :: else -> break
    od
  } unless { atomic { killed[me] -> next = 0 } }
}

inline sleep() {
  atomic {
    if
    :: signal == expected -> asleep = 1
    :: else
    fi
  };
end_sleep:
#ifdef BROKEN_NO_WATCH
  asleep == 0;
#else
  atomic {
    if
    :: asleep == 0
    :: watched != 0 && watched != known && killed[watched] -> known = watched
    fi;
    asleep = 0
  };
#endif
  watched = 0
}

proctype read() {
  byte expected, seen, found, check, first, second, watched, known;
  do
  :: seen < VALUES ->
#ifdef BROKEN_ROLE_FIRST
    watched = writer;
    expected = signal;
#else
    expected = signal;
    watched = writer;
#endif
    found = newest;
    if
    :: found == seen -> sleep(); expected = 0
    :: else ->
      watched = 0;
      expected = 0;
#if defined(BROKEN_ODD_WHILE_WRITING)
      check = begun[0];
      /* Who writes will have written soon, unless it was killed. */
end_odd:
      !(check & 1) || begun[0] != check;
      if
      :: check & 1
      :: else ->
        first = one[0];
        second = other[0];
        if
        :: begun[0] == check -> assert(first == second); seen = first
        :: else
        fi
      fi;
      check = 0; first = 0; second = 0;
#else
#ifdef BROKEN_CHECK_FIRST
      check = begun[SLOT(found)];
#endif
      if
      :: first = one[SLOT(found)]; second = other[SLOT(found)]
      :: second = other[SLOT(found)]; first = one[SLOT(found)]
      fi;
#ifndef BROKEN_CHECK_FIRST
      check = begun[SLOT(found)];
#endif
      if
      :: check == found ->
        assert(first == found && second == found && found > seen);
        seen = found
      :: else ->
        /* Else the channel counts as damaged. */
        assert(newest != found)
      fi;
      check = 0; first = 0; second = 0;
#endif
      found = 0
    fi
  :: else -> break
  od;
  expected = 0; watched = 0; known = 0
}

proctype killer() {
  if :: killed[1] = 1 :: skip fi;
  if :: killed[2] = 1 :: skip fi
}

/* When nobody can go on, the reader has the newest value. */
proctype monitor() {
  timeout -> assert(read:seen == newest)
}

init {
  atomic { run write(1); run write(2); run read(); run killer(); run monitor() }
}
