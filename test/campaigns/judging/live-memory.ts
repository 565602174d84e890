/**
 * What is still held once the collector has been: heap and what stands outside of it (buffers, inflaters). Resident
 * memory is no measure of a leak: what the collector and the allocator keep for later depends on the machine and on the
 * moment.
 */
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Finalizers run between collections, and free more for the next: the least of several is what is held. */
const COLLECTIONS = 6
const REPLY_MS = 30_000

/** Octets. Runs in this process, and, as text, in a daemon. */
async function leastHeld(collect: () => void, collections: number): Promise<number> {
  let least = Infinity
  for (let n = 0; n < collections; n++) {
    collect()
    await new Promise((done) => setTimeout(done, 20))
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}

let collect: (() => void) | undefined

/** Megabytes that this process holds. */
export async function heldMb(collections = COLLECTIONS): Promise<number> {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  return (await leastHeld(collect, collections)) / 1_048_576
}

/** Megabytes that this process has in use now, what could be collected among it. */
export function usedMb(): number {
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_048_576
}

const PRELOADED = `
import { isMainThread } from 'node:worker_threads'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
${leastHeld.toString()}
if (isMainThread && process.send) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  process.on('message', async (word) => { if (word === 'held') process.send({ held: await leastHeld(collect, ${COLLECTIONS}) }) })
  process.channel.unref()
}
`

/** For the environment of a Node process with an IPC channel: it then answers heldMbOf. */
export const HELD_ENV = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PRELOADED)}` }

/** Megabytes that a process holds that was started with HELD_ENV. */
export async function heldMbOf(child: ChildProcess): Promise<number> {
  const signal = AbortSignal.timeout(REPLY_MS)
  child.send('held')
  const [{ held }] = (await once(child, 'message', { signal })) as [{ held: number }]
  return held / 1_048_576
}
