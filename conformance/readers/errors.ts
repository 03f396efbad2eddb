/**
 * Rows of Wine's test of RtlNtStatusToDosError: a status in, an error out.
 */
import { error, flags } from '../words.js';
import type { Reader } from './reader.js';

export const errors: Reader = {
  reads: ({ call }) => call === 'RtlNtStatusToDosError',
  read: ({ nt }, { inputs }) => {
    const value = nt.RtlNtStatusToDosError(flags(inputs['statusValue'] ?? inputs['status']));
    return { error: error(value), errorValue: value };
  },
};
