import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { boundConnections } from '../../../src/base/http/connections.ts'

const MAX = 3

describe('the connections of an HTTP server', () => {
  let server: Server
  let held: ServerResponse[]
  let full: number
  beforeEach(async () => {
    held = []
    full = 0
    server = createServer(
      (request, response) => void (request.url === '/hold' ? held.push(response) : response.end('here')),
    )
    boundConnections(server, MAX, () => full++)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const open = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
    await Promise.all([once(socket, 'connect'), once(server, 'connection')])
    return socket
  }
  const asks = async (socket: Socket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  }

  it('that are only held open keep nobody out: the one that has been idle for longest goes', async () => {
    const [first, second] = [await open(), await open()]
    await open()
    // Not idle for longest any more: it asked.
    await asks(first)
    const gone = once(second, 'close')
    const fourth = await open()
    await gone
    assert.match(await asks(fourth), /200 OK[^]*here$/)
    assert.match(await asks(first), /200 OK/)
    assert.equal(full, 1)
    for (let i = 0; i < 20; i++) assert.match(await asks(await open()), /200 OK/)
  })

  it('of whoever holds most go first: a caller who opens them fast pushes out nobody else', async () => {
    // Another address of this machine, and so another caller.
    const other = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
    })
    other.on('error', () => undefined)
    await Promise.all([once(other, 'connect'), once(server, 'connection')])
    for (let i = 0; i < 10 * MAX; i++) await open()
    assert.match(await asks(other), /200 OK/)
  })

  it('are idle until their request is whole: one that never sends its body does not stay', async () => {
    const dripping = []
    for (let i = 0; i < MAX; i++) {
      const socket = await open()
      const asked = once(server, 'request')
      socket.write('POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf')
      await asked
      dripping.push(once(socket, 'close'))
    }
    assert.match(await asks(await open()), /200 OK/)
    await dripping[0]
  })

  it('with a request under way stay, and a newcomer goes where all have one', async () => {
    const busy = []
    for (let i = 0; i < MAX; i++) {
      const socket = await open()
      const asked = once(server, 'request')
      socket.write('GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await asked
      busy.push(socket)
    }
    await once(await open(), 'close')
    for (const response of held) response.end('late')
    for (const socket of busy) assert.match(((await once(socket, 'data')) as [Buffer])[0].toString('latin1'), /late$/)
  })
})
