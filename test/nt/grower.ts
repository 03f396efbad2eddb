/**
 * The other process of the tests of sections that are extended.
 */
import assert from 'node:assert/strict';
import * as n from 'sectile/ntdll';
import { reached, scenarios, told } from '../support/scenario.js';

const self = n.NtCurrentProcess();

const sizeOf = (handle: number) => n.NtQuerySection(handle, n.SectionBasicInformation).sectionInformation?.MaximumSize;

export default scenarios(import.meta.url, {
  'sees how far a section reaches now': async (path: string, before: number, after: number) => {
    const { sectionHandle } = n.NtOpenSection(n.SECTION_MAP_READ | n.SECTION_QUERY, n.InitializeObjectAttributes(path, 0));
    const map = () => n.NtMapViewOfSection(sectionHandle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READONLY);
    const old = map().view;
    assert.deepEqual([sizeOf(sectionHandle), old?.length], [before, before]);
    assert.equal(n.NtExtendSection(sectionHandle, after).status, n.STATUS_ACCESS_DENIED);
    reached('opened');
    await told('look');
    assert.equal(sizeOf(sectionHandle), after);
    const wide = map().view;
    assert.deepEqual([wide?.length, wide?.bytes[after - 1], old?.length], [after, 77, before]);
  },

  'extends a section': async (path: string, size: number) => {
    const access = n.SECTION_MAP_WRITE | n.SECTION_EXTEND_SIZE;
    const { status, sectionHandle } = n.NtOpenSection(access, n.InitializeObjectAttributes(path, 0));
    assert.equal(status, n.STATUS_SUCCESS);
    assert.deepEqual(n.NtExtendSection(sectionHandle, size), { status: n.STATUS_SUCCESS, newSectionSize: size });
    const { view } = n.NtMapViewOfSection(sectionHandle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READWRITE);
    assert.ok(view !== null);
    view.bytes[size - 1] = 77;
  },
});
