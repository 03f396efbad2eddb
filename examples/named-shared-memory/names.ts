/** What both processes agree on: `#define BUF_SIZE 256` and `szName` of the sample. */
export const BUF_SIZE = 256;
export const szName = 'Global\\MyFileMappingObject';
