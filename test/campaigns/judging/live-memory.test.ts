import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { packageRoot } from '../../../src/base/package-root.ts'
import { heldMb, HELD_ENV, heldMbOf, usedMb } from './live-memory.ts'

const MEGABYTE = 1_048_576

const inNode = (script: string) =>
  execFileSync(process.execPath, ['--import', 'tsx', '--input-type', 'module', '-e', script], {
    cwd: packageRoot,
    encoding: 'utf8',
  })

describe('memory that is held', () => {
  it('shows a leak of objects and one of buffers, and not what was dropped', () => {
    // In a process of its own: what other tests left goes at a moment of its own.
    const script = `
      import { heldMb } from ${JSON.stringify(new URL('live-memory.ts', import.meta.url).href)}
      const before = await heldMb()
      const kept = []
      kept.push(Array.from({ length: 200_000 }, (_, n) => ({ n, text: 'text ' + n })), Buffer.alloc(8 * ${MEGABYTE}, 1))
      const leaking = (await heldMb()) - before
      const held = kept.length
      kept.length = 0
      process.stdout.write(JSON.stringify({ leaking, held, left: (await heldMb()) - before }))`
    const { leaking, held, left } = JSON.parse(inNode(script)) as Record<'leaking' | 'held' | 'left', number>
    assert.ok(leaking > 12, `8 MB of buffers and a list: ${leaking} MB`)
    assert.equal(held, 2)
    assert.ok(left < 1, `all was dropped: ${left} MB`)
  })
  it('stands no lower than what is in use', async () => {
    const held = await heldMb()
    const kept = Buffer.alloc(20 * MEGABYTE, 1)
    assert.ok(usedMb() - held > 15)
    assert.equal(kept.length, 20 * MEGABYTE)
  })
  it('is told by another process, which ends when it has nothing more to do', async () => {
    const child = spawn(
      process.execPath,
      [
        '-e',
        `
      globalThis.kept = []
      process.once('SIGUSR2', () => globalThis.kept.push(Buffer.alloc(16 * ${MEGABYTE}, 1)))
      const alive = setInterval(() => undefined, 1_000)
      process.once('SIGTERM', () => clearInterval(alive))
      process.stdout.write('up')
    `,
      ],
      { env: { ...process.env, ...HELD_ENV }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    )
    const exited = new Promise((done) => child.once('exit', done))
    await new Promise((done) => child.stdout!.once('data', done))
    const before = await heldMbOf(child)
    child.kill('SIGUSR2')
    let more = 0
    for (let n = 0; n < 50 && more < 15; n++) more = (await heldMbOf(child)) - before
    child.kill('SIGTERM')
    assert.ok(more >= 15 && more < 18, `${more} MB`)
    assert.equal(await exited, 0)
  })
})
