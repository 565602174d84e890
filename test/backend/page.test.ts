import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseSettings } from '../../src/config/load.ts'
import { checkSource } from '../../src/flow/check/check.ts'
import { compileFlow } from '../../src/flow/load/compile.ts'
import { parseTalks } from '../../src/flow/talk/talk.ts'
import { describeFailure } from '../../src/flow/talk/diff.ts'
import { playTalk } from '../../src/flow/talk/player.ts'
import { newStage, stageDaemon, type Staged } from '../support/daemon.ts'
import { freePort, until } from '../support/services.ts'
import { root } from '../style/tree.ts'

const page = readFileSync(join(root, 'docs/BACKENDS.md'), 'utf8')
const blocks = [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({ kind: kind!, text: text! }))
const block = (kind: string): string => blocks.find((it) => it.kind === kind)!.text
const flow = { file: 'bundles.yaml', text: block('yaml flow'), catalogues: [], parts: [] }

/** What is typed after `$`, and what comes. */
const commandsOf = (text: string) =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const lines = part.split('\n')
      const last = lines.findIndex((line) => !line.endsWith('\\'))
      return {
        command: lines.slice(0, last + 1).join('\n'),
        shows: lines
          .slice(last + 1)
          .join('\n')
          .trim(),
      }
    })

describe('the page about back ends', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-page-'))
  let port: number
  let shop: ChildProcess | undefined
  let said = ''
  let staged: Staged

  const startShop = async () => {
    shop = spawn(process.execPath, ['shop.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    shop.stdout!.on('data', (chunk) => {
      said += chunk
    })
    await until(
      async () =>
        fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' }).then(
          () => true,
          () => false,
        ),
      'the shop does not start',
    )
  }
  const stopShop = async () => {
    const over = shop && once(shop, 'exit')
    shop?.kill()
    await over
    shop = undefined
  }

  before(async function () {
    this.timeout(60_000)
    port = await freePort()
    mkdirSync(join(folder, 'flows'))
    writeFileSync(join(folder, 'flows/bundles.yaml'), flow.text)
    writeFileSync(join(folder, 'offers.json'), block('json'))
    writeFileSync(join(folder, 'shop.mjs'), block('js').replaceAll('3905', String(port)))
    const { settings } = parseSettings(block('yaml').replaceAll('3905', String(port)), 'page', {})
    staged = await stageDaemon({
      smscPort: 1,
      with: stage,
      embedded: true,
      frozen: false,
      change(it) {
        Object.assign(it, {
          lines: [],
          services: settings.services,
          backends: settings.backends,
          flows: { ...settings.flows, dir: join(folder, 'flows') },
        })
        it.door = { ...settings.door!, port: 0 }
      },
    })
    await startShop()
  })
  after(async () => {
    await staged?.close()
    await stopShop()
    for (const path of [folder, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('is true: every command shows what it says', async function () {
    this.timeout(60_000)
    const here = (command: string) =>
      command
        .replaceAll('127.0.0.1:3905', `127.0.0.1:${port}`)
        .replaceAll('127.0.0.1:8384', `127.0.0.1:${staged.daemon.ingress.port()}`)
        .replaceAll('127.0.0.1:8123', `127.0.0.1:${staged.daemon.admin.port}`)
    const consoles = blocks.filter(({ kind }) => kind.startsWith('console'))
    assert.ok(consoles.length >= 5)
    for (const { kind, text } of consoles) {
      if (kind === 'console stopped') await stopShop()
      else if (!shop) await startShop()
      for (const { command, shows } of commandsOf(text)) {
        const { stdout } = await promisify(execFile)('bash', ['-c', here(command)], { cwd: folder })
        assert.equal(stdout.trim(), shows, command)
      }
    }
    assert.match(said, /^sold 5 GB to 67570000001$/m)
    assert.match(said, /^ended: completed after 3 turns$/m)
  })

  it('has a flow without an error or a warning, and a talk that goes as written', async () => {
    assert.deepEqual(checkSource(flow), [])
    const [talk] = parseTalks('page', block('talk'))
    const failure = await playTalk(talk!, compileFlow(flow).flow)
    assert.equal(failure && describeFailure(failure), undefined)
  })

  it('counts its own lines', () => {
    assert.ok(block('js').trim().split('\n').length <= 40)
  })
})
