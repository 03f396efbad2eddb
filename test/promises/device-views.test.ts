/**
 * Promise 1, no use of a view can end the process, where what is mapped is no file.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { Section } from 'sectile';
import deviceViews from '../fixtures/device-views.js';
import { testEach } from '../support/child.js';
import { compile } from '../support/compile.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';

const PAGE = 4096;

testEach(deviceViews, { wrapper: [compile('device.c', 'program')] });

test('a device is asked when a view is mapped, for that view alone', { skip: platform.lacks.devices }, () => {
  const zero = openSync('/dev/zero', 'r+');
  using section = Section.fromDescriptor(zero, { size: 2 ** 32 + PAGE });
  closeSync(zero);
  using view = section.map({ offset: 2 ** 32, length: 100 });
  assert.ok(view.bytes.every((each) => each === 0));
  const nothing = openSync('/dev/null', 'r+');
  using unmappable = Section.fromDescriptor(nothing, { size: PAGE });
  closeSync(nothing);
  assert.throws(() => unmappable.map(), withCode('ERR_SECTION_FILE', /ENODEV/));
});
