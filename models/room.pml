/*
 * Several producers of a ring that wait for room at one word, `producerSleeps`: docs/channel-layout.md. Three producers send one
 * message each through a ring that holds one of theirs; the consumer takes what there is. Taking the mutex, looking for room and sending
 * are one step here; that the mutex is right, mutex.pml says.
 *
 * With -DGENERATION the word is counted up by whoever wakes, and its lowest bit says that somebody sleeps: see wait.pml.
 *
 * holds                                      nobody sleeps beside room for his message
 * holds  -DKILLED -DGENERATION               the same, with a producer killed at any step
 * fails  -DKILLED                  assertion a limit: who sets the word again for one who missed its wake-up, and is killed before
 *                                            it sends, leaves that one asleep until the consumer changes something
 * fails  -DBROKEN_LOOK_BEFORE_WORD assertion a producer sets the word after its last look
 */
#define PRODUCERS 3

byte sent; /* messages in the ring, which has room for one */
byte word; /* producerSleeps: 0, or 2 for want of room; a generation's count and bit */
bit asleep[PRODUCERS];
bit killed[PRODUCERS];
bit asks[PRODUCERS]; /* has something to send still */

inline wakeAll() { d_step { asleep[0] = 0; asleep[1] = 0; asleep[2] = 0 } }

inline attempt() {
  d_step {
    if
    :: sent == 0 -> sent = 1; asks[me] = 0
    :: else
    fi
  }
}

inline prepare() {
#ifdef GENERATION
  d_step { word = word | 1; expected = word };
#else
  d_step {
    if
    :: word == 0 -> word = 2
    :: else
    fi;
    expected = word
  };
#endif
}

proctype producer(byte me) {
  byte expected;
  {
    do
    ::
      attempt();
      if :: !asks[me] -> break :: else fi;
#ifdef BROKEN_LOOK_BEFORE_WORD
      attempt();
      if :: !asks[me] -> break :: else fi;
      prepare();
#else
      prepare();
      attempt();
      if :: !asks[me] -> break :: else fi;
#endif
      atomic {
        if
        :: word == expected -> asleep[me] = 1
        :: else
        fi;
        expected = 0
      };
end_sleep:
      asleep[me] == 0
    od
  } unless { atomic { killed[me] -> asleep[me] = 0; asks[me] = 0; expected = 0 } }
}

proctype consumer() {
  byte found;
end_empty:
  do
  :: sent == 1 ->
    sent = 0;
#ifdef GENERATION
    d_step {
      found = word;
      if
      :: found & 1 -> word = found + 1
      :: else
      fi
    };
    if
    :: found & 1 -> wakeAll()
    :: else
    fi;
#else
    found = word;
    if
    :: found -> word = 0; wakeAll()
    :: else
    fi;
#endif
    found = 0
  od
}

proctype killer() {
#ifdef KILLED
  if :: killed[0] = 1 :: skip fi
#else
  skip
#endif
}

proctype monitor() {
  timeout -> assert(sent == 1 || !(asleep[0] || asleep[1] || asleep[2]))
}

init {
  atomic {
    run killer();
    run monitor();
    asks[0] = 1;
    asks[1] = 1;
    asks[2] = 1;
    run producer(0);
    run producer(1);
    run producer(2);
    run consumer()
  }
}
