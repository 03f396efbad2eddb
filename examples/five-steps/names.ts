/** What driver and application agree on. */
export const sectionName = 'SharedWithApplications';
export const sectionSize = 64 * 1024;
export const greeting = 'Hello from kernel mode';
