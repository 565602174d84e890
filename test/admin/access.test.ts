import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
      tokens.map(({ role, name }) => [role, name]),
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
        /tokens:2: is the hash of a token that anybody can guess \(`ussd-connector token operate`/,
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
