/**
 * Views in other processes: mapped and unmapped by the process itself, which is asked at its door. What
 * travels is a hold on the section that can do what the view needs, and no more.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { os } from '../os/index.js';
import { ask } from './door-client.js';
import { statusOf } from './failure.js';
import type { ProcessBody } from './object-types.js';
import { pack } from './passing.js';
import { OtherProcess } from './process-object.js';
import type { OpenSection } from './tables.js';

/** What mapping came to over there. */
interface MappedThere {
  readonly status: NTSTATUS;
  readonly baseAddress: bigint | null;
  readonly sectionOffset: number;
  readonly viewSize: number;
}

/**
 * Has a process map a view.
 *
 * @param rights What the view needs of the section; the caller has checked them.
 * @param given What is asked for, as {@link mapHere} takes it.
 */
export function mapInto(
  process_: ProcessBody,
  { type, body, object }: OpenSection,
  rights: number,
  given: Readonly<Record<string, unknown>>,
): MappedThere | { readonly status: NTSTATUS } {
  if (!(process_ instanceof OtherProcess)) return { status: Status.STATUS_NOT_SUPPORTED };
  try {
    const parcel = pack(type, body, rights);
    if ('status' in parcel) return parcel;
    try {
      const { answer } = ask(
        process_,
        'view.map',
        { facts: parcel.facts, object, granted: rights, ...given },
        parcel.descriptors,
      );
      return answer as unknown as MappedThere;
    } finally {
      parcel.close();
    }
  } catch (error) {
    return { status: statusOf(error) };
  }
}

/** Has a process unmap the view that an address lies in. */
export function unmapFrom(process_: ProcessBody, base: bigint | null, flags: number): NTSTATUS {
  if (!(process_ instanceof OtherProcess)) return Status.STATUS_NOT_SUPPORTED;
  const { answer, descriptors } = ask(process_, 'view.unmap', { base, flags });
  for (const each of descriptors) os.descriptorClose(each);
  return answer.status;
}
