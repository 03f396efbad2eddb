/**
 * `sectile/channel`: messages and values between processes over sections, and the only place that decides what of them is
 * public.
 */
export { SectionError, type SectionErrorCode } from '../base/error.js';
export type { WaitOptions } from '../sync/wait-options.js';
export { Broadcast, type BroadcastCreateOptions, type BroadcastFormat } from './broadcast.js';
export type { BroadcastReader, BroadcastReadOptions, Lost } from './broadcast-reader.js';
export type { BroadcastWriter } from './broadcast-writer.js';
export type { PartOptions, SectionOptions, Wake } from './cell.js';
export { Latest, type LatestCreateOptions, type LatestFormat } from './latest.js';
export type { LatestReader } from './latest-reader.js';
export type { LatestWriter } from './latest-writer.js';
export { MessageBatch } from './message-batch.js';
export type { PeerState } from './peer-waits.js';
export { Pool, type PoolCreateOptions, type PoolFormat } from './pool.js';
export type { PoolConsumer, PoolConsumerOptions, PoolFrame } from './pool-consumer.js';
export type { PolicyName } from './pool-layout.js';
export type { PoolBlock, PoolConsumerFacts, PoolEvent, PoolProducer, PoolProducerOptions } from './pool-producer.js';
export { Ring, type RingCreateOptions, type RingFormatOptions, type RingOverOptions, type RoleOptions } from './ring.js';
export type { RingConsumer } from './ring-consumer.js';
export type { Producers } from './ring-layout.js';
export type { RingProducer } from './ring-producer.js';
export type { PeerEnd } from './ring-side.js';
export type { RingStreamOptions } from './ring-streams.js';
