import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { request } from '../../src/cli/admin.ts'

describe('a command that asks a daemon', () => {
  it('says that there was no answer in time, and that what it asked for may still be done', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    await assert.rejects(
      request({ url }, 'POST', '/v1/flows/x/publish', {}, 50),
      /no answer within 0\.05 s; the daemon may still do what you asked/,
    )
    silent.close()
  })
})
