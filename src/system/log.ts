/**
 * What keeps the log from becoming a weapon: a line has a greatest length, clients can cause so many and
 * no more, and a log that is full or gone stops nobody. Writes nothing itself.
 */
type Log = (line: string) => void;

const LONGEST_LINE = 4000;
const LONGEST_AUDIT_LINE = 400;
const AUDIT_BURST = 100;
const AUDIT_PER_SECOND = 1;

/** A log that never throws. */
export function safeLog(log: Log): Log {
  return (line) => {
    try {
      log(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
    } catch {
      // Nobody is left to tell.
    }
  };
}

/** For what clients can cause to be logged: so slowly that they cannot fill a disk with it. */
export function limitedLog(log: Log): Log {
  let credit = AUDIT_BURST;
  let last = Date.now();
  let dropped = 0;
  return (line) => {
    const now = Date.now();
    credit = Math.min(AUDIT_BURST, credit + ((now - last) / 1000) * AUDIT_PER_SECOND);
    last = now;
    if (credit < 1) {
      dropped++;
      return;
    }
    credit--;
    if (dropped > 0) log(`${dropped} lines like the next were not logged`);
    dropped = 0;
    log(line.slice(0, LONGEST_AUDIT_LINE));
  };
}
