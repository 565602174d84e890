import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watchTokens } from '../../src/admin/token-file.ts'
import { fakeClock } from '../support/clock.ts'
import { createAccess, readTokens, tokenHash, tokensOf } from '../../src/admin/access.ts'
import { FAILED_EACH_MS, FAILED_MAX } from '../../src/base/lockout.ts'
import { ProblemsError } from '../../src/base/errors.ts'

const ONE = 'one-token-of-a-test'
const OTHER = 'other-token-of-a-test'
const RIGHT = 'r1ght-and-l0ng-enough'
const hex = (token: string) => tokenHash(token).toString('hex')

describe('admin tokens', () => {
  it('are read with roles, names and comments', () => {
    const tokens = readTokens(
      'tokens',
      `# who\n\nread:${hex(ONE)} grafana\noperate:${hex(OTHER).toUpperCase()}   # the night shift\n`,
    )
    assert.deepEqual(
      tokens.map(({ roles, name }) => [roles.join(), name]),
      [
        ['read', 'grafana'],
        ['operate', hex(OTHER).slice(0, 8)],
      ],
    )
  })

  it('all bad lines are named at once, and none of them is shown', () => {
    const secret = 'S3cretTokenInClear'
    assert.throws(
      () => readTokens('tokens', `read:${secret}\nadmin:${hex(ONE)}\noperate:${hex(OTHER)}\n`),
      (error: unknown) => {
        assert.ok(error instanceof ProblemsError)
        assert.deepEqual(
          error.problems.map((problem) => problem.where),
          ['tokens:1', 'tokens:2'],
        )
        assert.doesNotMatch(error.message, new RegExp(secret))
        return true
      },
    )
    assert.throws(() => readTokens('tokens', '# nobody\n'), /has no token/)
  })

  it('are refused where anybody can guess them: at the start as far as a hash shows it, else when they are sent', () => {
    for (const weak of ['', 'changeme', 'x'.repeat(32)]) {
      assert.throws(
        () => readTokens('tokens', `read:${hex(RIGHT)}\noperate:${hex(weak)} boss\n`),
        /tokens:2: is the hash of a token that anybody can guess \(`ussd-connector token read operate`/,
      )
    }
    const weak = ['summer2026', 'abcdefghijklmnopqrst', 'abc123abc123abc123']
    const access = createAccess(readTokens('tokens', weak.map((token) => `read:${hex(token)}`).join('\n')))
    for (const token of weak)
      assert.equal(access.check({ header: `Bearer ${token}`, address: '' }, 0).is, 'weak', token)
  })

  it('are refused from a file that others can read', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'ussd-tokens-')), 'tokens')
    writeFileSync(file, `read:${hex(RIGHT)}`, { mode: 0o640 })
    assert.throws(() => tokensOf(file), /admin\.tokensFile: other users can read .*mode 0640/)
    chmodSync(file, 0o600)
    assert.equal(tokensOf(file).length, 1)
  })

  it('an address that fails again and again is told so for a while; a right token is let in all the time', () => {
    const access = createAccess(readTokens('tokens', `read:${hex(RIGHT)}`))
    const check = (token: string, address: string, nowMs: number) =>
      access.check({ header: `Bearer ${token}`, address }, nowMs).is
    for (let i = 0; i < FAILED_MAX; i++) assert.equal(check('wrong', '::1', 1_000), 'wrong')
    assert.equal(check('wrong', '::1', 1_000), 'locked')
    assert.equal(check(RIGHT, '::1', 1_000), 'known')
    assert.equal(check('wrong', '::1', 1_000), 'locked', 'and that changes nothing for wrong ones')
    assert.equal(check('wrong', '10.0.0.2', 1_000), 'wrong')
    assert.equal(check('wrong', '::1', 1_000 + FAILED_EACH_MS), 'wrong')
    assert.equal(check('wrong', '::1', 1_000 + FAILED_EACH_MS), 'locked')
    assert.equal(access.check({ header: undefined, address: '::1' }, 1_000).is, 'nobody')
  })

  it('nothing but the whole token opens: not its hash, not without the word Bearer', () => {
    const access = createAccess(readTokens('tokens', `read:${hex(RIGHT)}`))
    for (const header of [
      `Bearer ${hex(RIGHT)}`,
      RIGHT,
      `Basic ${RIGHT}`,
      'Bearer',
      `Bearer ${RIGHT} `,
      `Bearer ${RIGHT.toUpperCase()}`,
      '',
    ]) {
      assert.equal(access.check({ header, address: header }, 0).is, 'wrong', header)
    }
    assert.equal(access.check({ header: `bearer  ${RIGHT}`, address: '' }, 0).is, 'known')
  })
})

describe('the file of admin tokens, while the daemon runs', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'ussd-tokens-')), 'tokens')
  const write = (text: string) => writeFileSync(file, text, { mode: 0o600 })

  it('is read again: a revoked token is dead within 10 s, a wrong file changes nothing, an emptied one revokes all', async () => {
    const clock = fakeClock()
    const logged: string[] = []
    const told = (_: object, message: string) => void logged.push(message)
    const log = { debug: told, info: told, warn: told, error: told }
    write(`read,operate:${hex(RIGHT)} mary\nread:${hex(ONE)} grafana\n`)
    const { tokens, stop } = watchTokens(file, { clock, log, audit: { note: () => undefined } })
    const access = createAccess(tokens)
    const is = (token: string) => access.check({ header: `Bearer ${token}`, address: '10.0.0.1' }, clock.now()).is
    assert.equal(is(RIGHT), 'known')
    write(`operate:nonsense\n`)
    await clock.advance(20_000)
    assert.equal(is(RIGHT), 'known')
    assert.deepEqual(logged, ['admin.tokensFile is invalid: the old tokens stay in force'])
    const other = 'an0ther-and-l0ng-enough'
    write(`read,operate:${hex(other)} john\n`)
    await clock.advance(10_000)
    assert.deepEqual([is(RIGHT), is(other)], ['wrong', 'known'])
    write('# nobody\n')
    await clock.advance(10_000)
    assert.deepEqual([is(other), tokens.length], ['wrong', 1])
    await clock.advance(60_000)
    assert.deepEqual(logged.slice(1), ['admin audit: tokens changed', 'admin audit: tokens changed'])
    stop()
  })
})
