/*
 * Blocks of a pool that go to a consumer and come back: docs/channel-layout.md. Two blocks, a queue of two entries, one row, three
 * frames, one producer; the consumer is killed at any step, or leaves, and another takes its row then, or nobody. Memory is
 * sequentially consistent; words that the other side does not read change together.
 *
 * holds                                     no block is filled while it is held; all come back
 * holds  -DLEAVES                           the same when the consumer leaves by itself
 * holds  -DREVOKE                           the same where the producer takes back what the consumer has not taken
 * fails  -DBROKEN_NO_WATCH        assertion the producer does not watch the consumer's process
 * fails  -DBROKEN_RETURN_FIRST    assertion the consumer gives a block back before it has read it
 * fails  -DBROKEN_ACCEPTED_FIRST  assertion a consumer is accepted before its start is written: it takes an old entry
 * fails  -DBROKEN_UNSERVED_TAKES  assertion a consumer does not wait until it is served
 * fails  -DREVOKE -DBROKEN_UNASKED assertion the producer takes an entry back and does not look whether it is being taken
 * fails  -DREVOKE -DBROKEN_NOT_LOOKED assertion the consumer takes an entry and does not look whether it was taken back
 */
#define BLOCKS 2
#define FRAMES 3
#define NONE 255

/* In shared memory: the producer's words, then the consumer's. */
byte accepted, start, pushed, revoked;
byte entryBlock[2], entryGiven[2];
byte given[BLOCKS];
byte role;   /* who has the row: 1, then 2; 0 nobody */
byte ready, taking;
byte returned[BLOCKS];
byte doorbell;
byte content[BLOCKS]; /* the frame's number */

/* The system's. */
bit asleep; /* the producer */
bit killed[3];

/* What is claimed, and stands in no memory: who reads the block. */
byte reader[BLOCKS];

#define HELD(block) (given[block] != 0 && !(given[block] & 1) && given[block] != returned[block])
#define READ(block) (reader[block] != 0 && !killed[reader[block]])

inline clear() {
  atomic {
    accepted = 0;
    if :: HELD(0) -> given[0] = given[0] + 1 :: else fi;
    if :: HELD(1) -> given[1] = given[1] + 1 :: else fi
  }
}

/* Looks who came and who went. */
inline look() {
  if
  :: accepted != 0 && accepted != ready -> clear()
  :: accepted != 0 && role != 0 && known != role && killed[role] -> known = role; clear()
  :: else
  fi;
  seen = ready;
  if
  :: accepted == 0 && (seen & 1) && role != 0 && !killed[role] ->
#ifdef BROKEN_ACCEPTED_FIRST
    accepted = seen;
    start = pushed;
    revoked = pushed;
#else
    atomic { start = pushed; revoked = pushed };
    accepted = seen;
#endif
    skip
  :: else
  fi;
  seen = 0
}

#ifdef REVOKE
/* Takes back the oldest entry that is not taken. */
inline revoke() {
  entry = (revoked < taking -> taking : revoked);
  if
  :: accepted != 0 && entry < pushed ->
    revoked = entry + 1;
    seen = taking;
#ifdef BROKEN_UNASKED
    seen = 0;
#endif
    if
    :: seen <= entry && HELD(entryBlock[entry & 1]) && given[entryBlock[entry & 1]] == entryGiven[entry & 1] ->
      given[entryBlock[entry & 1]] = given[entryBlock[entry & 1]] + 1
    :: else
    fi;
    seen = 0
  :: else
  fi;
  entry = 0
}
#endif

proctype produce() {
  byte frame, block, expected, seen, entry, known, watched;
  frame = 1;
  do
  :: frame <= FRAMES ->
    expected = doorbell;
    watched = role;
    look();
#ifdef REVOKE
    if
    :: HELD(0) && HELD(1) -> revoke()
    :: else
    fi;
#endif
    if
    :: !HELD(0) -> block = 0
    :: !HELD(1) -> block = 1
    :: HELD(0) && HELD(1) -> block = NONE
    fi;
    if
    :: block == NONE ->
      atomic {
        if
        :: doorbell == expected -> asleep = 1
        :: else
        fi
      };
end_sleep:
#ifdef BROKEN_NO_WATCH
      asleep == 0;
#else
      (asleep == 0 || watched != 0 && watched != known && killed[watched]);
#endif
      asleep = 0
    :: else ->
      assert(!READ(block));
      content[block] = frame;
      if
      :: accepted != 0 ->
        atomic {
          entryBlock[pushed & 1] = block;
          entryGiven[pushed & 1] = (given[block] | 1) + 1;
          given[block] = (given[block] | 1) + 1
        };
        pushed++
      :: else /* passes by */
      fi;
      frame++
    fi;
    atomic { block = 0; expected = 0; watched = 0 }
  :: else -> break
  od
}

inline ring() {
  doorbell++;
  asleep = 0
}

proctype consume(byte me) {
  byte next, mine, block, number, frame;
  {
    if
    :: me == 1
    :: me == 2 -> goto absent
    :: me == 2 -> end_role: (role == 0 && ready != 0 || role != 0 && killed[role])
    fi;
    role = me;
    atomic { mine = (ready + 1) | 1; ready = mine };
    ring();
#ifndef BROKEN_UNSERVED_TAKES
end_unserved:
    accepted == mine;
#endif
    next = start;
    /* Sleeps at the row's signal, which changes with each of these. */
end_empty:
    do
    :: pushed > next || revoked > next ->
      if
      :: revoked > next -> next = revoked
      :: else ->
        atomic { block = entryBlock[next & 1]; number = entryGiven[next & 1] };
        atomic { next++; taking = next };
        if
#ifdef BROKEN_NOT_LOOKED
        :: false
#else
        :: revoked >= next
#endif
        :: else ->
#ifdef BROKEN_RETURN_FIRST
          returned[block] = number;
#endif
          atomic { reader[block] = me; frame = content[block] };
          atomic { assert(content[block] == frame); reader[block] = 0; frame = 0 }
        fi;
        atomic { returned[block] = number; block = 0; number = 0 };
        ring()
      fi
#ifdef LEAVES
    :: me == 1 -> break
#endif
    od;
    ready = mine + 1;
    role = 0;
    ring();
absent:
    next = 0;
    mine = 0
  } unless { atomic { killed[me] -> next = 0; mine = 0; block = 0; number = 0; frame = 0 } }
}

proctype killer() {
#ifdef LEAVES
  skip
#else
  if :: killed[1] = 1 :: skip fi
#endif
}

/* When nobody can go on, the producer has not been kept waiting by blocks that nobody reads. */
proctype monitor() {
  timeout -> assert(produce:frame > FRAMES)
}

init {
  atomic { run produce(); run consume(1); run consume(2); run killer(); run monitor() }
}
