/**
 * How much of the system process one client can use up. The table of defaults, and nothing else.
 */
export interface SystemLimits {
  /** Connections in all. */
  readonly clients: number;
  /** Connections of one user. */
  readonly clientsPerUser: number;
  /** Open handles of one connection. */
  readonly handlesPerClient: number;
  /** Bytes of sections that one user's clients created and that still live. */
  readonly bytesPerUser: number;
  /** Unanswered requests of one connection; it is not read beyond them. */
  readonly requestsInFlight: number;
  /** Requests that are none, after which a connection is cut off. */
  readonly malformedRequests: number;
}

export const defaultLimits: SystemLimits = {
  clients: 1024,
  clientsPerUser: 256,
  handlesPerClient: 4096,
  bytesPerUser: 16 * 2 ** 30,
  requestsInFlight: 32,
  malformedRequests: 64,
};
