/**
 * An object as `--json` shows it: stable keys, the same in `ls` and `show`.
 */
import { type Holder, hasLargePages, isReserved, type MappedView, type ObjectFacts } from '../inspector/index.js';

function viewJson({ address, length, offset, access }: MappedView) {
  return { address, length, offset, access };
}

function holderJson(holder: Holder) {
  const { pid, command, kernel, handles, granted, mappings, otherPidNamespace } = holder;
  return { pid, command: command?.join(' ') ?? null, kernel, handles, views: mappings.length, granted, otherPidNamespace };
}

/** One entry of `sectile ls --json`. */
export function objectJson(facts: ObjectFacts) {
  const { name, scope, kind, size, resident, backing, file, pageProtection, attributes, soleWriter } = facts;
  const { security, owner, mode, created, device, inode, holders } = facts;
  return {
    name,
    scope,
    kind,
    size,
    resident,
    backing,
    file,
    pageProtection,
    soleWriter,
    reserved: attributes === null ? null : isReserved(attributes),
    largePages: attributes === null ? null : hasLargePages(attributes),
    security,
    owner,
    mode,
    created: created === null ? null : new Date(created).toISOString(),
    device,
    inode,
    holders: holders.map(holderJson),
  };
}

/** The answer of `sectile show --json`: as in `ls`, with each holder's views in full. */
export function objectDetailsJson(facts: ObjectFacts) {
  return {
    ...objectJson(facts),
    holders: facts.holders.map((holder) => ({ ...holderJson(holder), mappings: holder.mappings.map(viewJson) })),
  };
}
