/**
 * Asks another process, at its door, to do something to itself. Waits for the answer, as the calls that
 * this is for do; no longer than a bounded time.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { type Descriptor, isOsError, type Message, os } from '../os/index.js';
import { ulong } from './arguments.js';
import { ANSWER_TIME, type Answer, decode, encode, now } from './door-messages.js';
import type { OtherProcess } from './process-object.js';

interface Answered {
  readonly answer: Answer;
  /** The caller's to close. */
  readonly descriptors: readonly Descriptor[];
}

/** Which status stands for a question that got no answer. */
function silence(process_: OtherProcess, error: unknown): NTSTATUS {
  if (isOsError(error) && error.code === 'ETIMEDOUT') {
    return process_.hasEnded ? Status.STATUS_PROCESS_IS_TERMINATING : Status.STATUS_IO_TIMEOUT;
  }
  if (isOsError(error) && error.code === 'EMSGSIZE') return Status.STATUS_INVALID_PARAMETER;
  // Its end of the connection is gone: it has ended, or is about to.
  return Status.STATUS_PROCESS_IS_TERMINATING;
}

/**
 * Asks and waits.
 *
 * @returns The answer, whose status is what the process itself came to; or STATUS_ACCESS_DENIED (its door is
 * closed to us), STATUS_IO_TIMEOUT (it does not answer in time), STATUS_PROCESS_IS_TERMINATING
 */
export function ask(
  process_: OtherProcess,
  operation: string,
  fields: Readonly<Record<string, unknown>>,
  descriptors: readonly Descriptor[] = [],
): Answered {
  const refuse = (status: NTSTATUS): Answered => ({ answer: { status }, descriptors: [] });
  const door = process_.door();
  if ('status' in door) return refuse(door.status);
  let message: Message;
  try {
    message = os.socketRequest(door, encode({ operation, until: now() + ANSWER_TIME, fields }), descriptors, ANSWER_TIME);
  } catch (error) {
    process_.closeDoor();
    return refuse(silence(process_, error));
  }
  try {
    const answer = decode(message.bytes) as Answer;
    if (ulong(answer.status) === undefined) throw new TypeError('no answer');
    return { answer, descriptors: message.descriptors };
  } catch {
    for (const each of message.descriptors) os.descriptorClose(each);
    process_.closeDoor();
    return refuse(Status.STATUS_UNSUCCESSFUL);
  }
}
