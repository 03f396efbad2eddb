/**
 * Rows of Wine's test of RtlNtStatusToDosError: a status in, an error out.
 */
import { error, flags, valueIfWords } from '../words.js';
import type { Reader } from './reader.js';

export const errors: Reader = {
  reads: ({ call }) => call === 'RtlNtStatusToDosError',
  read: ({ nt }, { inputs, expect }) => {
    const value = nt.RtlNtStatusToDosError(flags(inputs['statusValue'] ?? inputs['status']));
    // Errors that have no name here are told by their value alone.
    const isNamed = valueIfWords(expect['error']) !== undefined || !('errorValue' in expect);
    return { error: isNamed ? error(value) : expect['error'], errorValue: value };
  },
};
