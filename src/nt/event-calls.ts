/**
 * The calls on events. Source: Microsoft's pages of ZwCreateEvent, ZwOpenEvent, ZwSetEvent and
 * KEVENT; "Synchronization Object Security and Access Rights".
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { EVENT_MODIFY_STATE, EVENT_QUERY_STATE } from '../security/index.js';
import { eventWords } from '../sync/event-state.js';
import { type Handle, type Size, ulong } from './arguments.js';
import { NotificationEvent, SynchronizationEvent } from './constants.js';
import { eventType } from './named-types.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { STATE_INFORMATION_LENGTH, stateContent, stateQueryStatus, useState } from './state-calls.js';
import type { Mode } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface EventResult {
  readonly status: NTSTATUS;
  readonly eventHandle: Handle;
}

export interface EventStateResult {
  readonly status: NTSTATUS;
  /** 1: it was signalled; 0: it was not, or the call failed. */
  readonly previousState: number;
}

/** EVENT_BASIC_INFORMATION */
export interface EVENT_BASIC_INFORMATION {
  /** NotificationEvent or SynchronizationEvent. */
  readonly EventType: number;
  /** 1 when it is signalled. */
  readonly EventState: number;
}

export interface EventQueryResult {
  readonly status: NTSTATUS;
  readonly eventInformation: EVENT_BASIC_INFORMATION | null;
  readonly returnLength: number;
}

const resultOf = ({ status, handle }: Opened): EventResult => ({ status, eventHandle: handle });

/** ZwCreateEvent and NtCreateEvent. */
export function createEvent(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  type: number,
  initialState: boolean | number,
): EventResult {
  const asked = ulong(type);
  if (asked !== NotificationEvent && asked !== SynchronizationEvent) {
    return { status: Status.STATUS_INVALID_PARAMETER, eventHandle: 0 };
  }
  const content = stateContent(eventWords(asked === NotificationEvent, Boolean(initialState)));
  return resultOf(createNamed('ZwCreateEvent', mode, eventType, desiredAccess, objectAttributes, content));
}

/** ZwOpenEvent and NtOpenEvent. */
export function openEvent(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): EventResult {
  return resultOf(openNamed('ZwOpenEvent', mode, eventType, desiredAccess, objectAttributes));
}

/** Signals an event, or takes the signal back: ZwSetEvent, ZwResetEvent and ZwClearEvent. */
export function putEvent(mode: Mode, eventHandle: Handle, state: 0 | 1): EventStateResult {
  const put = useState(mode, eventHandle, eventType, {
    rights: EVENT_MODIFY_STATE,
    changes: true,
    act: (event) => ((state === 1 ? event.set() : event.reset()) ? 1 : 0),
  });
  return typeof put === 'number' ? { status: Status.STATUS_SUCCESS, previousState: put } : { ...put, previousState: 0 };
}

/** ZwQueryEvent and NtQueryEvent. */
export function queryEvent(mode: Mode, eventHandle: Handle, informationClass: number, length?: Size): EventQueryResult {
  const fail = (status: NTSTATUS): EventQueryResult => ({ status, eventInformation: null, returnLength: 0 });
  const asked = stateQueryStatus(informationClass, length);
  if (!isSuccess(asked)) return fail(asked);
  const information = useState(mode, eventHandle, eventType, {
    rights: EVENT_QUERY_STATE,
    changes: false,
    act: (event) => ({
      EventType: event.manualReset ? NotificationEvent : SynchronizationEvent,
      EventState: event.isReady() ? 1 : 0,
    }),
  });
  if ('status' in information) return fail(information.status);
  return { status: Status.STATUS_SUCCESS, eventInformation: information, returnLength: STATE_INFORMATION_LENGTH };
}
