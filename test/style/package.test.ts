/** What `npm pack` makes of a fresh clone: a package that has its program, and everything that its files point to. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { root } from './tree.ts'

/** It builds, on a machine that has much else to do. */
const PACK_MS = 180_000
const NOT_CLONED = new Set(['.git', 'node_modules', 'dist', 'data'])

describe('the package', () => {
  let folder: string
  let own: string
  const files: string[] = []
  const text = (file: string) => readFileSync(join(own, file), 'utf8')
  const cli = (...words: string[]) =>
    execFileSync(process.execPath, [join(own, 'dist/src/cli/main.js'), ...words], { cwd: folder, encoding: 'utf8' })

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
    symlinkSync(join(root, 'node_modules'), join(own, 'node_modules'))
    files.push(
      ...readdirSync(own, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('node_modules')),
    )
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
      for (const [, to] of text(file).matchAll(/\.\/(examples\/[\w./-]+)/g)) leads(file, to!)
    }
    assert.deepEqual(astray, [])
  })

  it('has of deploy/ what works without the sources: the unit and what it starts, alerts, a dashboard', () => {
    assert.deepEqual(
      files.filter((name) => name.startsWith('deploy/')).toSorted(),
      ['alerts.yml', 'grafana.json', 'ussd-connector.service'].map((name) => `deploy/${name}`),
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
})
