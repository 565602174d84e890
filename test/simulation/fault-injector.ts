/** Lets the faults of a plan happen. */
import type { Chaos } from '../../src/simulator/smsc/chaos.ts'
import { STATUS } from '../../src/smpp/pdu/status.ts'
import { SMSC } from './daemon.ts'
import type { Net } from './net.ts'
import { sayFault, type Fault } from './plan.ts'
import type { Scheduler } from './scheduler.ts'
import type { Wire } from './wire.ts'

export interface FaultInjectorDeps {
  scheduler: Scheduler
  net: Net
  chaos: Chaos
  kv: Wire
  sql: Wire
  /** The process that a daemon of the plan is now. */
  nameOf(daemon: number): string
  kill(daemon: number, downMs: number): void
  step(daemon: number, ms: number): void
}

/** Arms them; what is over by then is put right again. */
export function injectFaults(faults: readonly Fault[], deps: FaultInjectorDeps): { clear(): void } {
  const { scheduler, net, chaos } = deps
  const crashes: { daemon: number; at: string; steps: number; downMs: number; isNear: boolean }[] = []
  let isOver = false
  const undo = new Set<() => void>()

  const lasting = (forMs: number, begin: () => void, end: () => void): void => {
    begin()
    const once = (): void => {
      if (undo.delete(once)) end()
    }
    undo.add(once)
    scheduler.after(forMs, 'fault over', once)
  }

  function strike(fault: Fault): void {
    scheduler.note(sayFault(fault))
    const name = 'daemon' in fault ? deps.nameOf(fault.daemon) : ''
    switch (fault.is) {
      case 'crash':
        return void crashes.push({ ...fault, isNear: false })
      case 'cut':
        return net.cut(name)
      case 'deaf':
        return net.deafen(name)
      case 'clog':
        return lasting(
          fault.forMs,
          () => net.clog(name, true),
          () => net.clog(name, false),
        )
      case 'slow':
        return lasting(
          fault.forMs,
          () => net.slow(name, fault.ms),
          () => net.slow(name, 0),
        )
      case 'smsc':
        return lasting(
          fault.forMs,
          () => net.refuse(SMSC, true),
          () => net.refuse(SMSC, false),
        )
      case 'step':
        return deps.step(fault.daemon, fault.ms)
      case 'kv':
      case 'sql': {
        const way = deps[fault.is]
        return lasting(
          fault.forMs,
          () => void (way.weather = fault.weather),
          () => void (way.weather = 'up'),
        )
      }
      case 'double':
        return void chaos.add({
          on: 'deliver_sm',
          lane: 'ussd',
          times: fault.times,
          act: { is: 'double', on: fault.on },
        })
      case 'late':
        return void chaos.add({
          on: 'deliver_sm',
          event: 'begin',
          times: fault.times,
          act: { is: 'late', ms: fault.ms },
        })
      case 'mute':
        return void chaos.add({ on: 'submit_sm', lane: fault.lane, times: fault.times, act: { is: 'drop-response' } })
      case 'throttle':
        return void chaos.add({
          on: 'submit_sm',
          lane: 'sms',
          times: fault.times,
          act: { is: 'refuse', status: STATUS.ESME_RTHROTTLED },
        })
      default:
    }
  }

  // A crash comes at an event of that very process, so that it falls into work and not between two pieces of it.
  scheduler.watch((label) => {
    for (const [i, crash] of crashes.entries()) {
      if (!label.includes(deps.nameOf(crash.daemon))) continue
      crash.isNear ||= label.includes(crash.at)
      if (!crash.isNear || crash.steps-- > 0) continue
      crashes.splice(i, 1)
      scheduler.note(`${deps.nameOf(crash.daemon)} dies`)
      return deps.kill(crash.daemon, crash.downMs)
    }
  })
  for (const fault of faults) {
    scheduler.after(fault.atMs, 'fault', () => {
      if (!isOver) strike(fault)
    })
  }
  return {
    clear() {
      isOver = true
      crashes.length = 0
      chaos.clear()
      for (const end of undo) end()
    },
  }
}
