/**
 * The files that follow from a layout: the same facts for C and for TypeScript, and the file in which the driver's
 * author goes on. All other files of a kit are the same for every driver but for its name.
 */
import { type Field, fieldTypes } from './field.js';
import type { DriverLayout, PlacedField, RecordLayout } from './layout.js';

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

function cStruct(name: string, { fields, bytes }: RecordLayout): string {
  const members = fields.map(({ name, type, length, comment }) => {
    const member = `  ${fieldTypes[type].c} ${name}${length === null ? '' : `[${length}]`};`;
    return { member, comment };
  });
  const width = Math.max(...members.filter(({ comment }) => comment !== undefined).map(({ member }) => member.length));
  const lines = members.map(({ member, comment }) =>
    comment === undefined ? member : `${member.padEnd(width)} /* ${comment} */`,
  );
  const asserts = fields.map(({ name: field, at }) => `_Static_assert(offsetof(${name}, ${field}) == ${at}, "${field}");`);
  return [
    `typedef struct ${name} {`,
    ...lines,
    `} ${name};`,
    '',
    ...asserts,
    `_Static_assert(sizeof(${name}) == ${bytes}, "${name}");`,
  ].join('\n');
}

/** layout.h */
export function renderCLayout({ sample, controls, id }: DriverLayout): string {
  return `/*
 * The shared values, made by "sectile driver init". layout.ts says the same for TypeScript: make both anew rather than
 * change one. Whoever holds another layout is told so by LAYOUT_ID.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LAYOUT_ID ${hex(id)}u

/* clang-format off */

/* Written by the driver. */
${cStruct('SAMPLE', sample)}

/* Written by applications, under the lock. */
${cStruct('CONTROLS', controls)}
`;
}

function tsRecord(name: string, description: string, { fields, bytes }: RecordLayout): string {
  const lines = fields.map(({ name: field, type, length, at, comment }: PlacedField) => {
    const facts = `{ at: ${at}, type: '${type}'${length === null ? '' : `, length: ${length}`} }`;
    return `${comment === undefined ? '' : `  /** ${comment[0]?.toUpperCase()}${comment.slice(1)}. */\n`}  ${field}: ${facts},`;
  });
  return `/** ${description} */\nexport const ${name}Layout = {\n${lines.join('\n')}\n} as const;\nexport const ${name}Bytes = ${bytes};`;
}

/** layout.ts */
export function renderTsLayout(driver: string, { sample, controls, id }: DriverLayout): string {
  return `/**
 * The shared values, made by "sectile driver init". layout.h says the same for C: make both anew rather than change one.
 * Whoever holds another layout is told so by layoutId.
 */

/** The name of the driver; its sections' names start with it. */
export const driverName = '${driver}';

export const layoutId = ${hex(id)};

${tsRecord('sample', 'Written by the driver: where each value stands, in bytes.', sample)}

${tsRecord('controls', 'Written by applications, under the lock.', controls)}
`;
}

/** A value that shows something: the sample's number, in every element. */
function collectLine({ name, type, length }: Field): string {
  const value = `(${fieldTypes[type].c})sample->number`;
  return length === null
    ? `  sample->${name} = ${value};`
    : `  for (size_t index = 0; index < ${length}; index++) sample->${name}[index] = ${value};`;
}

const isFloat = ({ type }: Field): boolean => type === 'f32' || type === 'f64';

/** values.c: what is left to write for the driver's author. */
export function renderCValues(fields: readonly Field[], controls: readonly Field[]): string {
  const float = [...fields, ...controls].some(isFloat);
  const marker =
    '\n#if defined(_MSC_VER)\n/* The compiler asks for it where floating point is used and no C library is. */\nint _fltused;\n#endif\n';
  return `/*
 * What the values mean: the one file to change for a device of one's own. Everything here runs in the driver's thread,
 * at PASSIVE_LEVEL and on copies; nothing here sees shared memory.
 */
#include "driver.h"
${float ? marker : ''}
/* Fills in the driver's own values; those that every layout has are there already. Put the device's values here. */
PAGED_FUNCTION VOID CollectSample(SAMPLE *sample, const CONTROLS *controls) {
  PAGED_CODE();
  UNREFERENCED_PARAMETER(controls);
${fields.map(collectLine).join('\n')}
}

/*
 * Says whether these values can be. They come from an application and may be anything: refuse every number that is out
 * of range and every index that is too large, for example by STATUS_INVALID_PARAMETER.
 */
PAGED_FUNCTION NTSTATUS CheckControls(const CONTROLS *controls) {
  PAGED_CODE();
  UNREFERENCED_PARAMETER(controls);
  return STATUS_SUCCESS;
}

/* Puts values to use that were checked${controls.length === 0 ? '' : `: ${controls.map(({ name }) => name).join(', ')}`}. */
PAGED_FUNCTION VOID ApplyControls(SAMPLE *sample, const CONTROLS *controls) {
  PAGED_CODE();
  UNREFERENCED_PARAMETER(sample);
  UNREFERENCED_PARAMETER(controls);
}
`;
}

function tsCollectLine({ name, type, length }: Field): string {
  const value = type === 'u64' || type === 'i64' ? 'number' : 'Number(number)';
  return `    ${name}: ${length === null ? value : `Array(${length}).fill(${value})`},`;
}

/** values.ts: the same for the driver in TypeScript. */
export function renderTsValues(fields: readonly Field[], controls: readonly Field[]): string {
  return `/**
 * What the values mean, for the driver in TypeScript: the one file to change. values.c is the same for Windows.
 */
import type { controlsLayout, sampleLayout } from './layout.ts';
import type { RecordOf } from './records.ts';

type Sample = RecordOf<typeof sampleLayout>;
type Controls = RecordOf<typeof controlsLayout>;

/** The driver's own values, for the sample of this number. Put the device's values here. */
export function collect(number: bigint, _controls: Controls): Partial<Sample> {
  return {
${fields.map(tsCollectLine).join('\n')}
  };
}

/** Says whether these values can be. They come from an application and may be anything. */
export function check(_controls: Controls): boolean {
  return true;
}

/** Puts values to use that were checked${controls.length === 0 ? '' : `: ${controls.map(({ name }) => name).join(', ')}`}. */
export function apply(_controls: Controls): void {}
`;
}
