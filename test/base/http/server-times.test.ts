import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { httpTimes } from '../../../src/base/http/server-times.ts'
import { root, sources } from '../../style/tree.ts'

describe('the time of those who call our HTTP servers', () => {
  it('is over when it is over, not at the next look half a minute later', async () => {
    const server = createServer(httpTimes(50), (_, response) => void response.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1')
    let said = ''
    slow.on('data', (octets: Buffer) => (said += octets.toString('latin1')))
    slow.write('GET / HTTP/1.1\r\nHost: here\r\n')
    await once(slow, 'end')
    assert.match(said, /^HTTP\/1\.1 408 /)
    server.close()
  })
  it('is the same in each of them', () => {
    const servers = sources(['src', 'samples'])
      .filter((file) => /\bcreateServer\(|\bserve\(/.test(readFileSync(join(root, file), 'utf8')))
      .filter((file) => /from '(node:http|@hono\/node-server)'/.test(readFileSync(join(root, file), 'utf8')))
    assert.ok(servers.length >= 5, servers.join())
    const without = servers.filter((file) => !readFileSync(join(root, file), 'utf8').includes('httpTimes('))
    assert.deepEqual(without, [])
  })
})
