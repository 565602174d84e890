/** A call detail record of a dialogue that began at a moment. */
import type { CallRecord } from '../../src/dialogue/cdr.ts'
import { uuidV7 } from '../../src/base/ids.ts'

export function recordAt(openedMs: number, more: Partial<CallRecord> = {}): CallRecord {
  return {
    epoch: uuidV7(openedMs, (octets) => Buffer.alloc(octets, 7)),
    kind: 'dialogue',
    openedMs,
    endedMs: openedMs + 18_250,
    msisdn: '67570000001',
    line: 'akiba',
    code: '*123#',
    flow: 'dental@9f2c01ab77de',
    reason: 'completed',
    screen: 'done',
    turns: 3,
    waitMs: 15_000,
    backendMs: 250,
    language: 'en',
    channel: 'ussd',
    instance: 'd1',
    path: 'main:1/4>name:*/11',
    detail: '',
    ...more,
  }
}
