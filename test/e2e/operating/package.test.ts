/**
 * What `npm pack` makes of a fresh clone: a package that has its program and everything that its files point to, and
 * serves plug-ins that lie outside the tree. Nothing here asks a registry.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { root } from '../../style/tree.ts'
import { runProgram, type DaemonProcess } from '../../support/process.ts'
import { until } from '../../support/services.ts'

/** It builds, on a machine that has much else to do. */
const PACK_MS = 180_000
/** A daemon that makes its stores on such a machine. */
const SERVE_MS = 120_000
const NOT_CLONED = new Set(['.git', 'node_modules', 'dist', 'data'])

describe('the package', () => {
  let folder: string
  let own: string
  const files: string[] = []
  const text = (file: string) => readFileSync(join(own, file), 'utf8')
  const program = () => join(own, 'dist/src/cli/main.js')
  const cli = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program(), ...words], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${words.join(' ')}\n${stdout}${stderr}`)
    return stdout
  }
  /** As an install lays it, from what is installed here: a package that only development needs is not there. */
  const layBeside = (name: string) => {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }

  before(function () {
    this.timeout(PACK_MS)
    folder = mkdtempSync(join(tmpdir(), 'ussd-package-'))
    const clone = join(folder, 'clone')
    cpSync(root, clone, {
      recursive: true,
      filter: (from) => dirname(from) !== root || !NOT_CLONED.has(from.slice(root.length + 1)),
    })
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
    // What an earlier build has left is no part of it.
    mkdirSync(join(clone, 'dist/src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(clone, 'dist/src/left-over.js'))
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: clone,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
    own = join(folder, 'node_modules/ussd-connector')
    mkdirSync(own, { recursive: true })
    execFileSync('tar', ['-xzf', join(folder, tarball), '-C', own, '--strip-components=1'])
    for (const name of productionPackages()) layBeside(name)
    files.push(...readdirSync(own, { recursive: true, encoding: 'utf8' }))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('has its program, built anew, with the pages that it serves', () => {
    const { version } = JSON.parse(text('package.json')) as { version: string }
    assert.equal(cli('--version').trim(), version)
    assert.ok(files.includes('dist/src/simulator/web/index.html'))
    assert.ok(!files.includes('dist/src/left-over.js'))
  })

  it('serves the flows, profiles and contracts that come along', () => {
    for (const flows of ['flows', 'examples/flows/airtime/flows'])
      assert.match(cli('check', join(own, flows)), /\b0 errors/, flows)
    assert.match(cli('dialect', 'list'), /standard/)
    assert.match(cli('contract', 'list'), /africastalking/)
  })

  it('has every file that its pages, flows and settings point to', () => {
    const astray: string[] = []
    const leads = (from: string, to: string) => existsSync(join(own, to)) || astray.push(`${from}: ${to}`)
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      for (const [, to] of text(file).matchAll(/\]\(([^)#\s]+)/g))
        if (!to!.includes('://')) leads(file, normalize(join(dirname(file), to!)))
    }
    for (const file of files.filter((name) => /\.ya?ml$/.test(name))) {
      for (const [, to] of text(file).matchAll(/\$schema=(\S+)/g)) leads(file, normalize(join(dirname(file), to!)))
      // What stands in a folder data was made by a start.
      for (const [, to] of text(file).matchAll(/\.\/(examples\/[\w./-]+)/g))
        if (!to!.includes('/data/')) leads(file, to!)
    }
    assert.deepEqual(astray, [])
  })

  it('has of deploy/ what works without the sources: the units and what they start, alerts, a dashboard, backups', () => {
    assert.deepEqual(
      files.filter((name) => name.startsWith('deploy/')).toSorted(),
      [
        'alerts.yml',
        'backup.sh',
        'grafana.json',
        'restore.sh',
        'ussd-connector.service',
        'ussd-connector@.service',
      ].map((name) => `deploy/${name}`),
    )
    const named = [...text('deploy/ussd-connector.service').matchAll(/\/opt\/ussd-connector\/([\w./-]+)/g)].map(
      ([, to]) => to!,
    )
    assert.ok(named.includes('dist/src/cli/main.js'))
    assert.deepEqual(
      named.filter((to) => !existsSync(join(own, to))),
      [],
    )
  })

  describe('with a plug-in outside the tree', function () {
    this.timeout(SERVE_MS)
    const processes: DaemonProcess[] = []
    const start = (...words: string[]) => {
      const process = runProgram([program(), ...words], folder)
      processes.push(process)
      return process
    }
    const said = async (process: DaemonProcess, words: RegExp) => {
      const found = () => words.exec(process.output().join('\n'))
      await until(() => found() !== null, `${words} is not in what it says`, SERVE_MS)
      return found()!
    }
    after(async () => {
      for (const one of processes) one.kill('SIGKILL')
      await Promise.all(processes.map((one) => one.exited))
    })

    it('takes it by its types: the example of the docs, strictly', () => {
      layBeside('@types/node')
      layBeside('undici-types')
      writeFileSync(join(folder, 'rating.ts'), snippet(text('docs/flows/COOKBOOK.md'), 'ts', 'defineScreenType'))
      writeFileSync(join(folder, 'shop.mjs'), snippet(text('docs/BACKENDS.md'), 'js', 'BackendFactory'))
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
      const check = (...files: string[]) => {
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT, files }))
        return tsc(folder)
      }
      assert.equal(check('rating.ts', 'shop.mjs'), '')
      writeFileSync(
        join(folder, 'wrong.ts'),
        `import { screen } from './rating.ts'\nexport const no: number = screen\n`,
      )
      assert.match(check('wrong.ts'), /^wrong\.ts\(2,14\): error TS2322: Type 'ScreenPlugin'/, 'the types are there')
    })

    it('serves it over a socket, on embedded stores, to the phone of its own simulator', async () => {
      const simulator = start('simulate', '--port', '0', '--http-port', '0')
      const [, port, url] = await said(simulator, /:(\d+), dialect .*phone at (http:\S+?)\/$/m)
      mkdirSync(join(folder, 'flows'))
      writeFileSync(join(folder, 'flows/visit.yaml'), FLOW)
      writeFileSync(join(folder, 'connector.yaml'), settings(Number(port)), { mode: 0o600 })
      assert.match(cli('check', '--plugin', 'out/rating.js', 'flows'), /\b0 errors/)
      const daemon = start('run', '--config', 'connector.yaml')
      const ended = daemon.exited.then((code) =>
        assert.fail(`the daemon ended: ${code}\n${daemon.output().join('\n')}`),
      )
      await Promise.race([said(simulator, / bound$/m), ended])
      const shown = cli('dial', '*108#', '--url', url!, '--answers', '2')
      assert.match(shown, /How was it\?[^]*1\. Bad[^]*2\. Fair[^]*3\. Good[^]*Thank you for 2 of 3\./)
    })
  })
})

/** The packages that `npm install` of the package lays into the top folder. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>
  }
  return Object.entries(packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev)
    .map(([path]) => path.slice('node_modules/'.length))
}

/** The block of a page in that language which says that. */
function snippet(page: string, language: string, says: string): string {
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!)
  const found = blocks.find((block) => block.includes(says))
  assert.ok(found, `no block in ${language} says ${says}`)
  return found
}

const STRICT = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  checkJs: true,
  rewriteRelativeImportExtensions: true,
  rootDir: '.',
  outDir: 'out',
  types: ['node'],
}

/** What the compiler complains of; ''. The compiler is the one that the package is built with. */
function tsc(folder: string): string {
  // Where colours are asked for, its messages have another form.
  const words = [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false']
  const { stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' })
  return stdout + stderr
}

const FLOW = `
flow: visit
spec: 1
start: how
languages: [en]
screens:
  how: { rating: How was it?, of: [Bad, Fair, Good], as: rated, to: buy }
  buy: { call: shop.buy, with: { id: g1 }, once: true, to: thanks }
  thanks: { end: 'Thank you for {vars.rated} of 3.' }
`

const settings = (port: number) => `
lines: [{ name: demo, smsc: { host: 127.0.0.1, port: ${port}, systemId: ussd, password: secret } }]
services: [{ code: '*108#', flow: visit }]
flows: { dir: flows, plugins: [out/rating.js] }
backends: { shop: { module: out/shop.mjs } }
redis: embedded
postgres: embedded
data: data
admin: { port: 0 }
`
