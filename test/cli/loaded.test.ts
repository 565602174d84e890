/** What a command loads before it does anything: `health` runs every few seconds beside a daemon on a small box. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadedBy } from '../support/loaded.ts'

describe('what a command loads', () => {
  it('health: its own four files and the reader of the command line', async () => {
    const door = createServer((_, answer) => answer.end('{"ready":true}')).listen(0, '127.0.0.1')
    await once(door, 'listening')
    try {
      const { port } = door.address() as AddressInfo
      const { status, stdout, own, packages } = await loadedBy('src/cli/main.ts', ['health', '--port', String(port)])
      assert.deepEqual({ status, stdout }, { status: 0, stdout: '{"ready":true}\n' })
      assert.deepEqual(own, [
        'src/cli/admin.ts',
        'src/cli/arguments.ts',
        'src/cli/commands/health.ts',
        'src/cli/main.ts',
        'src/cli/node-floor.ts',
      ])
      assert.deepEqual(packages, ['commander'])
    } finally {
      door.close()
    }
  })

  it('any command that is only asked for its help: no room but src/base', async () => {
    const { stdout, own } = await loadedBy('src/cli/main.ts', ['run', '--help'])
    assert.match(stdout, /Usage: ussd-connector run/)
    assert.deepEqual(
      own.filter((file) => !/^src\/(cli|base)\//.test(file)),
      [],
    )
  })

  it('check of flows alone: nothing of the daemon', async () => {
    const { status, own } = await loadedBy('src/cli/main.ts', ['check', 'examples/flows/voucher/flows'])
    assert.equal(status, 0)
    assert.deepEqual(
      own.filter((file) => !/^src\/(base|cli|flow|ussd)\//.test(file)),
      ['machines/dialogue.ts', 'machines/passed.ts'],
    )
  })
})
