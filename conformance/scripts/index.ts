/**
 * The scripts of the prose cases, one file for each family of vectors.
 */
import type { Script } from '../script.js';
import { scripts as docsKernel } from './ms-docs-kernel.js';
import { scripts as docsMappings } from './ms-docs-mappings.js';
import { scripts as docsViews } from './ms-docs-views.js';
import { scripts as handles } from './reactos-handles.js';
import { scripts as mmsection } from './reactos-mmsection.js';
import { scripts as samples } from './reactos-samples.js';
import { scripts as zwmapview } from './reactos-zwmapviewofsection.js';
import { scripts as lifetime } from './sectile-lifetime.js';
import { scripts as privileges } from './sectile-privileges.js';
import { scripts as ranges } from './sectile-ranges.js';
import { scripts as rights } from './sectile-rights.js';
import { scripts as fileInteraction } from './wine-file-interaction.js';
import { scripts as mapview } from './wine-ntdll-mapview.js';
import { scripts as objectManager } from './wine-ntdll-om.js';
import { scripts as driverAndApp } from './wine-ntoskrnl-driver-app.js';

export const scripts: Readonly<Record<string, Script>> = {
  ...docsKernel,
  ...docsMappings,
  ...docsViews,
  ...driverAndApp,
  ...fileInteraction,
  ...handles,
  ...lifetime,
  ...mapview,
  ...mmsection,
  ...objectManager,
  ...privileges,
  ...ranges,
  ...rights,
  ...samples,
  ...zwmapview,
};
