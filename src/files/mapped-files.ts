/**
 * Sections over files as users of them: the registry learns of each, whichever face made it.
 */
import { SectionError } from '../base/error.js';
import { setFileKeeper } from '../memory/file-keeper.js';
import { FileUse } from './file-use.js';

setFileKeeper((operation, { device, inode }, writable) => {
  try {
    const use = FileUse.claimSection(operation, { device, inode }, writable);
    return () => use.release();
  } catch (error) {
    // Without a registry nobody could open the file by the sharing rules either: mapping it goes on.
    if (error instanceof SectionError && error.code !== 'ERR_SECTION_LIMIT') return () => {};
    throw error;
  }
});
