/** A TCP proxy before Redis that counts what it is asked: commands by name, scripts by their hash, octets. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface RedisCounts {
  /** By name; a script that is called by its hash is `EVALSHA <hash>`. */
  commands: Map<string, number>
  octets: number
}

export interface CountingRedis {
  port: number
  /** What came since the last call. */
  take(): RedisCounts
  close(): Promise<void>
}

export async function countingRedis(target: { host: string; port: number }): Promise<CountingRedis> {
  let counts: RedisCounts = { commands: new Map(), octets: 0 }
  const sockets = new Set<Socket>()
  const asked = (words: string[]) => {
    const name = words[0]!.toUpperCase()
    const label = name === 'EVALSHA' ? `${name} ${words[1]}` : name
    counts.commands.set(label, (counts.commands.get(label) ?? 0) + 1)
  }
  const server = createServer((client) => {
    const redis = connect(target)
    const read = commandReader(asked)
    for (const socket of [client, redis]) {
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      sockets.add(socket)
    }
    client.on('data', (chunk) => {
      counts.octets += chunk.length
      read(chunk)
    })
    client.pipe(redis)
    redis.pipe(client)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = counts
      counts = { commands: new Map(), octets: 0 }
      return taken
    },
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => done())
      }),
  }
}

/** Reads arrays of bulk strings, the only form in which a client asks. Calls `asked` with the first two words. */
function commandReader(asked: (words: string[]) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  /** Of the command that is read: words still to come, and the first ones. */
  let left = 0
  let words: string[] = []
  /** Where the line that starts there ends; -1 if it has not come. */
  const lineEnd = (octets: Buffer, from: number) => octets.indexOf('\r\n', from)
  return (chunk) => {
    const octets = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = 0
    for (;;) {
      const end = lineEnd(octets, at)
      if (end < 0) break
      const length = Number(octets.toString('latin1', at + 1, end))
      if (left === 0) {
        left = length
        words = []
        at = end + 2
        continue
      }
      const wordEnd = end + 2 + length
      if (wordEnd + 2 > octets.length) break
      if (words.length < 2) words.push(octets.toString('latin1', end + 2, wordEnd))
      at = wordEnd + 2
      if (--left === 0) asked(words)
    }
    rest = octets.subarray(at)
  }
}
