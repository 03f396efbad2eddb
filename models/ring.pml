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

/* A successor takes the role when the one before has been killed. Nobody else stores `position` then. */
inline takeRole(role, one, position) {
  atomic {
    !killed[me] && (me == one || (killed[one] && ALL_SEEN)) ->
    role = me;
    at = position
  }
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
  atomic {
    if
    :: asleep[me] == 0
    :: SECOND_LOOK -> again = 0
#ifndef BROKEN_NO_WATCH
    :: watched != 0 && watched != known && killed[watched] && ALL_SEEN -> known = watched
#endif
    fi;
    asleep[me] = 0;
    watched = 0
  }
}

/* Of the message that is sent at `at`. */
#define PAD_UNITS (PLACE(at) + UNITS > CAPACITY -> CAPACITY - PLACE(at) : 0)
#ifdef BROKEN_NO_PAD_ROOM
#define ROOM(from) (CAPACITY - HELD(from, at) >= UNITS)
#else
#define ROOM(from) (CAPACITY - HELD(from, at) >= PAD_UNITS + UNITS)
#endif
#ifdef BROKEN_TAIL_FIRST
#define NUMBER (published - 1)
#else
#define NUMBER published
#endif

/* Each step, here and below, is one access to shared memory, together with what a side does by itself before and after it. */
proctype send(byte me) {
  byte at, seen, watched, known;
  bit again = 1, looked, padded;
end_role:
  takeRole(producer, 1, tail);
  {
    seen = headSeen;
    wakeAfterRole(consumerSleeps, 3, 4);
    do
    :: atomic {
        published < MESSAGES && !ROOM(seen) && !looked ->
        seen = headSeen;
        assert(HELD(seen, at) <= CAPACITY);
        looked = !ROOM(seen)
      }
#ifdef BROKEN_ROLE_BEFORE_SLEEP_WORD
    :: atomic { looked -> watched = consumer };
      atomic { say(producerSleeps); looked = 0 };
#else
    :: atomic { looked -> say(producerSleeps); looked = 0 };
      watched = consumer;
#endif
      if
      :: atomic { !ROOM(headSeen) -> seen = headSeen }; sleep(producerSleeps)
      :: atomic { ROOM(headSeen) -> seen = headSeen; watched = 0 }
      fi
    :: atomic {
        published < MESSAGES && ROOM(seen) ->
#ifdef BROKEN_TAIL_FIRST
        tail = AFTER(at, PAD_UNITS + UNITS);
        published++
      };
      atomic {
#endif
        if
        :: PAD_UNITS -> padded = 1; length[PLACE(at)] = PAD; at = AFTER(at, PAD_UNITS)
        :: else -> length[PLACE(at)] = UNITS
        fi
      };
      if
      :: atomic { padded -> padded = 0; length[PLACE(at)] = UNITS }; content[PLACE(at)] = NUMBER
      :: atomic { !padded -> content[PLACE(at)] = NUMBER }
      fi;
      content[PLACE(at) + 1] = NUMBER;
      atomic {
        at = AFTER(at, UNITS);
#ifndef BROKEN_TAIL_FIRST
        tail = at;
        published++
#endif
      };
      wake(consumerSleeps, 3, 4)
    :: published == MESSAGES -> break
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; at = 0; seen = 0; looked = 0; padded = 0; watched = 0; known = 0; again = 0 } }
}

#define DELIVER assert(number == delivered); delivered++

inline giveBack() {
  atomic {
#ifndef BROKEN_HEAD_LATE
    DELIVER;
#endif
    number = 0;
    at = AFTER(at, UNITS);
    head = at
  }
}

#define GOOD_RECORD (length[PLACE(at)] == UNITS && UNITS <= HELD(at, seen) && PLACE(at) + UNITS <= CAPACITY)

proctype receive(byte me) {
  byte at, seen, number, watched, known;
  bit again = 1;
end_role:
  takeRole(consumer, 3, head);
  {
    wakeAfterRole(producerSleeps, 1, 2);
    do
    :: delivered < MESSAGES && tailSeen == at ->
#ifdef BROKEN_LOOK_BEFORE_SLEEP_WORD
      watched = producer;
      if
      :: tailSeen == at -> say(consumerSleeps); sleep(consumerSleeps)
#else
#ifdef BROKEN_ROLE_BEFORE_SLEEP_WORD
      watched = producer;
      say(consumerSleeps);
#else
      say(consumerSleeps);
      watched = producer;
#endif
      if
      :: tailSeen == at -> sleep(consumerSleeps)
#endif
      :: atomic { tailSeen != at -> watched = 0 }
      fi
    :: atomic { delivered < MESSAGES && tailSeen != at -> seen = tailSeen; assert(HELD(at, seen) <= CAPACITY) };
      if
      :: atomic {
          length[PLACE(at)] == PAD ->
          at = AFTER(at, CAPACITY - PLACE(at));
          /* A pad is published together with the record behind it. */
          assert(at != seen)
        };
        atomic { assert(GOOD_RECORD); seen = 0 }
      :: atomic { length[PLACE(at)] != PAD -> assert(GOOD_RECORD); seen = 0 }
      fi;
#ifdef BROKEN_HEAD_FIRST
      head = AFTER(at, UNITS);
#endif
      number = content[PLACE(at)];
      assert(content[PLACE(at) + 1] == number);
#ifdef BROKEN_HEAD_LATE
      atomic { DELIVER };
#endif
      giveBack();
      wake(producerSleeps, 1, 2)
    :: delivered == MESSAGES -> break
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; at = 0; seen = 0; number = 0; watched = 0; known = 0; again = 0 } }
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
