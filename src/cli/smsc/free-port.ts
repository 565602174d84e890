/** A port of this machine to listen on. */
import { createServer } from 'node:net'

/** The wanted port, or any free port if it is in use. */
export async function freeOr(port: number): Promise<number> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(0))
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(port)))
  })
}
