/**
 * The bytes of a section, a POSIX object or a file, for looking only. Read by read(2) and not through a
 * view: a view would fill the holes of a sparse section with memory just because somebody looked.
 */
import { SectionError } from '../base/error.js';
import { openFile, openPosixObject } from '../memory/existing.js';
import type { MemoryObject } from '../memory/memory-object.js';
import { sectionErrorFrom } from '../memory/system-errors.js';
import { os } from '../os/index.js';
import { SECTION_MAP_READ } from '../security/index.js';
import { openSection } from '../system/lookup.js';
import type { Target } from './target.js';

export interface Content {
  readonly size: number;
  /** Fills `target` from a position. Throws ERR_SECTION_FAULT when the memory ends before. */
  read(target: Uint8Array, position: number): void;
  close(): void;
}

interface Opened {
  readonly memory: MemoryObject;
  close(): void;
}

function open(operation: string, target: Target): Opened {
  switch (target.kind) {
    case 'section':
      return openSection(operation, target.name, SECTION_MAP_READ);
    case 'posix': {
      const memory = openPosixObject(operation, target.name, 'read');
      return { memory, close: () => memory.close() };
    }
    default: {
      const path = target.kind === 'file' ? target.path : `/proc/${target.pid}/fd/${target.descriptor}`;
      const memory = openFile(operation, path, 'read');
      return { memory, close: () => memory.close() };
    }
  }
}

/**
 * Opens memory of any kind for reading.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED and what the kind brings
 */
export function openContent(operation: string, target: Target, object: string): Content {
  const opened = open(operation, target);
  const { memory } = opened;
  return {
    size: memory.size,
    read(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        let count: number;
        try {
          count = os.descriptorRead(memory.descriptor, done === 0 ? bytes : bytes.subarray(done), position + done);
        } catch (error) {
          throw sectionErrorFrom(error, operation, object);
        }
        if (count === 0) {
          throw new SectionError('ERR_SECTION_FAULT', {
            operation,
            object,
            rule: `it ends at byte ${position + done}, before its ${memory.size} bytes`,
            wayOut: 'The file was cut short meanwhile: look again',
          });
        }
        done += count;
      }
    },
    close: () => opened.close(),
  };
}
