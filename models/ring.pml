/*
 * The ring of one producer and one consumer: docs/channel-layout.md. It has 4 units of 8 bytes; two messages of two go
 * through it, the second behind a pad. On one side, whoever has the role
 * is killed at any step, or not, and so is its successor. The bytes of a message are plain stores before the store of `tail`, here in their order: what a
 * weaker memory could do is held by that store's release and by the acquire of whoever loads `tail`. But who stores `tail` or `head`
 * may look at the sleep word before the other side sees the store; within a bound of time, which the sleeper waits for once, it does.
 *
 * holds  -DTWO_PRODUCERS             each message whole, once and in order; nobody sleeps beside what it waits for
 * holds  -DTWO_CONSUMERS             the same
 * holds  -DBARRIER -DNO_SECOND_LOOK -DTWO_PRODUCERS    who has a barrier before it looks at the sleep word
 * holds  -DBARRIER -DNO_SECOND_LOOK -DTWO_CONSUMERS    the same
 * fails  -DBROKEN_TAIL_FIRST         assertion the message is published before it is written
 * fails  -DBROKEN_HEAD_FIRST         assertion the place is given back before the message is copied
 * fails  -DBROKEN_NO_PAD_ROOM        assertion the room that is asked for forgets the pad
 * fails  -DBROKEN_LOOK_BEFORE_SLEEP_WORD -DBARRIER -DNO_SECOND_LOOK assertion a side sets its sleep word after its last look
 * fails  -DNO_SECOND_LOOK            assertion a side sleeps on beside what it could not see yet
 * fails  -DBROKEN_NO_WATCH -DTWO_PRODUCERS             assertion a side sleeps without watching the other's process
 * fails  -DBROKEN_SILENT_SUCCESSOR -DTWO_PRODUCERS     assertion who takes a role wakes nobody: it is not watched
 * fails  -DBROKEN_SUCCESSOR_ASKS -DBARRIER -DNO_SECOND_LOOK -DTWO_CONSUMERS assertion who takes a role wakes only if the sleep word is set: one before
 *                                                      was killed between clearing it and the wake-up
 * fails  -DBROKEN_ROLE_BEFORE_SLEEP_WORD -DBARRIER -DNO_SECOND_LOOK -DTWO_PRODUCERS assertion a side reads whom to watch before it sets its sleep word
 * fails  -DBROKEN_HEAD_LATE -DTWO_CONSUMERS            assertion messages are handed on before `head` is stored: one comes twice
 */
#define CAPACITY 4
#define POSITIONS 16 /* a position wraps at this, as 32 bits do */
#define FIRST 13     /* so that it does, and the second message needs a pad, and waits for room */
#define MESSAGES 2
#define UNITS 2
#define PLACE(position) ((position) & 3)
#define AFTER(position, units) (((position) + (units)) & 15)
#define HELD(head, tail) (((tail) + POSITIONS - (head)) & 15)
#define PAD 3

/* In shared memory. */
byte tail = FIRST, head = FIRST; /* as they were stored */
#ifndef BARRIER
byte tailSeen = FIRST, headSeen = FIRST; /* as the other side sees them */
#endif
byte length[CAPACITY]; /* of a record, in units with its header; or PAD */
byte content[CAPACITY]; /* the number of the message, in each of its units */
byte producer, consumer; /* who has the role: 0 nobody, else a side's number */
bit producerSleeps, consumerSleeps;

/* The system's: two producers are 1 and 2, two consumers 3 and 4. */
bit asleep[5];
bit killed[5];

/* What is claimed, and stands in no memory. */
byte published, delivered;

/* Stores reach the other side at any time; by a barrier at once; and before it is known that their process has ended. */
#ifdef BARRIER
#define tailSeen tail
#define headSeen head
#endif
#define ALL_SEEN (tailSeen == tail && headSeen == head)
#ifdef NO_SECOND_LOOK
#define SECOND_LOOK false
#else
#define SECOND_LOOK (again && ALL_SEEN)
#endif

proctype memory() {
  end_seen:
  do
  :: atomic { tailSeen != tail -> tailSeen = tail }
  :: atomic { headSeen != head -> headSeen = head }
  od
}

/* Says that this side sleeps next. Where nobody had said so, one more look follows when all has been seen that was stored before. */
inline say(sleepWord) {
  atomic {
    again = again || sleepWord == 0;
    sleepWord = 1
  }
}

/* Wakes who sleeps at a word, of two. */
inline wake(sleepWord, one, other) {
  if
  :: sleepWord ->
    sleepWord = 0;
    d_step { asleep[one] = 0; asleep[other] = 0 }
  :: else
  fi
}

/* Who takes a role wakes the other side whatever its sleep word is, so that it watches the new one. */
inline wakeAfterRole(sleepWord, one, other) {
#if defined(BROKEN_SILENT_SUCCESSOR)
  skip
#elif defined(BROKEN_SUCCESSOR_ASKS)
  wake(sleepWord, one, other)
#else
  sleepWord = 0;
  d_step { asleep[one] = 0; asleep[other] = 0 }
#endif
}

/* A successor takes the role when the one before has been killed. */
inline takeRole(role, one) {
  if
  :: me == one
  :: me != one -> end_role: killed[one] && ALL_SEEN
  fi;
  role = me
}

/* Sleeps at the word until it is woken, or the process that has the other role ends. Who has ended already is told of at once,
 * and not again: `known` is who was looked for last. */
inline sleep(sleepWord) {
  atomic {
    if
    :: sleepWord == 1 -> asleep[me] = 1
    :: else
    fi
  };
end_sleep:
#ifdef BROKEN_NO_WATCH
  atomic {
    if
    :: asleep[me] == 0
    :: SECOND_LOOK -> again = 0
    fi;
    asleep[me] = 0
  };
#else
  atomic {
    if
    :: asleep[me] == 0
    :: SECOND_LOOK -> again = 0
    :: watched != 0 && watched != known && killed[watched] && ALL_SEEN -> known = watched
    fi;
    asleep[me] = 0
  };
#endif
  watched = 0
}

proctype send(byte me) {
  byte at, seen, units, pad, watched, known;
  bit again = 1;
  {
    takeRole(producer, 1);
    at = tail;
    seen = headSeen;
    wakeAfterRole(consumerSleeps, 3, 4);
    do
    :: published < MESSAGES ->
      atomic {
        units = UNITS;
        pad = (PLACE(at) + units > CAPACITY -> CAPACITY - PLACE(at) : 0)
      };
#ifdef BROKEN_NO_PAD_ROOM
#define NO_ROOM (CAPACITY - HELD(seen, at) < units)
#else
#define NO_ROOM (CAPACITY - HELD(seen, at) < pad + units)
#endif
      do
      :: NO_ROOM ->
        seen = headSeen;
        assert(HELD(seen, at) <= CAPACITY);
        if
        :: NO_ROOM ->
#ifdef BROKEN_ROLE_BEFORE_SLEEP_WORD
          watched = consumer;
          say(producerSleeps);
#else
          say(producerSleeps);
          watched = consumer;
#endif
          seen = headSeen;
          if
          :: NO_ROOM -> sleep(producerSleeps)
          :: else -> watched = 0
          fi
        :: else
        fi
      :: else -> break
      od;
#ifdef BROKEN_TAIL_FIRST
      atomic { tail = AFTER(at, pad + units); published++ };
#endif
      if
      :: pad -> atomic { length[PLACE(at)] = PAD; at = AFTER(at, pad); pad = 0 }
      :: else
      fi;
      length[PLACE(at)] = units;
      content[PLACE(at)] = published;
      content[PLACE(at) + 1] = published;
      atomic {
        at = AFTER(at, units);
        units = 0;
#ifndef BROKEN_TAIL_FIRST
        tail = at;
        published++
#endif
      };
      wake(consumerSleeps, 3, 4)
    :: else -> break
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; at = 0; seen = 0; units = 0; pad = 0; watched = 0; known = 0; again = 0 } }
}

inline giveBack() {
  atomic {
    at = AFTER(at, units);
    units = 0;
    seen = 0;
#ifndef BROKEN_HEAD_LATE
    assert(number == delivered);
    delivered++;
#endif
    number = 0;
    head = at
  }
}

proctype receive(byte me) {
  byte at, seen, units, number, watched, known;
  bit again = 1;
  {
    takeRole(consumer, 3);
    at = head;
    wakeAfterRole(producerSleeps, 1, 2);
    do
    :: delivered < MESSAGES ->
      seen = tailSeen;
      assert(HELD(at, seen) <= CAPACITY);
      if
      :: seen == at ->
#if defined(BROKEN_LOOK_BEFORE_SLEEP_WORD)
        watched = producer;
        seen = tailSeen;
        if
        :: seen == at -> say(consumerSleeps); sleep(consumerSleeps)
        :: else -> watched = 0
        fi
#else
#if defined(BROKEN_ROLE_BEFORE_SLEEP_WORD)
        watched = producer;
        say(consumerSleeps);
#else
        say(consumerSleeps);
        watched = producer;
#endif
        seen = tailSeen;
        if
        :: seen == at -> seen = 0; sleep(consumerSleeps)
        :: else -> watched = 0
        fi
#endif
      :: else ->
        units = length[PLACE(at)];
        if
        :: units == PAD ->
          at = AFTER(at, CAPACITY - PLACE(at));
          /* A pad is published together with the record behind it. */
          assert(at != seen);
          units = length[PLACE(at)]
        :: else
        fi;
        assert(units == UNITS);
        assert(units <= HELD(at, seen) && PLACE(at) + units <= CAPACITY);
#ifdef BROKEN_HEAD_FIRST
        head = AFTER(at, units);
#endif
        number = content[PLACE(at)];
        assert(content[PLACE(at) + 1] == number);
#ifdef BROKEN_HEAD_LATE
        atomic { assert(number == delivered); delivered++ };
#endif
        giveBack();
        wake(producerSleeps, 1, 2)
      fi
    :: else -> break
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; at = 0; seen = 0; units = 0; number = 0; watched = 0; known = 0; again = 0 } }
}

proctype killer() {
#ifdef TWO_PRODUCERS
  if :: killed[1] = 1 :: skip fi;
  if :: killed[2] = 1 :: skip fi;
#endif
#ifdef TWO_CONSUMERS
  if :: killed[3] = 1 :: skip fi;
  if :: killed[4] = 1 :: skip fi;
#endif
  skip
}

/* When nobody can go on, nobody sleeps beside what it waits for. */
#define LIVE_ASLEEP(side) (asleep[side] && !killed[side])

proctype monitor() {
  timeout ->
    assert(!(LIVE_ASLEEP(3) || LIVE_ASLEEP(4)) || head == tail);
    assert(!(LIVE_ASLEEP(1) || LIVE_ASLEEP(2)) || HELD(head, tail) > 0);
    assert(killed[2] || killed[4] || delivered == MESSAGES)
}

init {
  atomic {
    /* Verifiers go on with the youngest process first: so late kills are found before early ones. */
    run killer();
    run monitor();
#ifndef BARRIER
    run memory();
#endif
    run send(1);
#ifdef TWO_PRODUCERS
    run send(2);
#endif
#ifdef TWO_CONSUMERS
    run receive(4);
#endif
    run receive(3)
  }
}
