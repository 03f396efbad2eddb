/**
 * The commands that run something for longer: drivers and their system process, the demonstration, measurements. They need much the
 * same, and are loaded together.
 */
export { benchCommand } from './bench.js';
export { demoCommand } from './demo.js';
export { driverCommand } from './driver.js';
export { systemCommand } from './system.js';
