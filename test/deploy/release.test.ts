/** A release, in a clone of its own: what it refuses, what it makes, and that signature and sums hold. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../style/tree.ts'

/** It builds the package of npm, on a machine that has much else to do. */
const MAKE_MS = 240_000
const hasGpg = spawnSync('gpg', ['--version']).error === undefined

describe('a release', function () {
  this.timeout(MAKE_MS)
  let folder: string
  let clone: string
  let env: NodeJS.ProcessEnv
  const git = (...words: string[]) => execFileSync('git', words, { cwd: clone, encoding: 'utf8', env }).trim()
  const commit = (what: string) => git('commit', '-qam', what)
  const release = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/release.mjs', '--no-deb', ...words], {
      cwd: clone,
      encoding: 'utf8',
      env,
    })
    return { status, stdout, stderr }
  }
  const change = (file: string, from: string | RegExp, to: string) => {
    const text = readFileSync(join(clone, file), 'utf8')
    assert.notEqual(text.replace(from, to), text, file)
    writeFileSync(join(clone, file), text.replace(from, to))
  }
  const version = () => (JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string }).version

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ussd-release-'))
    clone = join(folder, 'clone')
    env = { ...process.env, GNUPGHOME: join(folder, 'gpg') }
    // What is not committed is no part of a release; of what is tested here, it is.
    execFileSync('git', ['clone', '-q', root, clone])
    for (const file of ['scripts/release.mjs', 'scripts/pin-base.mjs', 'package.json', 'package-lock.json'])
      writeFileSync(join(clone, file), readFileSync(join(root, file)))
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
    appendFileSync(join(clone, '.git/info/exclude'), 'node_modules\ndist\nrelease\n')
    git('config', 'user.email', 'release@example.org')
    git('config', 'user.name', 'A Release')
    git('add', '-A')
    git('commit', '-qm', 'as it is', '--allow-empty')
  })
  after(() => {
    if (hasGpg) spawnSync('gpgconf', ['--kill', 'all'], { env })
    rmSync(folder, { recursive: true, force: true })
  })

  it('is not made of what does not agree: each fault is named, and nothing is tagged', () => {
    change('package-lock.json', `"version": "${version()}"`, '"version": "0.0.9"')
    change('CHANGELOG.md', /^## .*$/m, `## ${version()} (soon)`)
    const { status, stderr } = release('--dry-run')
    assert.equal(status, 1)
    for (const said of [
      /^- package-lock[.]json \(version\): 0[.]0[.]9, and package[.]json has /m,
      /^- CHANGELOG[.]md: there is no "## \d+[.]\d+[.]\d+ \(YYYY-MM-DD\)"/m,
      /^- git: the tree is not clean/m,
      /^- Dockerfile: the base image has no digest: npm run pin/m,
      /^Nothing is released[.]$/m,
    ])
      assert.match(stderr, said)
    assert.match(release().stderr, /^- say one of --gpg-key, --minisign-key, --unsigned$/m)
    assert.equal(git('tag'), '')
    git('checkout', '-q', '--', '.')
  })

  it('is tried without a trace, then made: package, bill of materials, sums, signature, tag with the notes', function () {
    if (!hasGpg) this.skip()
    change(
      'CHANGELOG.md',
      /^## \d+\.\d+\.\d+ \(.*\)$/m,
      `## ${version()} (2026-12-01)\n\nThe day has come.\n\n## 0.0.9 (2026-11-01)\n\nOlder.`,
    )
    change('Dockerfile', /^ARG NODE_IMAGE=([\w.:-]+).*$/m, `ARG NODE_IMAGE=$1@sha256:${'a'.repeat(64)}`)
    commit('the day')
    const tried = release('--dry-run')
    assert.equal(tried.status, 0, tried.stderr)
    assert.match(tried.stdout, new RegExp(`^[0-9a-f]{64} {2}ussd-connector-${version()}[.]tgz$`, 'm'))
    assert.deepEqual([git('tag'), git('status', '--porcelain'), existsSync(join(clone, 'release'))], ['', '', false])

    execFileSync('mkdir', ['-m', '700', env.GNUPGHOME!])
    const key = [
      '--batch',
      '--passphrase',
      '',
      '--quick-gen-key',
      'Release <release@example.org>',
      'default',
      'sign',
      '1d',
    ]
    execFileSync('gpg', key, { env, stdio: 'ignore' })
    const made = release('--gpg-key', 'release@example.org')
    assert.equal(made.status, 0, made.stderr)
    const out = join(clone, 'release', version())
    const files = ['NOTES.md', 'SHA256SUMS', 'SHA256SUMS.asc', 'sbom.json', `ussd-connector-${version()}.tgz`]
    assert.deepEqual(readdirSync(out).toSorted(), files)
    assert.equal(readFileSync(join(out, 'NOTES.md'), 'utf8'), 'The day has come.\n')
    execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out })
    execFileSync('gpg', ['--verify', 'SHA256SUMS.asc', 'SHA256SUMS'], { cwd: out, env, stdio: 'ignore' })
    assert.equal(
      (JSON.parse(readFileSync(join(out, 'sbom.json'), 'utf8')) as { bomFormat: string }).bomFormat,
      'CycloneDX',
    )
    execFileSync('git', ['tag', '-v', `v${version()}`], { cwd: clone, env, stdio: 'ignore' })
    assert.match(git('tag', '-l', '--format=%(contents)', `v${version()}`), /The day has come[.]/)
    assert.equal(git('rev-parse', `v${version()}^{commit}`), git('rev-parse', 'HEAD'))
    assert.match(made.stdout, new RegExp(`git push origin v${version()}`))
    // Once.
    assert.match(release('--gpg-key', 'release@example.org').stderr, /there is a tag v\S+ already: raise the version/)
  })
})
