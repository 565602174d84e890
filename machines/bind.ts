/**
 * One bind as a statechart: when to connect, bind, probe, wait, stand by, unbind. A live actor (it has timers, on the
 * clock that it gets). The actions, which the link provides, do the socket work.
 */
import { assign, setup } from 'xstate'
import { statusPolicy, type Chance } from '../src/ussd/index.ts'
import type { BindTimes } from './bind-times.ts'
import { BIND_FAILED, NO_TRIES, afterLoss, afterRefusal, takenLong, type LossCause, type Tries } from './bind-tries.ts'

export type BindEvent =
  | { type: 'START' }
  | { type: 'CONNECTED' }
  /** The connection is gone, or could not be made. */
  | { type: 'LOST'; cause: LossCause }
  | { type: 'BOUND' }
  | { type: 'REFUSED'; status: number }
  | { type: 'ENQUIRED' }
  /** Stop in good order. The drain may take that long; unbind until `goneMs` (wall clock), at most `unbindMs`. */
  | { type: 'STOP'; drainMs: number; goneMs?: number }
  | { type: 'DRAINED' }
  | { type: 'UNBOUND' }

export interface BindInput {
  times: BindTimes
  /** The addresses to try, in order. */
  hosts: number
  now: () => number
  chance: Chance
  /** Milliseconds since an octet was last read; 0 while we choose not to read. */
  silentMs: () => number
}

interface BindContext extends BindInput, Tries {
  misses: number
  drainMs: number
  goneMs: number
}

/** However late it is: an SMSC that is well answers unbind within that. */
const UNBIND_MS_MIN = 200

/** The account is bound already, and may be free soon. */
const isTaken = (status: number): boolean => statusPolicy(status).bind === 'next-second'

export const bindMachine = setup({
  types: {
    context: {} as BindContext,
    input: {} as BindInput,
    events: {} as BindEvent,
  },
  actions: {
    /** Opens a connection to host number `host`. */
    open: (_args, _params: { host: number }) => undefined,
    /** Writes the bind request. */
    bind: () => undefined,
    /** The link may serve. */
    serve: () => undefined,
    /** Writes enquire_link. */
    enquire: () => undefined,
    /** Reports one enquire_link without an answer. */
    missed: () => undefined,
    /** Destroys the connection, if there is one. */
    drop: (_args, _params: { why: string }) => undefined,
    /** An operator has to act: the SMSC refuses us. */
    alarm: (_args, _params: { status: number }) => undefined,
    /** Accepts no more requests; reports DRAINED when nothing is open. */
    drain: () => undefined,
    /** Writes unbind. */
    unbind: () => undefined,
    loss: assign(({ context }, params: { cause: LossCause; mostMs?: number }) => afterLoss(context, params)),
    refused: assign(({ context }) => afterRefusal(context)),
    taken: assign(({ context }) => ({
      takenSince: context.takenSince ?? context.now(),
      waitMs: context.times.takenMs,
      boundAt: 0,
    })),
    nextHost: assign(({ context }) => ({ host: context.host + 1 })),
    steady: assign(({ context }) => ({
      boundAt: context.now(),
      takenSince: undefined,
      failures: 0,
      refusals: 0,
      misses: 0,
    })),
    anew: assign(NO_TRIES),
    forgetMisses: assign({ misses: 0 }),
    countMiss: assign(({ context }) => ({ misses: context.misses + 1 })),
  },
  guards: {
    anotherHost: ({ context }) => context.host + 1 < context.hosts,
    forGood: (_, params: { status: number }) => statusPolicy(params.status).bind === 'never',
    bindFailed: (_, params: { status: number }) => params.status === BIND_FAILED,
    takenShort: ({ context }, params: { status: number }) => isTaken(params.status) && !takenLong(context),
    takenLong: (_, params: { status: number }) => isTaken(params.status),
    heardLately: ({ context }) => context.silentMs() < context.times.enquireMs,
    heardSinceProbe: ({ context }) => context.silentMs() < context.times.enquireRespMs,
    lastMiss: ({ context }) => context.misses + 1 >= context.times.missesMax,
  },
  delays: {
    connectMs: ({ context }) => context.times.connectMs,
    bindMs: ({ context }) => context.times.bindMs,
    quietMs: ({ context }) => Math.max(1, context.times.enquireMs - context.silentMs()),
    enquireRespMs: ({ context }) => context.times.enquireRespMs,
    waitMs: ({ context }) => context.waitMs,
    standbyMs: ({ context }) => context.times.standbyMs,
    drainMs: ({ context }) => context.drainMs,
    unbindMs: ({ context: { times, goneMs, now } }) =>
      Math.min(times.unbindMs, Math.max(UNBIND_MS_MIN, goneMs - now())),
  },
}).createMachine({
  id: 'bind',
  context: ({ input }) => ({
    ...input,
    ...NO_TRIES,
    misses: 0,
    drainMs: 0,
    goneMs: Infinity,
  }),
  initial: 'closed',
  states: {
    closed: { on: { START: { target: 'connecting', actions: 'anew' } } },

    connecting: {
      entry: { type: 'open', params: ({ context }) => ({ host: context.host }) },
      after: {
        connectMs: [
          {
            guard: 'anotherHost',
            target: 'connecting',
            reenter: true,
            actions: [{ type: 'drop', params: { why: 'connect-timeout' } }, 'nextHost'],
          },
          {
            target: 'waiting',
            actions: [
              { type: 'drop', params: { why: 'connect-timeout' } },
              { type: 'loss', params: { cause: 'lost' } },
            ],
          },
        ],
      },
      on: {
        CONNECTED: 'binding',
        LOST: [
          { guard: 'anotherHost', target: 'connecting', reenter: true, actions: 'nextHost' },
          { target: 'waiting', actions: { type: 'loss', params: ({ event }) => event } },
        ],
        STOP: { target: 'closed', actions: { type: 'drop', params: { why: 'stopped' } } },
      },
    },

    binding: {
      entry: 'bind',
      after: {
        bindMs: [
          {
            guard: 'anotherHost',
            target: 'connecting',
            actions: [{ type: 'drop', params: { why: 'bind-timeout' } }, 'nextHost'],
          },
          {
            target: 'waiting',
            actions: [
              { type: 'drop', params: { why: 'bind-timeout' } },
              { type: 'loss', params: { cause: 'lost' } },
            ],
          },
        ],
      },
      on: {
        BOUND: { target: 'bound', actions: ['steady', 'serve'] },
        REFUSED: [
          {
            guard: { type: 'forGood', params: ({ event }) => event },
            target: 'waiting',
            actions: [
              { type: 'drop', params: { why: 'refused' } },
              { type: 'alarm', params: ({ event }) => ({ status: event.status }) },
              'refused',
            ],
          },
          {
            guard: { type: 'takenShort', params: ({ event }) => event },
            target: 'waiting',
            actions: [{ type: 'drop', params: { why: 'refused' } }, 'taken'],
          },
          {
            guard: { type: 'takenLong', params: ({ event }) => event },
            target: 'standby',
            actions: [{ type: 'drop', params: { why: 'refused' } }],
          },
          // Perhaps only this address of the SMSC.
          {
            guard: 'anotherHost',
            target: 'connecting',
            actions: [{ type: 'drop', params: { why: 'refused' } }, 'nextHost'],
          },
          {
            guard: { type: 'bindFailed', params: ({ event }) => event },
            target: 'waiting',
            actions: [
              { type: 'drop', params: { why: 'refused' } },
              { type: 'alarm', params: ({ event }) => ({ status: event.status }) },
              {
                type: 'loss',
                params: ({ context: { times } }) => ({
                  cause: 'lost',
                  mostMs: Math.max(times.bindFailMaxMs, times.reconnectMaxMs),
                }),
              },
            ],
          },
          {
            target: 'waiting',
            actions: [
              { type: 'drop', params: { why: 'refused' } },
              { type: 'loss', params: { cause: 'lost' } },
            ],
          },
        ],
        LOST: [
          { guard: 'anotherHost', target: 'connecting', actions: 'nextHost' },
          { target: 'waiting', actions: { type: 'loss', params: ({ event }) => event } },
        ],
        STOP: { target: 'closed', actions: { type: 'drop', params: { why: 'stopped' } } },
      },
    },

    bound: {
      initial: 'quiet',
      states: {
        quiet: {
          after: {
            quietMs: [{ guard: 'heardLately', target: 'quiet', reenter: true }, { target: 'probing' }],
          },
        },
        probing: {
          entry: 'enquire',
          after: {
            enquireRespMs: [
              { guard: 'heardSinceProbe', target: 'quiet', actions: 'forgetMisses' },
              {
                guard: 'lastMiss',
                target: '#bind.waiting',
                actions: [
                  'missed',
                  { type: 'drop', params: { why: 'enquire_link-unanswered' } },
                  { type: 'loss', params: { cause: 'lost' } },
                ],
              },
              { target: 'probing', reenter: true, actions: ['missed', 'countMiss'] },
            ],
          },
          on: { ENQUIRED: { target: 'quiet', actions: 'forgetMisses' } },
        },
      },
      on: {
        LOST: { target: 'waiting', actions: { type: 'loss', params: ({ event }) => event } },
        STOP: {
          target: 'unbinding',
          actions: assign(({ event: { drainMs, goneMs = Infinity } }) => ({ drainMs, goneMs })),
        },
      },
    },

    waiting: { after: { waitMs: 'connecting' }, on: { STOP: 'closed' } },

    standby: { after: { standbyMs: 'connecting' }, on: { STOP: 'closed' } },

    unbinding: {
      initial: 'draining',
      states: {
        draining: {
          entry: 'drain',
          after: { drainMs: 'asked' },
          on: { DRAINED: 'asked' },
        },
        asked: {
          entry: 'unbind',
          after: { unbindMs: { target: '#bind.closed', actions: { type: 'drop', params: { why: 'unbind-timeout' } } } },
          on: { UNBOUND: { target: '#bind.closed', actions: { type: 'drop', params: { why: 'unbound' } } } },
        },
      },
      on: { LOST: 'closed' },
    },
  },
})

/** The state as one word, for /ready and logs. `bound` includes `probing`; `unbinding` is one word. */
export function bindStateName(value: string | object): string {
  return typeof value === 'string' ? value : (Object.keys(value)[0] ?? 'closed')
}
