/**
 * How much of the system process one client can use up. The table of defaults, and nothing else.
 */
import { readFileSync } from 'node:fs';

export interface SystemLimits {
  /** Connections in all. */
  readonly clients: number;
  /** Connections of one user. */
  readonly clientsPerUser: number;
  /** Open handles of one connection. */
  readonly handlesPerClient: number;
  /** Sections that one user's clients (other than root's) created and that still live. */
  readonly objectsPerUser: number;
  /** The same of all users together: each takes two of the system process's descriptors. */
  readonly objectsOfUsers: number;
  /** Bytes of sections that one user's clients created and that still live, in whole pages. */
  readonly bytesPerUser: number;
  /** Requests to devices that one connection has under way, or has not asked the outcome of. */
  readonly deviceRequestsPerClient: number;
  /** Bytes in the buffers of these, and in the names of open files of devices, of all connections of one user. */
  readonly deviceBytesPerUser: number;
  /** Unanswered requests of one connection; it is not read beyond them. */
  readonly requestsInFlight: number;
  /** Requests that are none, after which a connection is cut off. */
  readonly malformedRequests: number;
}

/** Kept for connections, drivers and root. */
const RESERVED_DESCRIPTORS = 256;

/** How many descriptors this process may have. */
function descriptorLimit(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024);
  } catch {
    return 1024; // what POSIX systems start with
  }
}

export const defaultLimits: SystemLimits = {
  clients: 1024,
  clientsPerUser: 256,
  handlesPerClient: 4096,
  objectsPerUser: 1024,
  objectsOfUsers: Math.floor((descriptorLimit() - RESERVED_DESCRIPTORS) / 3),
  bytesPerUser: 16 * 2 ** 30,
  deviceRequestsPerClient: 64,
  deviceBytesPerUser: 64 * 2 ** 20,
  requestsInFlight: 32,
  malformedRequests: 64,
};
