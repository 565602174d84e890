import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { faultProxy, through, type FaultProxy } from './proxy.ts'
import { until } from '../../support/services.ts'

describe('the fault proxy', () => {
  let echo: Server
  let proxy: FaultProxy
  const open: Socket[] = []

  beforeEach(async () => {
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    proxy = await faultProxy({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port })
  })
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy()
    await proxy.close()
    echo.close()
  })

  function dial(): Socket {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => undefined)
    open.push(socket)
    return socket
  }
  /** All that comes until the connection ends. */
  async function heard(socket: Socket): Promise<string> {
    let text = ''
    socket.on('data', (octets) => (text += String(octets)))
    await new Promise((done) => socket.once('close', done))
    return text
  }
  async function echoed(socket: Socket, words: string): Promise<string> {
    socket.write(words)
    let text = ''
    while (text.length < words.length) text += String((await once(socket, 'data'))[0])
    return text
  }

  it('passes octets both ways, whole or one at a time', async () => {
    assert.equal(await echoed(dial(), 'hello'), 'hello')
    await proxy.set({ is: 'chunk' })
    assert.equal(await echoed(dial(), 'hello'), 'hello')
  })
  it('loses a reply after so many octets, once', async () => {
    await proxy.set({ is: 'drop-reply', at: 2, when: (request) => request.includes('book') })
    const socket = dial()
    assert.equal(await echoed(socket, 'look'), 'look')
    const rest = heard(socket)
    socket.write('book')
    assert.equal(await rest, 'bo')
    assert.equal(await echoed(dial(), 'book'), 'book')
    assert.equal(proxy.counts.struck, 1)
  })
  it('cuts the next connection at an octet of either direction', async () => {
    await proxy.set({ is: 'cut', direction: 'up', at: 3 })
    const socket = dial()
    const all = heard(socket)
    socket.write('hello')
    await all
    assert.equal(proxy.counts.up, 3)
  })
  it('refuses, resets what stands, and listens again on the same port', async () => {
    const standing = dial()
    assert.equal(await echoed(standing, 'a'), 'a')
    const ended = heard(standing)
    await proxy.set({ is: 'refuse' })
    await ended
    const [error] = (await once(dial(), 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
    await proxy.set({ is: 'pass' })
    assert.equal(await echoed(dial(), 'b'), 'b')
  })
  it('black-holes: accepted, never answered, dead once it is over', async () => {
    await proxy.set({ is: 'black-hole' })
    const socket = dial()
    const all = heard(socket)
    socket.write('hello')
    await until(() => proxy.counts.connections === 1, 'the proxy does not accept')
    await proxy.set({ is: 'pass' })
    assert.equal(await all, '')
    assert.equal(proxy.counts.down, 0)
  })
  it('stands in a URL where the server stood', () => {
    assert.equal(
      through('postgres://me@db:5432/x?options=y', proxy),
      `postgres://me@127.0.0.1:${proxy.port}/x?options=y`,
    )
  })
})
