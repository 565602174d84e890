import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as loopTurn } from 'node:timers/promises'
import { SocketWriter } from '../../../src/smpp/session/socket-writer.ts'
import type { WindowRequest } from '../../../src/smpp/session/window.ts'
import { fakeClock } from '../../support/clock.ts'

/** A request that is taken back if the answer is yes. */
interface Asking {
  isTakenBack(): boolean
}
const asking = (isTakenBack: Asking['isTakenBack']) => ({ isTakenBack }) as unknown as WindowRequest

function writing() {
  const clock = fakeClock()
  const written: string[] = []
  const taking: ((error?: Error) => void)[] = []
  const socket = Object.assign(new EventEmitter(), {
    writable: true,
    destroyed: false,
    writableLength: 0,
    write(octets: Buffer, taken?: (error?: Error) => void) {
      written.push(octets.toString())
      if (taken) taking.push(taken)
    },
  })
  const limits = { outOctetsMax: 1_000, drainMs: 1_000 } as never
  const recall = (request: WindowRequest) => (request as unknown as Asking).isTakenBack()
  const deps = { clock, count: () => undefined, recall, stalled: () => undefined, stuck: () => undefined }
  return { clock, written, taking, writer: new SocketWriter(socket as unknown as Socket, limits, deps) }
}

describe('the writer of a socket', () => {
  it('writes what one loop turn gathered at once, and asks nothing when it is in time', async () => {
    const { writer, written } = writing()
    for (const octets of ['a', 'b'])
      writer.write(
        Buffer.from(octets),
        asking(() => assert.fail('asked')),
      )
    await loopTurn()
    assert.deepEqual(written, ['ab'])
  })
  it('asks about each request that is late, and writes what is not taken back', async () => {
    const { writer, written, clock } = writing()
    writer.write(
      Buffer.from('old'),
      asking(() => true),
    )
    writer.write(Buffer.from('response'))
    writer.write(
      Buffer.from('current'),
      asking(() => false),
    )
    clock.set(8_000) // the process was stopped between the two
    await loopTurn()
    assert.deepEqual(written, ['responsecurrent'])
  })
  it('tells when the system has the octets, not before, and not where the socket failed', async () => {
    for (const fault of [undefined, new Error('EPIPE')]) {
      const { writer, taking } = writing()
      let left = 0
      writer.write(Buffer.from('text'))
      writer.tell({ byMs: 0, leaves: () => undefined, left: () => void left++ })
      await loopTurn()
      assert.equal(left, 0)
      taking[0]!(fault)
      assert.equal(left, fault ? 0 : 1)
    }
  })
})
