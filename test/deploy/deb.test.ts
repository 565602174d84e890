/**
 * The package for Debian: built, then installed, upgraded, removed and purged in a root of its own, beside which this
 * machine's packages, users and services are not touched; and its program started.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unitFaults } from '../campaigns/hardening.ts'
import { root } from '../style/tree.ts'
import { dropSchema, makeSchema } from '../support/postgres.ts'
import { runProgram, type DaemonProcess } from '../support/process.ts'
import { services, startServices, until } from '../support/services.ts'

const BUILD_MS = 180_000
const has = (program: string) => !spawnSync(program, ['--version']).error
const canBuild = has('dpkg-deb')
const canInstall = canBuild && has('dpkg') && has('useradd') && process.getuid?.() === 0

const SERVE_MS = 60_000
const SECRETS = ['smsc_password', 'postgres_password', 'redis_password']
const UNITS = ['ussd-connector.service', 'ussd-connector@.service']

describe(`the package for Debian${canBuild ? '' : ' (skipped: no dpkg-deb here)'}`, function () {
  this.timeout(BUILD_MS)
  let folder: string
  let first: string
  let second: string
  let again: string
  const at = (...names: string[]) => join(folder, ...names)
  const run = (program: string, words: string[]) => {
    const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8' })
    return { status, said: `${stdout}${stderr}${error?.message ?? ''}` }
  }
  const done = (program: string, ...words: string[]) => {
    const { status, said } = run(program, words)
    assert.equal(status, 0, `${program} ${words.join(' ')}\n${said}`)
    return said
  }

  before(function () {
    if (!canBuild) return this.skip()
    // dpkg writes each file to the disk before it goes on: thousands of them, which in memory take no time.
    folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ussd-debian-'))
    const dist = at('dist')
    done(
      process.execPath,
      join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      dist,
    )
    execFileSync(process.execPath, [join(root, 'scripts/copy-assets.mjs'), dist], { cwd: root })
    const build = (version: string, out = folder) => {
      const words = ['--dist', dist, '--out', out, '--version', version, '--compression', 'none']
      return execFileSync(process.execPath, [join(root, 'scripts/deb.mjs'), ...words], { encoding: 'utf8' }).trim()
    }
    first = build('0.9.0~rc.1')
    second = build('0.9.0')
    mkdirSync(at('again'))
    again = build('0.9.0', at('again'))
  })
  after(() => {
    if (folder) rmSync(folder, { recursive: true, force: true })
    const untried = [
      canInstall ? '' : 'install, upgrade, remove and purge (they need root, dpkg and useradd)',
      has('systemd-analyze') ? '' : 'that systemd understands the units (no systemd-analyze here)',
      'start and restart by systemd, and apt with its registry',
    ]
    if (canBuild) process.stdout.write(`      not checked here: ${untried.filter(Boolean).join('; ')}\n`)
  })

  it("needs a Node.js that the program runs on, keeps what is changed in /etc, and is all root's", () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
    assert.match(
      done('dpkg-deb', '--field', first, 'Depends'),
      new RegExp(`nodejs \\(${engines.node.replace('=', '= ')}\\)`),
    )
    done('dpkg-deb', '--control', first, at('control'))
    const kept = readFileSync(at('control/conffiles'), 'utf8')
    assert.equal(kept, '/etc/ussd-connector/connector.yaml\n/etc/ussd-connector/flows/welcome.yaml\n')
    const listed = done('dpkg-deb', '--contents', first).split('\n').filter(Boolean)
    assert.deepEqual(
      listed.filter(
        (line) => !/^[-dl]r[w-]xr[w-][x-]r[w-][x-] root\/root|^lrwxrwxrwx root|^-rw-r--r-- root/.test(line),
      ),
      [],
    )
    // Of its own, and of no development package.
    assert.ok(listed.some((line) => line.endsWith('./opt/ussd-connector/node_modules/xstate/package.json')))
    assert.ok(!listed.some((line) => line.includes('/node_modules/mocha/')))
  })

  it('is the same to the octet when it is built again', () => {
    assert.ok(readFileSync(second).equals(readFileSync(again)))
  })

  describe(`in a root of its own${canInstall ? '' : ' (skipped: needs root, dpkg and useradd)'}`, () => {
    const into = (...names: string[]) => at('root', ...names)
    const users = () => readFileSync(into('etc/passwd'), 'utf8')
    const dpkg = (...words: string[]) =>
      run('dpkg', [`--root=${into()}`, '--force-script-chrootless,confold,unsafe-io', '--no-triggers', ...words])
    const dpkgDone = (...words: string[]) => {
      const { status, said } = dpkg(...words)
      assert.equal(status, 0, said)
    }
    const program = (...words: string[]) => run(into('usr/bin/ussd-connector'), words)
    const machine = () => [
      readFileSync('/etc/passwd', 'utf8'),
      readFileSync('/var/lib/dpkg/status', 'utf8').length,
      existsSync('/etc/ussd-connector'),
      existsSync('/var/lib/ussd-connector'),
    ]
    let untouched: unknown[]

    /** A machine with these packages, as far as dpkg and useradd look. */
    function lay(node: string) {
      rmSync(into(), { recursive: true, force: true })
      for (const dir of ['var/lib/dpkg/updates', 'var/lib/dpkg/info', 'etc']) mkdirSync(into(dir), { recursive: true })
      const packages: [string, string][] = [
        ['nodejs', node],
        ['passwd', '1:4.13'],
      ]
      const status = packages.map(
        ([name, version]) =>
          `Package: ${name}\nStatus: install ok installed\nMaintainer: x <x@localhost>\n` +
          `Architecture: all\nVersion: ${version}\nDescription: x\n`,
      )
      writeFileSync(into('var/lib/dpkg/status'), status.join('\n'))
      writeFileSync(into('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
      writeFileSync(into('etc/group'), 'root:x:0:\n')
      writeFileSync(into('etc/shadow'), 'root:*:19000:0:99999:7:::\n', { mode: 0o600 })
      writeFileSync(into('etc/gshadow'), 'root:*::\n', { mode: 0o600 })
    }
    before(function () {
      if (!canInstall) return this.skip()
      untouched = machine()
    })
    after(() => canInstall && assert.deepEqual(machine(), untouched))

    it('is refused beside a Node.js that is too old', () => {
      lay('18.20.4+dfsg-1~deb12u1')
      const { status, said } = dpkg('--install', first)
      assert.notEqual(status, 0)
      assert.match(said, /depends on nodejs \(>= 20\.19\)/)
    })

    it('is installed without systemd: program on the PATH, user, data folder, files for secrets', () => {
      lay(process.versions.node)
      dpkgDone('--install', first)
      const [user] = users()
        .split('\n')
        .filter((line) => line.startsWith('ussd-connector:'))
      const [, , uid, gid, , home, shell] = user!.split(':')
      assert.deepEqual([home, shell], ['/var/lib/ussd-connector', '/usr/sbin/nologin'])
      const data = statSync(into('var/lib/ussd-connector'))
      assert.deepEqual([data.uid, data.gid, data.mode & 0o777], [Number(uid), Number(gid), 0o700])
      for (const name of SECRETS) {
        const { mode, uid: owner, size } = statSync(into('etc/ussd-connector', name))
        assert.deepEqual([mode & 0o777, owner, size], [0o600, 0, 0], name)
      }
      assert.equal(done('dpkg', `--root=${into()}`, '--verify', 'ussd-connector'), '')
    })

    it('has flows and settings that its program takes', () => {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
      assert.equal(program('--version').said.trim(), version)
      assert.match(program('check', into('etc/ussd-connector/flows')).said, /\b0 errors/)
      for (const name of SECRETS) writeFileSync(into('etc/ussd-connector', name), 'secret')
      const template = readFileSync(into('etc/ussd-connector/connector.yaml'), 'utf8')
      const mine = template.replaceAll('/run/credentials/ussd-connector.service', into('etc/ussd-connector'))
      writeFileSync(at('mine.yaml'), mine)
      const shown = program('config', '--config', at('mine.yaml'))
      assert.equal(shown.status, 0, shown.said)
      assert.match(shown.said, /192\.0\.2\.10/)
    })

    it('serves the flow that comes along to a phone, started directly', async function () {
      await startServices(['postgres'])
      if (services.missing.postgres) return this.skip()
      const schema = await makeSchema()
      const processes: DaemonProcess[] = []
      const start = (...words: string[]) => {
        const process = runProgram([into('usr/bin/ussd-connector'), ...words], folder)
        processes.push(process)
        return process
      }
      const said = async (process: DaemonProcess, words: RegExp) => {
        const found = () => words.exec(process.output().join('\n'))
        await until(() => found() !== null, `${words} is not in what it says`, SERVE_MS)
        return found()!
      }
      try {
        const simulator = start('simulate', '--port', '0', '--http-port', '0')
        const [, port, url] = await said(simulator, /:(\d+), dialect .*phone at (http:\S+?)\/$/m)
        const postgres = Object.assign(new URL(services.postgresUrl!), { search: `?options=-c search_path=${schema}` })
        writeFileSync(at('run.yaml'), settings(Number(port), into(), postgres.toString()), { mode: 0o600 })
        const daemon = start('run', '--config', at('run.yaml'))
        const ended = daemon.exited.then((code) => assert.fail(`ended with ${code}\n${daemon.output().join('\n')}`))
        await Promise.race([said(simulator, / bound$/m), ended])
        assert.match(program('dial', '*123#', '--url', url!).said, /It works\./)
      } finally {
        for (const one of processes) one.kill('SIGKILL')
        await Promise.all(processes.map((one) => one.exited))
        await dropSchema(schema)
      }
    })

    for (const name of UNITS) {
      it(`has ${name}: hardened as that of deploy/, under its user, and it starts what is there`, function () {
        const file = into('usr/lib/systemd/system', name)
        const unit = readFileSync(file, 'utf8')
        assert.match(unit, /^User=ussd-connector$/m)
        assert.deepEqual(unitFaults(unit.replace(/^User=.*\nGroup=.*$/m, 'DynamicUser=yes')), [])
        const [, script] = /^ExecStart=\/usr\/bin\/node \S+ (\S+)/m.exec(unit)!
        assert.ok(existsSync(into(script!)), script)
        const [, config] = /--config (\S+)$/m.exec(unit)!
        assert.ok(existsSync(into(config!)), config)
        for (const [, , secret] of unit.matchAll(/^LoadCredential=(\w+):(\S+)$/gm))
          assert.ok(existsSync(into(secret!)), secret)
        if (!has('systemd-analyze')) return this.skip()
        const said = run('systemd-analyze', ['verify', '--man=no', file]).said.split('\n')
        // Neither the program nor the user is on this machine.
        const faults = said.filter(
          (line) => line.includes('ussd-connector') && !/is not executable|Failed to prepare|user/i.test(line),
        )
        assert.deepEqual(faults, [])
      })
    }

    it('is upgraded: changed settings and secrets stay, and the user keeps its number', () => {
      const before = users()
      writeFileSync(into('etc/ussd-connector/connector.yaml'), '# mine\n')
      writeFileSync(into('var/lib/ussd-connector/log-key'), 'k')
      dpkgDone('--install', second)
      assert.match(done('dpkg-query', `--admindir=${into('var/lib/dpkg')}`, '--show', 'ussd-connector'), /\t0\.9\.0\n/)
      assert.equal(readFileSync(into('etc/ussd-connector/connector.yaml'), 'utf8'), '# mine\n')
      assert.equal(readFileSync(into('etc/ussd-connector/smsc_password'), 'utf8'), 'secret')
      assert.equal(readFileSync(into('var/lib/ussd-connector/log-key'), 'utf8'), 'k')
      assert.equal(users(), before)
    })

    it('is removed: the program goes, settings, secrets and data stay', () => {
      dpkgDone('--remove', 'ussd-connector')
      assert.deepEqual(
        ['opt/ussd-connector', 'usr/lib/systemd/system/ussd-connector.service'].filter((one) => existsSync(into(one))),
        [],
      )
      assert.throws(() => lstatSync(into('usr/bin/ussd-connector')), /ENOENT/)
      assert.equal(readFileSync(into('etc/ussd-connector/connector.yaml'), 'utf8'), '# mine\n')
      assert.equal(readFileSync(into('etc/ussd-connector/smsc_password'), 'utf8'), 'secret')
      assert.equal(readFileSync(into('var/lib/ussd-connector/log-key'), 'utf8'), 'k')
    })

    it('is purged: settings, secrets and data go, also those of instances; the user stays', () => {
      mkdirSync(into('var/lib/ussd-connector-8124'))
      mkdirSync(into('var/lib/ussd-connector-of-mine'))
      dpkgDone('--purge', 'ussd-connector')
      assert.ok(!existsSync(into('etc/ussd-connector')))
      assert.deepEqual(readdirSync(into('var/lib')).toSorted(), ['dpkg', 'ussd-connector-of-mine'])
      assert.match(users(), /^ussd-connector:/m)
      assert.equal(dpkg('--status', 'ussd-connector').status, 1)
    })
  })
})

const settings = (port: number, into: string, postgres: string) => `
lines: [{ name: demo, smsc: { host: 127.0.0.1, port: ${port}, systemId: ussd, password: secret } }]
services: [{ code: '*123#', flow: welcome }]
flows: { dir: ${join(into, 'etc/ussd-connector/flows')} }
redis: embedded
postgres: { url: '${postgres}' }
data: ${join(into, 'var/lib/ussd-connector')}
admin: { port: 0 }
`
