/** The binds of an examination. If the SMSC unbinds them, they are bound again. */
import { bindOn, wireParts, type Roles } from './connection.ts'
import { isOk, wordsOf, type Exam } from './exam.ts'
import type { Taped } from './finding.ts'
import { openWire, type Wire, type WireDeps } from './wire.ts'

export interface StationBinds {
  tx(): Wire
  rx(): Wire
  /** The unbind requests of the SMSC so far. */
  unbound(): Taped[]
  /** Whether the SMSC has unbound one of the current binds. */
  isUnbound(): boolean
  /** Binds again if the SMSC has unbound us (or `anyway`). False: it failed, or it was needed too often. */
  stand(anyway?: 'anyway'): Promise<boolean>
}

/** An SMSC that unbinds more often does not want us. */
const REBINDS_MAX = 3

/** Returns a text that says why nothing could be bound. */
export async function stationBinds(
  exam: Exam,
  { transceiver }: Roles,
  onMessage: WireDeps['onMessage'],
): Promise<StationBinds | string> {
  const bound = await bindAll(exam, transceiver, onMessage)
  if (typeof bound === 'string') return bound
  let wires: Wire[] = bound
  const unbound: Taped[] = []
  let rebinds = 0
  let isGone = false
  const told = () => wires.flatMap((wire) => wire.unbound ?? [])
  return {
    tx: () => wires[0]!,
    rx: () => wires.at(-1)!,
    unbound: () => [...unbound, ...told()],
    isUnbound: () => told().length > 0,
    async stand(anyway) {
      if (isGone) return false
      if (!anyway && told().length === 0) return true
      unbound.push(...told())
      for (const wire of wires) {
        wire.close()
        wire.unbound = undefined
      }
      isGone = true
      if (rebinds++ >= REBINDS_MAX) return false
      if (!anyway) {
        exam.say('  the SMSC sent unbind; binding again')
        await exam.wait(exam.plan.times.pauseMs)
      }
      const again = await bindAll(exam, transceiver, onMessage)
      if (typeof again === 'string') return false
      wires = again
      isGone = false
      return true
    },
  }
}

/** A message that arrives while we bind again is handled too. */
async function bindAll(exam: Exam, transceiver: boolean, onMessage: WireDeps['onMessage']): Promise<Wire[] | string> {
  const wires: Wire[] = []
  for (const role of transceiver ? (['transceiver'] as const) : (['transmitter', 'receiver'] as const)) {
    const opened = await openWire(wireParts(exam, onMessage))
    const answer = 'wire' in opened ? await bindOn(opened.wire, role, exam) : undefined
    if ('wire' in opened) wires.push(opened.wire)
    if (answer && isOk(answer)) continue
    for (const wire of wires) wire.close()
    return 'failed' in opened ? opened.failed : `bind_${role}: ${wordsOf(answer!)}`
  }
  return wires
}
