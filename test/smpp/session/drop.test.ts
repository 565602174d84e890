import assert from 'node:assert/strict'
import { deliver, ID, raw, startPeer } from '../../support/peer.ts'
import { until } from '../../support/services.ts'
import { testLine } from '../support.ts'

describe('a drop in mid-PDU', () => {
  it('at any octet of a dialogue loses no whole PDU, takes no half one, and is followed by a new bind', async () => {
    const stream = Buffer.concat([deliver(1, 'first'), raw(ID.enquire, 0, 2), deliver(3, 'second')])
    const ends = [deliver(1, 'first').length, stream.length]
    let dropAt = 0
    const peer = await startPeer({
      onBind(pdu, connection) {
        connection.socket.write(raw(ID.response + pdu.id, 0, pdu.sequence, 'S\0'))
        connection.socket.end(stream.subarray(0, dropAt))
        return undefined
      },
    })
    for (dropAt = 0; dropAt <= stream.length; dropAt++) {
      const test = testLine({ port: peer.port })
      const n = peer.connections.length
      test.line.start()
      await until(() => peer.connections.length > n && peer.connections[n]!.closed, `no close after ${dropAt}`)
      await until(() => test.count('smpp_link_lost') > 0, 'not noticed')
      const texts = test.requests
        .filter((one) => one.link.id.endsWith('.1'))
        .map((one) => String(one.pdu.body.short_message))
      assert.deepEqual(
        texts,
        ['first', 'second'].filter((_, i) => dropAt >= ends[i]!),
        `dropped at ${dropAt}`,
      )
      await test.stop()
      assert.deepEqual(test.balance(), { rx: 0, tx: 0 })
    }
    await peer.stop()
  })
})
