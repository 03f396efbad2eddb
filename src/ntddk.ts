/**
 * `sectile/ntddk` as it is imported: for drivers in the system process. Where the kernel is NT, drivers are its own.
 */
import './ntos/no-drivers.js';

export * from './nt/ntddk.js';
